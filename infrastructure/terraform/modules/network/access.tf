# Who may reach whom. What is not here cannot be reached.
#
#   everybody ─443, 80─▶ balancer ─3001─▶ servers ─5432─▶ database
#   this VPC ──8443────▶    │               ▲   └──6379─▶ cache
#                           drain ──3002────┘
#   operators ──3002, 9464──────────────────┘   (only groups that are named)

locals {
  # From, to, ports. A group of each name exists below.
  inside = {
    players      = { from = "balancer", to = "server", port = 3001 }
    drain        = { from = "drain", to = "server", port = 3002 }
    journal      = { from = "server", to = "database", port = 5432 }
    hints        = { from = "server", to = "cache", port = 6379 }
    traffic_test = { from = null, to = "balancer", port = 8443 }
  }
  group_ids = {
    balancer = aws_security_group.balancer.id
    server   = aws_security_group.server.id
    database = aws_security_group.database.id
    cache    = aws_security_group.cache.id
    drain    = aws_security_group.drain.id
  }
}

resource "aws_security_group" "balancer" {
  #checkov:skip=CKV2_AWS_5:Attached to the load balancer, in a module beside this one
  name        = "${var.name}-balancer"
  description = "The load balancer"
  vpc_id      = aws_vpc.this.id
}

resource "aws_security_group" "server" {
  #checkov:skip=CKV2_AWS_5:Attached to the servers, in a module beside this one
  name        = "${var.name}-server"
  description = "Game servers and migrations"
  vpc_id      = aws_vpc.this.id
}

resource "aws_security_group" "database" {
  #checkov:skip=CKV2_AWS_5:Attached to the database, in a module beside this one
  name        = "${var.name}-database"
  description = "Postgres"
  vpc_id      = aws_vpc.this.id
}

resource "aws_security_group" "cache" {
  #checkov:skip=CKV2_AWS_5:Attached to the cache, in a module beside this one
  name        = "${var.name}-cache"
  description = "Redis"
  vpc_id      = aws_vpc.this.id
}

resource "aws_security_group" "drain" {
  #checkov:skip=CKV2_AWS_5:Attached to the function that asks servers to drain, in a module beside this one
  name        = "${var.name}-drain"
  description = "Asks servers to drain"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "inside" {
  for_each                     = local.inside
  security_group_id            = local.group_ids[each.value.to]
  referenced_security_group_id = each.value.from == null ? null : local.group_ids[each.value.from]
  cidr_ipv4                    = each.value.from == null ? aws_vpc.this.cidr_block : null
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${each.value.from == null ? "this VPC" : each.value.from} to ${each.value.to}"
}

resource "aws_vpc_security_group_egress_rule" "inside" {
  for_each                     = { for name, rule in local.inside : name => rule if rule.from != null }
  security_group_id            = local.group_ids[each.value.from]
  referenced_security_group_id = local.group_ids[each.value.to]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${each.value.from} to ${each.value.to}"
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  security_group_id = aws_security_group.balancer.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "Players"
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  #checkov:skip=CKV_AWS_260:Browsers that are given a name without https:// come here and are sent to port 443
  security_group_id = aws_security_group.balancer.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  description       = "Players, who are sent to HTTPS"
}

# Images, secrets, logs and pictures; keys of ID tokens, error reports, traces, webhooks; mail by 465 and 587.
resource "aws_vpc_security_group_egress_rule" "internet" {
  for_each          = toset(["443", "465", "587"])
  security_group_id = aws_security_group.server.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.value)
  to_port           = tonumber(each.value)
  description       = "Services of others, by TLS"
}

resource "aws_vpc_security_group_ingress_rule" "operators" {
  for_each = {
    for pair in setproduct(var.operator_security_group_ids, [3002, 9464]) : "${pair[0]}-${pair[1]}" => pair
  }
  security_group_id            = aws_security_group.server.id
  referenced_security_group_id = each.value[0]
  ip_protocol                  = "tcp"
  from_port                    = each.value[1]
  to_port                      = each.value[1]
  description                  = "Operators and Prometheus"
}
