variable "name" {
  description = "Name of the environment's parts."
  type        = string
}

variable "region" {
  description = "Region of the environment."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC, a /16 or so; networks that are joined later must not overlap."
  type        = string
}

variable "zones" {
  description = "Two availability zones. Named, because a list that Amazon adds to would move subnets."
  type        = list(string)
  validation {
    condition     = length(var.zones) == 2
    error_message = "Two zones."
  }
}

variable "nat_gateways" {
  description = "0: nothing private reaches the internet. 1: both zones share one. 2: one in each zone."
  type        = number
  validation {
    condition     = contains([0, 1, 2], var.nat_gateways)
    error_message = "There are two zones, so 0, 1 or 2 gateways."
  }
}

variable "protects_data" {
  description = "Whether logs outlive the environment."
  type        = bool
}

variable "operator_security_group_ids" {
  description = "Security groups, of a bastion or of Prometheus, that reach the operators' listener and the metrics. None: only the drain does."
  type        = list(string)
}
