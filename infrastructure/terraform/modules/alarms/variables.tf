variable "name" {
  description = "Name of the environment's parts."
  type        = string
}

variable "key_arn" {
  description = "Key that encrypts the topic."
  type        = string
}

variable "mail" {
  description = "Address that is told; it must confirm once."
  type        = string
}

variable "monthly_budget_usd" {
  description = "What the account may cost a month, in dollars."
  type        = number
}

variable "cluster_name" {
  description = "ECS cluster of the servers."
  type        = string
}

variable "service_name" {
  description = "ECS service of the servers."
  type        = string
}

variable "servers_min" {
  description = "Fewest servers that must be ready."
  type        = number
}

variable "balancer" {
  description = "Name of the load balancer in metrics."
  type        = string
}

variable "target_groups" {
  description = "Blue and green, with their names in metrics."
  type        = map(object({ arn = string, name = string, arn_suffix = string }))
}

variable "database_identifier" {
  description = "Name of the database machine."
  type        = string
}

variable "database_storage_gb" {
  description = "Its storage in gigabytes."
  type        = number
}
