# What the second step needs: Helm values, the Ingress's annotations, the controllers' service accounts.

output "region" {
  description = "AWS region."
  value       = var.region
}

output "account_id" {
  description = "AWS account."
  value       = local.account_id
}

output "cluster_name" {
  description = "EKS cluster."
  value       = module.cluster.cluster_name
}

output "cluster_endpoint" {
  description = "URL of the Kubernetes API."
  value       = module.cluster.cluster_endpoint
}

output "oidc_provider_arn" {
  description = "IAM OIDC provider of the cluster."
  value       = module.cluster.oidc_provider_arn
}

output "vpc_id" {
  description = "VPC."
  value       = module.network.vpc_id
}

output "public_subnet_ids" {
  description = "Subnets of load balancers and NAT gateways."
  value       = module.network.public_subnet_ids
}

output "private_subnet_ids" {
  description = "Subnets of nodes and data stores."
  value       = module.network.private_subnet_ids
}

output "host" {
  description = "Host name of LangSmith."
  value       = var.host
}

output "zone_id" {
  description = "Route 53 zone."
  value       = module.edge.zone_id
}

output "name_servers" {
  description = "Name servers to delegate the domain to; empty for a zone that existed before."
  value       = module.edge.name_servers
}

output "certificate_arn" {
  description = "ACM certificate for the Ingress annotation certificate-arn."
  value       = module.edge.certificate_arn
}

output "web_acl_arn" {
  description = "Web ACL for the Ingress annotation wafv2-acl-arn."
  value       = module.edge.web_acl_arn
}

output "alb_security_group_id" {
  description = "Security group for the Ingress annotation security-groups."
  value       = module.edge.alb_security_group_id
}

output "node_security_group_id" {
  description = "Security group of nodes and pods."
  value       = module.cluster.node_security_group_id
}

output "bucket_name" {
  description = "Bucket for trace payloads."
  value       = module.storage.bucket_name
}

output "database_endpoint" {
  description = "host:port of PostgreSQL."
  value       = module.database.endpoint
}

output "cache_endpoint" {
  description = "Host name of Redis."
  value       = module.cache.endpoint
}

output "application_role_arn" {
  description = "Role of the four LangSmith service accounts that use the bucket."
  value       = module.identity.application_role_arn
}

output "lb_controller_role_arn" {
  description = "Role of the AWS Load Balancer Controller."
  value       = module.identity.lb_controller_role_arn
}

output "cluster_autoscaler_role_arn" {
  description = "Role of Cluster Autoscaler."
  value       = module.identity.cluster_autoscaler_role_arn
}

output "external_secrets_role_arn" {
  description = "Role of External Secrets Operator."
  value       = module.identity.external_secrets_role_arn
}

output "external_dns_role_arn" {
  description = "Role of external-dns."
  value       = module.identity.external_dns_role_arn
}

output "ebs_csi_role_arn" {
  description = "Role of the EBS CSI driver."
  value       = module.cluster.ebs_csi_role_arn
}

output "cloudwatch_role_arn" {
  description = "Role of the CloudWatch agent."
  value       = module.cluster.cloudwatch_role_arn
}

output "secret_prefix" {
  description = "Prefix of the deployment's secrets in Secrets Manager."
  value       = local.secret_prefix
}

output "alarm_topic_arn" {
  description = "SNS topic of the alarms."
  value       = module.observability.alarm_topic_arn
}
