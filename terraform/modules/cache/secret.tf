# ElastiCache takes its AUTH token only as an ordinary argument: this one value does stand in the state. Keep the state
# encrypted. The token itself is generated in Secrets Manager and read from there, never typed.

data "aws_secretsmanager_secret_version" "auth_token" {
  secret_id = var.auth_token_secret_arn
}

resource "aws_secretsmanager_secret" "connection_url" {
  name                    = "${var.secret_prefix}redis-connection-url"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "connection_url" {
  secret_id = aws_secretsmanager_secret.connection_url.id
  secret_string_wo = join("", [
    "rediss://:${data.aws_secretsmanager_secret_version.auth_token.secret_string}",
    "@${aws_elasticache_replication_group.this.primary_endpoint_address}:${aws_elasticache_replication_group.this.port}",
  ])
  secret_string_wo_version = 1
}
