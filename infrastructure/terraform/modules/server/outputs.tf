output "cluster" {
  description = "ECS cluster: name and arn."
  value       = { name = aws_ecs_cluster.this.name, arn = aws_ecs_cluster.this.arn }
}

output "service" {
  description = "ECS service: name and arn."
  value       = { name = aws_ecs_service.this.name, arn = aws_ecs_service.this.id }
}

output "migrate_task_definition_arn" {
  description = "The task that makes the tables of the same image."
  value       = aws_ecs_task_definition.migrate.arn
}

output "role_arns" {
  description = "Roles that whoever starts a task hands over."
  value       = [aws_iam_role.task.arn, aws_iam_role.execution.arn]
}

output "log_group" {
  description = "Where servers log."
  value       = aws_cloudwatch_log_group.server.name
}

output "operators_secret" {
  description = "Secret that is filled in by hand."
  value       = aws_secretsmanager_secret.operators.name
}

output "drain_token_secret_arn" {
  description = "Secret with ADMIN_DRAIN_TOKEN."
  value       = module.drain_token.arn
}
