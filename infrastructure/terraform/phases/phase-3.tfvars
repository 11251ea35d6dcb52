# 10,000 to 50,000 users, 5,000 of them at once: 1,000 dollars a month. A whole availability zone may go.
sizes = {
  server_millicores   = 250
  server_memory_mib   = 512
  servers_min         = 3
  database_class      = "db.m6g.large"
  database_storage_gb = 200
  database_is_doubled = true
  cache_class         = "cache.t4g.small"
  nat_gateways        = 2
  monthly_budget_usd  = 1000
}
