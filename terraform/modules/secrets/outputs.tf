# Read from the versions, so that whoever uses a secret waits for its value.

output "postgres_password" {
  description = "The database master password as Secrets Manager holds it. Ephemeral: never in plan or state."
  value       = ephemeral.aws_secretsmanager_secret_version.postgres_password.secret_string
  ephemeral   = true
  sensitive   = true
}

output "redis_auth_token_secret_arn" {
  description = "Secret with the cache's AUTH token."
  value       = aws_secretsmanager_secret_version.this["redis-auth-token"].arn
}

output "secret_names" {
  description = "Names of the secrets made here."
  value       = [for secret in aws_secretsmanager_secret.this : secret.name]
}
