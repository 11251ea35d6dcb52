# 0 to 1,000 users, 100 of them at once: 70 dollars a month. Nothing is doubled, and servers reach the internet by addresses of
# their own, because a NAT gateway alone costs 33.
sizes = {
  server_millicores   = 250
  server_memory_mib   = 512
  servers_min         = 1
  database_class      = "db.t4g.micro"
  database_storage_gb = 20
  database_is_doubled = false
  cache_class         = null
  nat_gateways        = 0
  monthly_budget_usd  = 70
}
