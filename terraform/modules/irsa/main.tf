# One IAM role for Kubernetes service accounts. The trust names every service account in full: no wildcard, so a pod
# of another workload in the same namespace cannot take the role.

locals {
  issuer   = split(":oidc-provider/", var.oidc_provider_arn)[1]
  subjects = [for account in var.service_accounts : "system:serviceaccount:${account}"]
}

resource "aws_iam_role" "this" {
  name        = var.name
  description = var.description

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = var.oidc_provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.issuer}:aud" = "sts.amazonaws.com"
          "${local.issuer}:sub" = local.subjects
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  count = var.policy == null ? 0 : 1

  name   = "permissions"
  role   = aws_iam_role.this.name
  policy = var.policy
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = toset(var.managed_policy_arns)

  role       = aws_iam_role.this.name
  policy_arn = each.value
}
