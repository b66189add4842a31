# Every secret of the deployment, in Secrets Manager under one prefix. Values are generated while applying and handed
# over write-only: neither the plan nor the state ever holds them.

locals {
  # Letters and digits only: these end up in connection URLs, where other characters would need encoding.
  plain = { length = 48, exclude_punctuation = true, exclude_characters = "" }

  generated = merge(
    {
      # Salt of API keys and of tokens between services. Changing it invalidates every API key.
      api-key-salt = local.plain
      # Signs login sessions. Changing it logs everybody out.
      jwt-secret          = local.plain
      postgres-password   = local.plain
      redis-auth-token    = local.plain
      clickhouse-password = local.plain
      # LangSmith demands lower and upper case and a symbol. Left out: what shells, YAML and URLs trip over.
      initial-org-admin-password = { length = 24, exclude_punctuation = false, exclude_characters = "\"'`\\/@$%&#?:;<>|{}[]()*~^, " }
    },
    var.license_stand_in ? { langsmith-license-key = local.plain } : {},
  )
}

ephemeral "aws_secretsmanager_random_password" "this" {
  for_each = local.generated

  password_length            = each.value.length
  exclude_punctuation        = each.value.exclude_punctuation
  exclude_characters         = each.value.exclude_characters
  require_each_included_type = true
}

resource "aws_secretsmanager_secret" "this" {
  # The license key's secret always exists. Its value is the operator's to put in, unless a stand-in will do.
  for_each = toset(concat(keys(local.generated), ["langsmith-license-key"]))

  name                    = "${var.prefix}${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = local.generated

  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
  secret_string_wo_version = 1
}

# Read back rather than passed on: should an apply stop half-way, the next one generates other values, and database and
# secret would no longer agree.
ephemeral "aws_secretsmanager_secret_version" "postgres_password" {
  secret_id = aws_secretsmanager_secret_version.this["postgres-password"].arn
}
