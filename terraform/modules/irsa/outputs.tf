output "role_arn" {
  description = "ARN for the service accounts' annotation eks.amazonaws.com/role-arn."
  value       = aws_iam_role.this.arn

  # A role without its permissions is of no use to whoever takes the ARN.
  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy_attachment.this]
}

output "policy" {
  description = "The inline policy, as JSON, for whoever reviews it."
  value       = var.policy
}
