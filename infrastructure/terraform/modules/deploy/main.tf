# Blue/green: CodeDeploy starts the new servers beside the old ones, sends new connections to them, calls the hook that drains
# the old ones, and stops those five minutes later.

resource "aws_codedeploy_app" "this" {
  name             = var.name
  compute_platform = "ECS"
}

resource "aws_codedeploy_deployment_group" "this" {
  app_name               = aws_codedeploy_app.this.name
  deployment_group_name  = "servers"
  deployment_config_name = "CodeDeployDefault.ECSAllAtOnce"
  service_role_arn       = aws_iam_role.codedeploy.arn

  deployment_style {
    deployment_option = "WITH_TRAFFIC_CONTROL"
    deployment_type   = "BLUE_GREEN"
  }

  ecs_service {
    cluster_name = var.cluster.name
    service_name = var.service.name
  }

  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route {
        listener_arns = [var.listener_arn]
      }
      test_traffic_route {
        listener_arns = [var.test_listener_arn]
      }
      dynamic "target_group" {
        for_each = ["blue", "green"]
        content {
          name = var.target_groups[target_group.value].name
        }
      }
    }
  }

  blue_green_deployment_config {
    deployment_ready_option {
      action_on_timeout = "CONTINUE_DEPLOYMENT"
    }
    # So long one can go back within seconds.
    terminate_blue_instances_on_deployment_success {
      action                           = "TERMINATE"
      termination_wait_time_in_minutes = 5
    }
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
  }

  alarm_configuration {
    enabled = true
    alarms  = var.deploy_alarms
  }
}

locals {
  network = {
    subnets        = var.subnets
    securityGroups = [var.server_security_group_id]
    assignPublicIp = var.has_public_addresses ? "ENABLED" : "DISABLED"
  }
}
