# One customer-managed key for everything that holds LangSmith's data: Kubernetes Secrets, database, cache, bucket
# and Secrets Manager. The key policy hands control to the account's IAM; the roles say who may use it for what.

resource "aws_kms_key" "this" {
  description             = "LangSmith data of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AccountDecidesByIam"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}
