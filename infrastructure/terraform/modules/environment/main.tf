# One environment: the parts, and what each knows of the others.

locals {
  name       = "dopamine-hero-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id
  # In which subnets servers are follows from how they get out.
  has_public_addresses = var.sizes.nat_gateways == 0
  server_subnets       = local.has_public_addresses ? module.network.public_subnets : module.network.private_subnets
}

data "aws_caller_identity" "current" {}

module "key" {
  source = "../key"
  name   = local.name
}

module "network" {
  source                      = "../network"
  name                        = local.name
  region                      = var.region
  zones                       = var.zones
  cidr                        = var.cidr
  nat_gateways                = var.sizes.nat_gateways
  operator_security_group_ids = var.operator_security_group_ids
  protects_data               = var.protects_data
}

module "database" {
  source            = "../database"
  name              = local.name
  key_arn           = module.key.arn
  subnets           = module.network.private_subnets
  security_group_id = module.network.security_group_ids.database
  class             = var.sizes.database_class
  storage_gb        = var.sizes.database_storage_gb
  is_doubled        = var.sizes.database_is_doubled
  protects_data     = var.protects_data
}

module "cache" {
  count             = var.sizes.cache_class == null ? 0 : 1
  source            = "../cache"
  name              = local.name
  key_arn           = module.key.arn
  subnets           = module.network.private_subnets
  security_group_id = module.network.security_group_ids.cache
  class             = var.sizes.cache_class
}

module "uploads" {
  source        = "../uploads"
  name          = local.name
  region        = var.region
  key_arn       = module.key.arn
  protects_data = var.protects_data
}

module "balancer" {
  source            = "../balancer"
  name              = local.name
  vpc_id            = module.network.vpc_id
  subnets           = module.network.public_subnets
  security_group_id = module.network.security_group_ids.balancer
  certificate_arn   = var.certificate_arn
  logs_bucket       = module.network.logs_bucket
  protects_data     = var.protects_data
}

module "server" {
  source                  = "../server"
  name                    = local.name
  app_env                 = var.environment
  region                  = var.region
  account_id              = local.account_id
  key_arn                 = module.key.arn
  domain                  = var.domain
  image                   = var.image
  repository_arn          = "arn:aws:ecr:${var.region}:${local.account_id}:repository/dopamine-hero"
  millicores              = var.sizes.server_millicores
  memory_mib              = var.sizes.server_memory_mib
  servers_min             = var.sizes.servers_min
  monthly_budget_usd      = var.sizes.monthly_budget_usd
  subnets                 = local.server_subnets
  has_public_addresses    = local.has_public_addresses
  security_group_id       = module.network.security_group_ids.server
  balancer_cidrs          = module.network.public_cidrs
  target_group_arn        = module.balancer.target_groups.blue.arn
  uploads_bucket          = module.uploads.bucket
  database_url_secret_arn = module.database.url_secret_arn
  has_cache               = var.sizes.cache_class != null
  redis_url_secret_arn    = one(module.cache[*].url_secret_arn)
  operator_secrets        = var.operator_secrets
  settings                = var.settings
  protects_data           = var.protects_data
}

module "alarms" {
  source              = "../alarms"
  name                = local.name
  key_arn             = module.key.arn
  mail                = var.alarm_mail
  monthly_budget_usd  = var.sizes.monthly_budget_usd
  cluster_name        = module.server.cluster.name
  service_name        = module.server.service.name
  servers_min         = var.sizes.servers_min
  balancer            = module.balancer.arn_suffix
  target_groups       = module.balancer.target_groups
  database_identifier = module.database.identifier
  database_storage_gb = var.sizes.database_storage_gb
}

module "deploy" {
  source                      = "../deploy"
  name                        = local.name
  region                      = var.region
  account_id                  = local.account_id
  key_arn                     = module.key.arn
  package                     = var.drain_package
  cluster                     = module.server.cluster
  service                     = module.server.service
  migrate_task_definition_arn = module.server.migrate_task_definition_arn
  task_role_arns              = module.server.role_arns
  subnets                     = local.server_subnets
  private_subnets             = module.network.private_subnets
  has_public_addresses        = local.has_public_addresses
  server_security_group_id    = module.network.security_group_ids.server
  drain_security_group_id     = module.network.security_group_ids.drain
  listener_arn                = module.balancer.listener_arn
  test_listener_arn           = module.balancer.test_listener_arn
  target_groups               = module.balancer.target_groups
  drain_token_secret_arn      = module.server.drain_token_secret_arn
  deploy_alarms               = module.alarms.deploy_alarms
  alarm_topic_arn             = module.alarms.topic_arn
}
