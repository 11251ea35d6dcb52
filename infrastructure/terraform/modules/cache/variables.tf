variable "name" {
  description = "Name of the environment's parts."
  type        = string
}

variable "key_arn" {
  description = "Key that encrypts disk and secret."
  type        = string
}

variable "subnets" {
  description = "Private subnets."
  type        = list(string)
}

variable "security_group_id" {
  description = "Says who may connect."
  type        = string
}

variable "class" {
  description = "Size of the node, such as cache.t4g.micro."
  type        = string
}
