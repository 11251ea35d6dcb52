# 1,000 to 10,000 users, 1,000 of them at once: 280 dollars a month. A server and a database machine may go.
sizes = {
  server_millicores   = 250
  server_memory_mib   = 512
  servers_min         = 2
  database_class      = "db.t4g.medium"
  database_storage_gb = 40
  database_is_doubled = true
  cache_class         = "cache.t4g.micro"
  nat_gateways        = 1
  monthly_budget_usd  = 280
}
