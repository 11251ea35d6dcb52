variable "name" {
  description = "Name of the environment's parts."
  type        = string
}

variable "region" {
  description = "Region of the environment."
  type        = string
}

variable "account_id" {
  description = "Account of the environment."
  type        = string
}

variable "key_arn" {
  description = "Key that encrypts logs and the drain's token."
  type        = string
}

variable "package" {
  description = "Path of the zip file with drain.mjs, hook.mjs and ask.mjs."
  type        = string
}

variable "cluster" {
  description = "ECS cluster of the servers."
  type        = object({ name = string, arn = string })
}

variable "service" {
  description = "ECS service of the servers."
  type        = object({ name = string, arn = string })
}

variable "migrate_task_definition_arn" {
  description = "What runs once before."
  type        = string
}

variable "task_role_arns" {
  description = "Roles that tasks are started with."
  type        = list(string)
}

variable "subnets" {
  description = "Subnets of the servers."
  type        = list(string)
}

variable "private_subnets" {
  description = "Subnets of the function that asks servers."
  type        = list(string)
}

variable "has_public_addresses" {
  description = "Whether servers get addresses in the internet."
  type        = bool
}

variable "server_security_group_id" {
  description = "Group of the servers."
  type        = string
}

variable "drain_security_group_id" {
  description = "Group that reaches the operators' listener."
  type        = string
}

variable "listener_arn" {
  description = "Where players come."
  type        = string
}

variable "test_listener_arn" {
  description = "Where the new servers are reached before players come."
  type        = string
}

variable "target_groups" {
  description = "Blue and green."
  type        = map(object({ arn = string, name = string, arn_suffix = string }))
}

variable "drain_token_secret_arn" {
  description = "Secret with ADMIN_DRAIN_TOKEN."
  type        = string
}

variable "deploy_alarms" {
  description = "Alarms that stop a deployment and take it back."
  type        = list(string)
}

variable "alarm_topic_arn" {
  description = "Where the drain's own alarm goes."
  type        = string
}
