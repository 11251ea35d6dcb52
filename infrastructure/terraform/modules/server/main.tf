# The game servers: what one task is, and how many there are. Which version they run is CodeDeploy's business.

locals {
  # Fargate counts a processor as 1024.
  cpu_units = var.millicores * 1024 / 1000

  environment = merge({
    APP_ENV            = var.app_env
    HOST               = "0.0.0.0"
    PORT               = "3001"
    ADMIN_HOST         = "0.0.0.0"
    ADMIN_PORT         = "3002"
    ADMIN_ORIGIN       = "https://admin.${var.domain}"
    METRICS_HOST       = "0.0.0.0"
    METRICS_PORT       = "9464"
    LOG_FORMAT         = "json"
    PUBLIC_URL         = "https://${var.domain}"
    TRUSTED_PROXIES    = join(",", var.balancer_cidrs)
    S3_BUCKET_NAME     = var.uploads_bucket
    S3_REGION          = var.region
    DRAIN_DEADLINE_MS  = "25000"
    MONTHLY_BUDGET_USD = tostring(var.monthly_budget_usd)
  }, var.settings)

  # Values are read when a task starts; a new one needs new tasks.
  secrets = merge(
    {
      DATABASE_URL      = var.database_url_secret_arn
      ADMIN_DRAIN_TOKEN = module.drain_token.arn
    },
    var.has_cache ? { REDIS_URL = var.redis_url_secret_arn } : {},
    { for name in var.operator_secrets : name => "${aws_secretsmanager_secret.operators.arn}:${name}::" },
  )

  container = {
    image                  = var.image
    essential              = true
    user                   = "10001"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = false }
    environment            = [for name, value in local.environment : { name = name, value = value }]
    secrets                = [for name, arn in local.secrets : { name = name, valueFrom = arn }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.server.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "hero"
        # A slow CloudWatch must not stop the process at its next line.
        mode            = "non-blocking"
        max-buffer-size = "4m"
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "server" {
  #checkov:skip=CKV_AWS_338:Lines have ids of players; 90 days are enough to look for a fault, a year is not needed
  name              = "/dopamine-hero/${var.app_env}"
  retention_in_days = 90
  kms_key_id        = var.key_arn
}

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:Its metrics cost several dollars a month and say less than the server's own; alarms use ECS's free ones
  name = var.name
  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}

resource "aws_ecs_task_definition" "server" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.cpu_units
  memory                   = var.memory_mib
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  # Older revisions stay, so that one can go back to them.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  container_definitions = jsonencode([merge(local.container, {
    name         = "server"
    command      = ["serve"]
    portMappings = [for port in [3001, 3002, 9464] : { containerPort = port, protocol = "tcp" }]
    ulimits      = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    # More than DRAIN_DEADLINE_MS: the process ends by itself before it is killed.
    stopTimeout = 35
    healthCheck = {
      command     = ["CMD", "dopamine-hero", "healthcheck"]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }
  })])
}

# Run once before new servers start: a server refuses a database that is not as it expects. The same task does everything
# else that is a command line, with another `command`.
resource "aws_ecs_task_definition" "migrate" {
  family                   = "${var.name}-migrate"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  skip_destroy             = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  container_definitions = jsonencode([merge(local.container, { name = "migrate", command = ["migrate"] })])
}

resource "aws_ecs_service" "this" {
  #checkov:skip=CKV_AWS_333:Without a NAT gateway an address is the way out; nobody comes in by it, the group lets only the balancer
  name                              = "server"
  cluster                           = aws_ecs_cluster.this.id
  task_definition                   = aws_ecs_task_definition.server.arn
  desired_count                     = var.servers_min
  launch_type                       = "FARGATE"
  platform_version                  = "LATEST"
  health_check_grace_period_seconds = 60
  enable_ecs_managed_tags           = true
  propagate_tags                    = "SERVICE"

  deployment_controller {
    type = "CODE_DEPLOY"
  }

  network_configuration {
    subnets          = var.subnets
    security_groups  = [var.security_group_id]
    assign_public_ip = var.has_public_addresses
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = "server"
    container_port   = 3001
  }

  lifecycle {
    # CodeDeploy changes the first three with a deployment, autoscaling the last one.
    ignore_changes = [task_definition, load_balancer, network_configuration, desired_count]
  }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  min_capacity       = var.servers_min
  max_capacity       = 10
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id
  target_tracking_scaling_policy_configuration {
    target_value       = 70
    scale_in_cooldown  = 300
    scale_out_cooldown = 60
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "memory" {
  name               = "memory"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id
  target_tracking_scaling_policy_configuration {
    target_value       = 80
    scale_in_cooldown  = 300
    scale_out_cooldown = 60
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageMemoryUtilization"
    }
  }
}
