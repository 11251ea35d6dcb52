# A random word that is made once and kept in Secrets Manager, in no state and no plan. Whoever needs it reads it from there,
# so an apply that is broken off cannot leave two who know different ones.

ephemeral "aws_secretsmanager_random_password" "new" {
  password_length     = 48
  exclude_punctuation = true
  depends_on          = [aws_secretsmanager_secret.this]
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Whoever uses it reads it when it starts, so it is renewed by hand, with a deploy
  name                    = var.name
  description             = var.description
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.protects_data ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id                = aws_secretsmanager_secret.this.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.new.random_password
  secret_string_wo_version = var.renewals
}

ephemeral "aws_secretsmanager_secret_version" "this" {
  secret_id  = aws_secretsmanager_secret_version.this.secret_id
  version_id = aws_secretsmanager_secret_version.this.version_id
}

variable "name" {
  description = "Name of the secret."
  type        = string
}

variable "description" {
  description = "Whose it is."
  type        = string
}

variable "key_arn" {
  description = "Key that encrypts it."
  type        = string
}

variable "protects_data" {
  description = "Whether it can be had back for 30 days after it was deleted."
  type        = bool
}

variable "renewals" {
  description = "One more makes another word."
  type        = number
}

output "arn" {
  description = "The secret, once it has a value."
  value       = aws_secretsmanager_secret_version.this.arn
}

output "value" {
  description = "The word: 48 letters and digits. Only for what keeps none either."
  value       = ephemeral.aws_secretsmanager_secret_version.this.secret_string
  ephemeral   = true
}
