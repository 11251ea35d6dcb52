output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "All its addresses."
  value       = aws_vpc.this.cidr_block
}

output "public_subnets" {
  description = "Subnets of the balancer, and of servers where there is no NAT gateway."
  value       = aws_subnet.public[*].id
}

output "public_cidrs" {
  description = "Addresses that the balancer may have."
  value       = aws_subnet.public[*].cidr_block
}

output "private_subnets" {
  description = "Subnets without an address in the internet."
  value       = aws_subnet.private[*].id
}

output "logs_bucket" {
  description = "Bucket for access logs; its policy lets the balancer write."
  value       = aws_s3_bucket.logs.id
  depends_on  = [aws_s3_bucket_policy.logs]
}

output "security_group_ids" {
  description = "The groups of balancer, server, database, cache and drain."
  value       = local.group_ids
}
