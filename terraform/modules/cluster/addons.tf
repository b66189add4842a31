# What EKS itself installs and keeps patched. Versions are left to EKS: its default fits the cluster version.

module "ebs_csi_role" {
  source = "../irsa"

  name                = "${var.cluster_name}-ebs-csi"
  description         = "EBS CSI driver: creates and attaches the volumes of PersistentVolumeClaims"
  oidc_provider_arn   = aws_iam_openid_connect_provider.this.arn
  service_accounts    = ["kube-system:ebs-csi-controller-sa"]
  managed_policy_arns = ["arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"]
}

module "cloudwatch_role" {
  source = "../irsa"

  name                = "${var.cluster_name}-cloudwatch"
  description         = "CloudWatch agent and Fluent Bit: write logs and metrics"
  oidc_provider_arn   = aws_iam_openid_connect_provider.this.arn
  service_accounts    = ["amazon-cloudwatch:cloudwatch-agent"]
  managed_policy_arns = ["arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"]
}

locals {
  addons = {
    # The network-policy agent makes NetworkPolicy objects effective, such as the one that fences ClickHouse.
    vpc-cni        = { role_arn = null, configuration = jsonencode({ enableNetworkPolicy = "true" }) }
    coredns        = { role_arn = null, configuration = null }
    kube-proxy     = { role_arn = null, configuration = null }
    metrics-server = { role_arn = null, configuration = null }
    # Volumes of PersistentVolumeClaims outlive a destroy: the tags say whose they are.
    aws-ebs-csi-driver = {
      role_arn      = module.ebs_csi_role.role_arn
      configuration = jsonencode({ controller = { extraVolumeTags = data.aws_default_tags.this.tags } })
    }
    amazon-cloudwatch-observability = { role_arn = module.cloudwatch_role.role_arn, configuration = null }
  }
}

resource "aws_eks_addon" "this" {
  for_each = local.addons

  cluster_name             = aws_eks_cluster.this.name
  addon_name               = each.key
  service_account_role_arn = each.value.role_arn
  configuration_values     = each.value.configuration

  # A new cluster comes with self-managed copies of three of these; EKS takes them over.
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  # Most of them only become ACTIVE once pods can run.
  depends_on = [aws_eks_node_group.this]
}
