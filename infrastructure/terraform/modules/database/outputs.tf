output "identifier" {
  description = "Name of the database machine, for alarms."
  value       = aws_db_instance.this.identifier
}

output "url_secret_arn" {
  description = "Secret with DATABASE_URL."
  value       = aws_secretsmanager_secret_version.url.arn
}
