# What CloudWatch can see by itself, under the names of the alerts that Prometheus has: docs/operations.md says what to do.

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_subscription" "mail" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.mail
}

locals {
  servers  = { ClusterName = var.cluster_name, ServiceName = var.service_name }
  database = { DBInstanceIdentifier = var.database_identifier }

  # One metric, one bound, five minutes long.
  simple = {
    CpuHigh = {
      text      = "Servers use over 80 % of their processors"
      namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = local.servers
      statistic = "Average", comparison = "GreaterThanThreshold", threshold = 80
    }
    MemoryHigh = {
      text      = "Servers use over 85 % of their memory"
      namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.servers
      statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 85
    }
    DiskFull = {
      text      = "Less than a tenth of the database's storage is free"
      namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database
      statistic = "Minimum", comparison = "LessThanThreshold", threshold = var.database_storage_gb * pow(1024, 3) / 10
    }
    DatabaseConnectionsHigh = {
      text      = "Over 80 % of the 300 connections to Postgres are used"
      namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database
      statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 240
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "simple" {
  for_each            = local.simple
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.text}. What to do: docs/operations.md#alerts"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "ignore"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "api_slow" {
  alarm_name                            = "${var.name}-ApiSlow"
  alarm_description                     = "1 of 100 requests takes more than a second. What to do: docs/operations.md#alerts"
  namespace                             = "AWS/ApplicationELB"
  metric_name                           = "TargetResponseTime"
  dimensions                            = { LoadBalancer = var.balancer }
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  comparison_operator                   = "GreaterThanThreshold"
  threshold                             = 1
  period                                = 60
  evaluation_periods                    = 5
  treat_missing_data                    = "notBreaching"
  alarm_actions                         = [aws_sns_topic.alarms.arn]
  ok_actions                            = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "api_errors" {
  alarm_name          = "${var.name}-ApiErrors"
  alarm_description   = "More than 1 of 20 requests fails with a 5xx. What to do: docs/operations.md#alerts"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "rate"
    label       = "Percent that fail"
    expression  = "100 * (FILL(servers, 0) + FILL(balancer, 0)) / requests"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = {
      requests = "RequestCount"
      servers  = "HTTPCode_Target_5XX_Count"
      balancer = "HTTPCode_ELB_5XX_Count"
    }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = { LoadBalancer = var.balancer }
        stat        = "Sum"
        period      = 60
      }
    }
  }
}

# Blue or green, whichever it is: while a deploy runs both have some.
resource "aws_cloudwatch_metric_alarm" "not_ready" {
  alarm_name          = "${var.name}-NotReady"
  alarm_description   = "Fewer servers are ready than there must be at least. What to do: docs/operations.md#alerts"
  comparison_operator = "LessThanThreshold"
  threshold           = var.servers_min
  evaluation_periods  = 2
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "ready"
    label       = "Ready servers"
    expression  = "FILL(blue, 0) + FILL(green, 0)"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = var.target_groups
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = "HealthyHostCount"
        dimensions  = { LoadBalancer = var.balancer, TargetGroup = metric_query.value.arn_suffix }
        stat        = "Minimum"
        period      = 60
      }
    }
  }
}

# The whole account's bill: tags would have to be activated by hand first, and a budget that sees nothing warns of nothing.
resource "aws_budgets_budget" "month" {
  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"

  dynamic "notification" {
    for_each = [50, 80, 100]
    content {
      notification_type          = "ACTUAL"
      comparison_operator        = "GREATER_THAN"
      threshold_type             = "PERCENTAGE"
      threshold                  = notification.value
      subscriber_email_addresses = [var.mail]
    }
  }
}
