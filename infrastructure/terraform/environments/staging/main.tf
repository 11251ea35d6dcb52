# The same file for every environment: what differs is in terraform.tfvars and backend.hcl beside it, and in phases/.

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
  backend "s3" {}
}

provider "aws" {
  region = var.region
  default_tags {
    tags = { Project = "dopamine-hero", Environment = var.environment }
  }
}

module "environment" {
  source                      = "../../modules/environment"
  environment                 = var.environment
  region                      = var.region
  zones                       = var.zones
  cidr                        = var.cidr
  domain                      = var.domain
  certificate_arn             = var.certificate_arn
  alarm_mail                  = var.alarm_mail
  protects_data               = var.protects_data
  sizes                       = var.sizes
  image                       = var.image
  operator_secrets            = var.operator_secrets
  settings                    = var.settings
  operator_security_group_ids = var.operator_security_group_ids
  drain_package               = var.drain_package
}
