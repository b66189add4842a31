output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_eks_cluster.this.name
}

output "cluster_endpoint" {
  description = "URL of the Kubernetes API."
  value       = aws_eks_cluster.this.endpoint
}

output "oidc_provider_arn" {
  description = "ARN of the IAM OIDC provider, for roles of service accounts."
  value       = aws_iam_openid_connect_provider.this.arn
}

output "node_security_group_id" {
  description = "The cluster security group EKS makes. Nodes, pods and the control plane are in it."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "ebs_csi_role_arn" {
  description = "Role of the EBS CSI driver."
  value       = module.ebs_csi_role.role_arn
}

output "cloudwatch_role_arn" {
  description = "Role of the CloudWatch agent."
  value       = module.cloudwatch_role.role_arn
}
