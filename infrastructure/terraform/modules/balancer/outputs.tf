output "arn_suffix" {
  description = "Name of the balancer in metrics."
  value       = aws_lb.this.arn_suffix
}

output "dns_name" {
  description = "What the players' name points to, by CNAME or alias."
  value       = aws_lb.this.dns_name
}

output "listener_arn" {
  description = "Where players come."
  value       = aws_lb_listener.https.arn
}

output "test_listener_arn" {
  description = "Where the new servers are reached before players come."
  value       = aws_lb_listener.test.arn
}

output "target_groups" {
  description = "Blue and green: arn, name, and name in metrics."
  value = {
    for color, group in aws_lb_target_group.this :
    color => { arn = group.arn, name = group.name, arn_suffix = group.arn_suffix }
  }
  # ECS takes a group only when a listener uses it.
  depends_on = [aws_lb_listener.https, aws_lb_listener.test]
}
