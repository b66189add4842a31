# AWS Load Balancer Controller. The published policy reaches every load balancer of the account. This one reaches what
# carries this cluster's tag or the controller's own name prefix, in this region and account, and only the pieces the
# reference uses: application load balancers, one web ACL, ACM certificates. No classic WAF, Shield or Cognito.

locals {
  elb      = "arn:aws:elasticloadbalancing:${var.region}:${var.account_id}"
  ec2      = "arn:aws:ec2:${var.region}:${var.account_id}"
  requests = { "aws:RequestTag/elbv2.k8s.aws/cluster" = var.cluster_name }

  # Listeners and rules do not carry the cluster tag in every controller version: the name prefix limits them.
  listeners = ["${local.elb}:listener/app/k8s-*", "${local.elb}:listener-rule/app/k8s-*"]
  balancers = ["${local.elb}:loadbalancer/app/k8s-*", "${local.elb}:targetgroup/k8s-*"]
}

module "load_balancer_controller" {
  source = "../irsa"

  name              = "${var.cluster_name}-lb-controller"
  description       = "AWS Load Balancer Controller: the load balancers of this cluster's Ingresses"
  oidc_provider_arn = var.oidc_provider_arn
  service_accounts  = ["kube-system:aws-load-balancer-controller"]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Describe actions cannot be limited to a resource.
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "acm:DescribeCertificate",
          "acm:ListCertificates",
          "ec2:DescribeAccountAttributes",
          "ec2:DescribeAddresses",
          "ec2:DescribeAvailabilityZones",
          "ec2:DescribeInstances",
          "ec2:DescribeInternetGateways",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeRouteTables",
          "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets",
          "ec2:DescribeTags",
          "ec2:DescribeVpcs",
          "ec2:GetSecurityGroupsForVpc",
          "elasticloadbalancing:DescribeCapacityReservation",
          "elasticloadbalancing:DescribeListenerAttributes",
          "elasticloadbalancing:DescribeListenerCertificates",
          "elasticloadbalancing:DescribeListeners",
          "elasticloadbalancing:DescribeLoadBalancerAttributes",
          "elasticloadbalancing:DescribeLoadBalancers",
          "elasticloadbalancing:DescribeRules",
          "elasticloadbalancing:DescribeSSLPolicies",
          "elasticloadbalancing:DescribeTags",
          "elasticloadbalancing:DescribeTargetGroupAttributes",
          "elasticloadbalancing:DescribeTargetGroups",
          "elasticloadbalancing:DescribeTargetHealth",
          "elasticloadbalancing:DescribeTrustStores",
          "wafv2:GetWebACLForResource",
        ]
        Resource = "*"
      },
      {
        Sid       = "FirstLoadBalancerOfTheAccount"
        Effect    = "Allow"
        Action    = "iam:CreateServiceLinkedRole"
        Resource  = "arn:aws:iam::${var.account_id}:role/aws-service-role/elasticloadbalancing.amazonaws.com/*"
        Condition = { StringEquals = { "iam:AWSServiceName" = "elasticloadbalancing.amazonaws.com" } }
      },
      {
        Sid       = "CreateWithTheClusterTag"
        Effect    = "Allow"
        Action    = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"]
        Resource  = local.balancers
        Condition = { StringEquals = local.requests }
      },
      {
        Sid      = "TagWhileCreating"
        Effect   = "Allow"
        Action   = "elasticloadbalancing:AddTags"
        Resource = concat(local.balancers, local.listeners)
        Condition = {
          StringEquals = merge(local.requests, {
            "elasticloadbalancing:CreateAction" = ["CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "CreateRule"]
          })
        }
      },
      {
        Sid    = "ChangeWhatCarriesTheClusterTag"
        Effect = "Allow"
        Action = [
          "elasticloadbalancing:AddTags",
          "elasticloadbalancing:CreateListener",
          "elasticloadbalancing:DeleteLoadBalancer",
          "elasticloadbalancing:DeleteTargetGroup",
          "elasticloadbalancing:DeregisterTargets",
          "elasticloadbalancing:ModifyLoadBalancerAttributes",
          "elasticloadbalancing:ModifyTargetGroup",
          "elasticloadbalancing:ModifyTargetGroupAttributes",
          "elasticloadbalancing:RegisterTargets",
          "elasticloadbalancing:RemoveTags",
          "elasticloadbalancing:SetIpAddressType",
          "elasticloadbalancing:SetSecurityGroups",
          "elasticloadbalancing:SetSubnets",
          "elasticloadbalancing:SetWebAcl",
        ]
        Resource  = local.balancers
        Condition = { StringEquals = local.cluster_tag }
      },
      {
        Sid    = "ListenersAndRules"
        Effect = "Allow"
        Action = [
          "elasticloadbalancing:AddListenerCertificates",
          "elasticloadbalancing:AddTags",
          "elasticloadbalancing:CreateRule",
          "elasticloadbalancing:DeleteListener",
          "elasticloadbalancing:DeleteRule",
          "elasticloadbalancing:ModifyListener",
          "elasticloadbalancing:ModifyListenerAttributes",
          "elasticloadbalancing:ModifyRule",
          "elasticloadbalancing:RemoveListenerCertificates",
          "elasticloadbalancing:RemoveTags",
          "elasticloadbalancing:SetRulePriorities",
        ]
        Resource = local.listeners
      },
      {
        Sid      = "AttachTheWebAcl"
        Effect   = "Allow"
        Action   = ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:GetWebACL"]
        Resource = [var.web_acl_arn, "${local.elb}:loadbalancer/app/k8s-*"]
      },
      {
        Sid       = "CreateSecurityGroupsWithTheClusterTag"
        Effect    = "Allow"
        Action    = "ec2:CreateSecurityGroup"
        Resource  = "${local.ec2}:security-group/*"
        Condition = { StringEquals = local.requests }
      },
      {
        Sid      = "CreateSecurityGroupsInThisVpc"
        Effect   = "Allow"
        Action   = "ec2:CreateSecurityGroup"
        Resource = "${local.ec2}:vpc/${var.vpc_id}"
      },
      {
        Sid       = "TagNewSecurityGroups"
        Effect    = "Allow"
        Action    = "ec2:CreateTags"
        Resource  = "${local.ec2}:security-group/*"
        Condition = { StringEquals = merge(local.requests, { "ec2:CreateAction" = "CreateSecurityGroup" }) }
      },
      {
        Sid       = "ChangeSecurityGroupsWithTheClusterTag"
        Effect    = "Allow"
        Action    = ["ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup", "ec2:RevokeSecurityGroupIngress"]
        Resource  = "${local.ec2}:security-group/*"
        Condition = { StringEquals = local.cluster_tag }
      },
      {
        Sid      = "OpenTheNodesToTheLoadBalancer"
        Effect   = "Allow"
        Action   = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
        Resource = "${local.ec2}:security-group/${var.node_security_group_id}"
      },
    ]
  })
}
