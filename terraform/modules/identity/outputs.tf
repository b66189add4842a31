output "application_role_arn" {
  description = "Role of the LangSmith services."
  value       = module.application.role_arn
}

output "lb_controller_role_arn" {
  description = "Role of the AWS Load Balancer Controller."
  value       = module.load_balancer_controller.role_arn
}

output "cluster_autoscaler_role_arn" {
  description = "Role of Cluster Autoscaler."
  value       = module.cluster_autoscaler.role_arn
}

output "external_secrets_role_arn" {
  description = "Role of External Secrets Operator."
  value       = module.external_secrets.role_arn
}

output "external_dns_role_arn" {
  description = "Role of external-dns."
  value       = module.external_dns.role_arn
}

output "policies" {
  description = "The inline policies by role, as JSON, for whoever reviews them."
  value = {
    application              = module.application.policy
    cluster_autoscaler       = module.cluster_autoscaler.policy
    external_dns             = module.external_dns.policy
    external_secrets         = module.external_secrets.policy
    load_balancer_controller = module.load_balancer_controller.policy
  }
}
