variable "environment" {
  description = "staging or production; APP_ENV of the servers, and part of every name."
  type        = string
}

variable "region" {
  description = "Region of the environment."
  type        = string
}

variable "zones" {
  description = "Two availability zones of the region."
  type        = list(string)
}

variable "cidr" {
  description = "Addresses of the VPC."
  type        = string
}

variable "domain" {
  description = "Name that players type."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate in ACM for that name."
  type        = string
}

variable "alarm_mail" {
  description = "Address that alarms and the budget tell."
  type        = string
}

variable "protects_data" {
  description = "Whether database, buckets, secrets and balancer are kept from being deleted by accident."
  type        = bool
}

variable "sizes" {
  description = "What the environment runs on: one of phases/."
  type = object({
    server_millicores   = number
    server_memory_mib   = number
    servers_min         = number
    database_class      = string
    database_storage_gb = number
    database_is_doubled = bool
    cache_class         = string
    nat_gateways        = number
    monthly_budget_usd  = number
  })
}

variable "image" {
  description = "Image of the server, best by digest."
  type        = string
}

variable "operator_secrets" {
  description = "Keys of the JSON that is filled in by hand, each a variable of the server."
  type        = set(string)
  default     = ["SECRET_KEYS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
}

variable "settings" {
  description = "Further variables of the server that are no secrets, such as MAIL_FROM."
  type        = map(string)
  default     = {}
}

variable "operator_security_group_ids" {
  description = "Security groups, of a bastion or of Prometheus, that reach the operators' listener and the metrics."
  type        = list(string)
  default     = []
}

variable "drain_package" {
  description = "Path of the zip file with the drain's functions."
  type        = string
  default     = "../../dist/drain.zip"
}
