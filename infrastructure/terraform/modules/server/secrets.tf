# What servers must know and nobody else may.

module "drain_token" {
  source        = "../secret"
  name          = "${var.name}/drain-token"
  description   = "ADMIN_DRAIN_TOKEN of the servers, also read by the drain"
  key_arn       = var.key_arn
  protects_data = var.protects_data
  renewals      = 1
}

# Filled by hand, as JSON: SECRET_KEYS must be kept somewhere else too, the others come from somewhere else.
resource "aws_secretsmanager_secret" "operators" {
  #checkov:skip=CKV2_AWS_57:Whoever loses SECRET_KEYS loses what players wrote; it is renewed by hand, the old one behind the new
  name                    = "${var.name}/operators"
  description             = "JSON with SECRET_KEYS and the other secrets that are filled in by hand"
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.protects_data ? 30 : 0
}
