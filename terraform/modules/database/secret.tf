# What LangSmith connects with. Written, never read: the URL stays out of plan and state.

resource "aws_secretsmanager_secret" "connection_url" {
  name                    = "${var.secret_prefix}postgres-connection-url"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "connection_url" {
  secret_id = aws_secretsmanager_secret.connection_url.id
  secret_string_wo = join("", [
    "postgres://${aws_db_instance.this.username}:",
    var.password,
    "@${aws_db_instance.this.endpoint}/${aws_db_instance.this.db_name}?sslmode=require",
  ])
  secret_string_wo_version = 1
}
