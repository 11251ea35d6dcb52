output "migration" {
  description = "Input of `aws ecs run-task`: makes the tables of this version."
  value       = module.environment.migration
}

output "names" {
  description = "What `cargo xtask deploy` is told."
  value       = module.environment.names
}

output "dns_name" {
  description = "What the players' name points to, by CNAME or alias."
  value       = module.environment.dns_name
}

output "log_group" {
  description = "Where servers log."
  value       = module.environment.log_group
}

output "operators_secret" {
  description = "Secret that is filled in by hand."
  value       = module.environment.operators_secret
}

output "uploads_user" {
  description = "IAM user whose key the servers have."
  value       = module.environment.uploads_user
}

output "region" {
  description = "Region of the environment."
  value       = var.region
}
