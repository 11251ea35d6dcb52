# What players reach: HTTPS in front of two groups of servers, blue and green, of which CodeDeploy chooses one.

resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_28:The server limits requests and sockets by address itself, and a firewall reads no frame of a socket
  #checkov:skip=CKV_AWS_150:Switched on in production, off where the environment is thrown away
  name               = var.name
  load_balancer_type = "application"
  internal           = false
  subnets            = var.subnets
  security_groups    = [var.security_group_id]

  # Clients send a ping every 15 s; a socket that is silent for eight of them is dead.
  idle_timeout               = 120
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"
  xff_header_processing_mode = "append"
  enable_deletion_protection = var.protects_data

  access_logs {
    bucket  = var.logs_bucket
    prefix  = "balancer"
    enabled = true
  }
}

resource "aws_lb_target_group" "this" {
  for_each    = toset(["blue", "green"])
  name        = "${var.name}-${each.key}"
  vpc_id      = var.vpc_id
  target_type = "ip"
  port        = 3001
  #checkov:skip=CKV_AWS_378:The way from the balancer to a server stays inside the VPC; the server speaks no TLS
  protocol = "HTTP"
  # Requests end within seconds. Sockets do not end by themselves: they are told to come back by the drain.
  deregistration_delay = 15

  health_check {
    path                = "/ready"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["blue"].arn
  }
  lifecycle {
    # CodeDeploy says where it goes.
    ignore_changes = [default_action]
  }
}

# The new servers, before anybody else reaches them. The security group lets only this VPC come here.
resource "aws_lb_listener" "test" {
  load_balancer_arn = aws_lb.this.arn
  port              = 8443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["blue"].arn
  }
  lifecycle {
    ignore_changes = [default_action]
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}
