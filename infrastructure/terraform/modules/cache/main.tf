# Redis, which hurries things between several servers and holds nothing that is missed: one node, no backup.

data "aws_secretsmanager_random_password" "token" {
  password_length     = 64
  exclude_punctuation = true
}

# Another password comes with every plan; the first one stays. ElastiCache has no way to take it without the state knowing it,
# so whoever reads the state knows it. Whoever has it can refuse an address new guests, and nothing else.
resource "terraform_data" "token" {
  input = data.aws_secretsmanager_random_password.token.random_password
  lifecycle {
    ignore_changes = [input]
  }
}

locals {
  token = sensitive(terraform_data.token.output)
}

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnets
}

resource "aws_elasticache_parameter_group" "this" {
  name        = var.name
  family      = "redis7"
  description = "Forgets what was not used for longest"
  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV2_AWS_50:One node: without it servers go on more slowly, so a second one is not worth its price
  replication_group_id       = var.name
  description                = "Hints and hot snapshots"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = var.class
  num_cache_clusters         = 1
  automatic_failover_enabled = false
  port                       = 6379

  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  kms_key_id                 = var.key_arn
  auth_token                 = local.token

  subnet_group_name    = aws_elasticache_subnet_group.this.name
  security_group_ids   = [var.security_group_id]
  parameter_group_name = aws_elasticache_parameter_group.this.name
  maintenance_window   = "tue:06:00-tue:07:00"
}

resource "aws_secretsmanager_secret" "url" {
  #checkov:skip=CKV2_AWS_57:The token is worth little and renewing it ends every connection
  name                    = "${var.name}/redis-url"
  description             = "REDIS_URL of the servers"
  kms_key_id              = var.key_arn
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "url" {
  secret_id     = aws_secretsmanager_secret.url.id
  secret_string = "rediss://:${local.token}@${aws_elasticache_replication_group.this.primary_endpoint_address}:6379/0"
}
