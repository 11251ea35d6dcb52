variable "name" {
  description = "Name of the environment's parts."
  type        = string
}

variable "app_env" {
  description = "APP_ENV: staging or production."
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
  description = "Key that encrypts logs and secrets."
  type        = string
}

variable "domain" {
  description = "Name that players type."
  type        = string
}

variable "image" {
  description = "Image by digest or tag, from the repository of this account."
  type        = string
}

variable "repository_arn" {
  description = "Repository that the image comes from."
  type        = string
}

variable "millicores" {
  description = "Thousandths of a processor for each server."
  type        = number
}

variable "memory_mib" {
  description = "Memory of each server in MiB; Fargate knows only certain pairs."
  type        = number
}

variable "servers_min" {
  description = "Fewest servers; autoscaling adds up to ten in all."
  type        = number
  validation {
    condition     = var.servers_min >= 1 && var.servers_min <= 10
    error_message = "1 to 10 servers."
  }
}

variable "monthly_budget_usd" {
  description = "MONTHLY_BUDGET_USD of the servers."
  type        = number
}

variable "subnets" {
  description = "Subnets of the servers."
  type        = list(string)
}

variable "has_public_addresses" {
  description = "Whether servers get addresses in the internet, because there is no NAT gateway."
  type        = bool
}

variable "security_group_id" {
  description = "Says who may reach a server, and whom it may reach."
  type        = string
}

variable "balancer_cidrs" {
  description = "TRUSTED_PROXIES: networks of the load balancer."
  type        = list(string)
}

variable "target_group_arn" {
  description = "Group of the first servers; later ones are CodeDeploy's choice."
  type        = string
}

variable "uploads_bucket" {
  description = "Bucket for pictures of players."
  type        = string
}

variable "database_url_secret_arn" {
  description = "Secret with DATABASE_URL."
  type        = string
}

variable "has_cache" {
  description = "Whether there is a Redis."
  type        = bool
}

variable "redis_url_secret_arn" {
  description = "Secret with REDIS_URL; null without Redis."
  type        = string
}

variable "operator_secrets" {
  description = "Keys of the JSON that is filled in by hand, each a variable of the server."
  type        = set(string)
}

variable "settings" {
  description = "Further variables of the server that are no secrets."
  type        = map(string)
}

variable "protects_data" {
  description = "Whether a deleted secret can be had back for 30 days."
  type        = bool
}
