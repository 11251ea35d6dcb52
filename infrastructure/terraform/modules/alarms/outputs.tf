output "topic_arn" {
  description = "Where alarms go."
  value       = aws_sns_topic.alarms.arn
}

output "deploy_alarms" {
  description = "Alarms that stop a deploy and take it back. Whether the new servers are ready CodeDeploy sees by itself."
  value       = [aws_cloudwatch_metric_alarm.api_errors.alarm_name]
}
