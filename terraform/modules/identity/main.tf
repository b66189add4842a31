# IAM roles of what runs in the cluster, each with the least it needs. The load-balancer controller has a file of its
# own. EBS CSI driver and CloudWatch agent are EKS add-ons: their roles are in the cluster module.

locals {
  cluster_tag = { "aws:ResourceTag/elbv2.k8s.aws/cluster" = var.cluster_name }
}

module "application" {
  source = "../irsa"

  name              = "${var.cluster_name}-langsmith"
  description       = "LangSmith services: objects of the trace bucket, nothing else"
  oidc_provider_arn = var.oidc_provider_arn
  service_accounts  = [for name in var.application_service_accounts : "${var.application_namespace}:${name}"]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Objects"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        Resource = "${var.bucket_arn}/*"
      },
      {
        Sid      = "Listing"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = var.bucket_arn
      },
      {
        # Without this every write to a bucket with SSE-KMS ends in AccessDenied on kms:GenerateDataKey.
        Sid       = "ObjectKeys"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = var.kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" } }
      },
    ]
  })
}

module "external_secrets" {
  source = "../irsa"

  name              = "${var.cluster_name}-external-secrets"
  description       = "External Secrets Operator: read this deployment's secrets"
  oidc_provider_arn = var.oidc_provider_arn
  service_accounts  = ["external-secrets:external-secrets"]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "SecretsOfThisDeployment"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
        Resource = "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret:${var.secret_prefix}*"
      },
      {
        Sid       = "SecretKeys"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = var.kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
      },
    ]
  })
}

module "cluster_autoscaler" {
  source = "../irsa"

  name              = "${var.cluster_name}-cluster-autoscaler"
  description       = "Cluster Autoscaler: resize the Auto Scaling groups of this cluster"
  oidc_provider_arn = var.oidc_provider_arn
  service_accounts  = ["kube-system:cluster-autoscaler"]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # None of these actions can be limited to a resource.
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "autoscaling:DescribeAutoScalingGroups",
          "autoscaling:DescribeAutoScalingInstances",
          "autoscaling:DescribeLaunchConfigurations",
          "autoscaling:DescribeScalingActivities",
          "autoscaling:DescribeTags",
          "ec2:DescribeImages",
          "ec2:DescribeInstanceTypes",
          "ec2:DescribeLaunchTemplateVersions",
          "ec2:GetInstanceTypesFromInstanceRequirements",
        ]
        Resource = "*"
      },
      {
        Sid      = "LookAtNodeGroups"
        Effect   = "Allow"
        Action   = "eks:DescribeNodegroup"
        Resource = "arn:aws:eks:${var.region}:${var.account_id}:nodegroup/${var.cluster_name}/*"
      },
      {
        Sid       = "ResizeGroupsOfThisCluster"
        Effect    = "Allow"
        Action    = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
        Resource  = "arn:aws:autoscaling:${var.region}:${var.account_id}:autoScalingGroup:*"
        Condition = { StringEquals = { "aws:ResourceTag/k8s.io/cluster-autoscaler/${var.cluster_name}" = "owned" } }
      },
    ]
  })
}

module "external_dns" {
  source = "../irsa"

  name              = "${var.cluster_name}-external-dns"
  description       = "external-dns: keep the host's alias on the Ingress's load balancer"
  oidc_provider_arn = var.oidc_provider_arn
  service_accounts  = ["external-dns:external-dns"]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "RecordsOfTheZone"
        Effect   = "Allow"
        Action   = ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:ListTagsForResource"]
        Resource = "arn:aws:route53:::hostedzone/${var.zone_id}"
      },
      {
        # external-dns finds its zone by listing; listing cannot be limited to one zone.
        Sid      = "FindTheZone"
        Effect   = "Allow"
        Action   = "route53:ListHostedZones"
        Resource = "*"
      },
    ]
  })
}
