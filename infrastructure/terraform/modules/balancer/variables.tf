variable "name" {
  description = "Name of the environment's parts; 26 characters at most, because a balancer's parts may have 32."
  type        = string
  validation {
    condition     = length(var.name) <= 26
    error_message = "At most 26 characters."
  }
}

variable "vpc_id" {
  description = "Network of the servers."
  type        = string
}

variable "subnets" {
  description = "Public subnets, in two zones."
  type        = list(string)
}

variable "security_group_id" {
  description = "Says who may come."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate in ACM, of this region, for the name that players type."
  type        = string
}

variable "logs_bucket" {
  description = "Bucket for access logs."
  type        = string
}

variable "protects_data" {
  description = "Whether the balancer, and with it the address that DNS names, cannot be deleted by accident."
  type        = bool
}
