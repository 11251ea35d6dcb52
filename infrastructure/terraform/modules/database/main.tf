# Postgres: the only place where anything is kept that must not be lost.

module "password" {
  source        = "../secret"
  name          = "${var.name}/database-password"
  description   = "Password of the role hero"
  key_arn       = var.key_arn
  protects_data = var.protects_data
  renewals      = var.password_renewals
}

resource "aws_secretsmanager_secret" "url" {
  #checkov:skip=CKV2_AWS_57:Follows the password
  name                    = "${var.name}/database-url"
  description             = "DATABASE_URL of the servers"
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.protects_data ? 30 : 0
}

# Encrypted, but not verified: Amazon signs these certificates with roots of its own, which the image does not have. Who
# could stand between has the private subnets already.
resource "aws_secretsmanager_secret_version" "url" {
  secret_id                = aws_secretsmanager_secret.url.id
  secret_string_wo         = "postgres://hero:${module.password.value}@${aws_db_instance.this.endpoint}/hero?sslmode=require"
  secret_string_wo_version = var.password_renewals
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnets
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres15"
  description = "What the server insists on"

  # An acknowledged command is on the disk. A server that finds one of these three off does not start.
  parameter {
    name  = "fsync"
    value = "1"
  }
  parameter {
    name  = "full_page_writes"
    value = "1"
  }
  parameter {
    name  = "synchronous_commit"
    value = "on"
  }

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
  # Ten servers with 13 connections each, twice while a deploy runs, and some for people.
  parameter {
    name         = "max_connections"
    value        = "300"
    apply_method = "pending-reboot"
  }
  # Statements of over a second; the server's own have texts of players only as parameters, which are not logged.
  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }
  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "postgres" {
  name              = "/aws/rds/instance/${var.name}/postgresql"
  retention_in_days = 365
  kms_key_id        = var.key_arn
}

data "aws_iam_policy_document" "monitoring" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "monitoring" {
  name               = "${var.name}-database-monitoring"
  assume_role_policy = data.aws_iam_policy_document.monitoring.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_157:A second machine doubles the price; phases 2 and 3 have one, phase 1 has backups
  #checkov:skip=CKV_AWS_161:Servers keep their connections for days; a token of IAM is good for 15 minutes
  #checkov:skip=CKV_AWS_293:Switched on in production, off where the environment is thrown away
  identifier     = var.name
  engine         = "postgres"
  engine_version = "15"
  instance_class = var.class
  multi_az       = var.is_doubled

  db_name             = "hero"
  username            = "hero"
  password_wo         = module.password.value
  password_wo_version = var.password_renewals

  storage_type          = "gp3"
  allocated_storage     = var.storage_gb
  max_allocated_storage = 2 * var.storage_gb
  storage_encrypted     = true
  kms_key_id            = var.key_arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  backup_retention_period   = 7
  backup_window             = "03:00-04:00"
  maintenance_window        = "tue:04:30-tue:05:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = !var.protects_data
  deletion_protection       = var.protects_data
  skip_final_snapshot       = !var.protects_data
  final_snapshot_identifier = "${var.name}-final"

  auto_minor_version_upgrade      = true
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.key_arn

  depends_on = [aws_cloudwatch_log_group.postgres]
}
