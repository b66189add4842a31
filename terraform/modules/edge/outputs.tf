output "zone_id" {
  description = "Id of the zone, made here or given."
  value       = local.zone_id
}

output "name_servers" {
  description = "Name servers to delegate the domain to; empty for a zone that existed before."
  value       = var.create_zone ? aws_route53_zone.this[0].name_servers : []
}

output "certificate_arn" {
  description = "ARN of the certificate, once it is issued."
  value       = aws_acm_certificate_validation.this.certificate_arn
}

output "web_acl_arn" {
  description = "ARN of the web ACL."
  value       = aws_wafv2_web_acl.this.arn
}

output "alb_security_group_id" {
  description = "Security group for the Ingress's load balancer."
  value       = aws_security_group.alb.id
}

output "health_check_id" {
  description = "Id of the Route 53 health check, the dimension of its metrics."
  value       = aws_route53_health_check.info.id
}
