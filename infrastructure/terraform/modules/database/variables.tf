variable "name" {
  description = "Name of the environment's parts."
  type        = string
}

variable "key_arn" {
  description = "Key that encrypts storage, backups, logs and secrets."
  type        = string
}

variable "subnets" {
  description = "Private subnets, in two zones."
  type        = list(string)
}

variable "security_group_id" {
  description = "Says who may connect."
  type        = string
}

variable "class" {
  description = "Size of the machine, such as db.t4g.micro."
  type        = string
}

variable "storage_gb" {
  description = "Storage in gigabytes; it grows by itself to twice as much."
  type        = number
}

variable "is_doubled" {
  description = "Whether a second machine in the other zone takes over when the first one fails."
  type        = bool
}

variable "protects_data" {
  description = "Whether the database cannot be deleted by accident, and leaves a snapshot when it is deleted on purpose."
  type        = bool
}

variable "password_renewals" {
  description = "One more makes a new password. Deploy at once: servers that run keep their connections and cannot open new ones."
  type        = number
  default     = 1
}
