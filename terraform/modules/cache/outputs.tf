output "endpoint" {
  description = "Host name of the primary node."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "node_id" {
  description = "Cache cluster id of the one node, the dimension of its metrics."
  value       = "${aws_elasticache_replication_group.this.id}-001"
}

output "security_group_id" {
  description = "Security group of the cache."
  value       = aws_security_group.this.id
}
