# Redis takes TLS and a token only, keeps snapshots, and is reachable from the cluster only.

mock_provider "aws" {
  override_data {
    target = data.aws_secretsmanager_secret_version.auth_token
    values = { secret_string = "0123456789abcdef0123456789abcdef" }
  }
}

variables {
  name                   = "hallmark-test"
  vpc_id                 = "vpc-1"
  private_subnet_ids     = ["subnet-a", "subnet-b", "subnet-c"]
  node_security_group_id = "sg-nodes"
  kms_key_arn            = "arn:aws:kms:us-east-1:111122223333:key/k"
  auth_token_secret_arn  = "arn:aws:secretsmanager:us-east-1:111122223333:secret:hallmark-test/redis-auth-token-AbCdEf"
  secret_prefix          = "hallmark-test/"
  secret_recovery_days   = 30
  node_type              = "cache.m6g.large"
}

run "cache" {
  command = plan

  module {
    source = "../modules/cache"
  }

  assert {
    condition     = aws_elasticache_replication_group.this.engine == "redis" && aws_elasticache_replication_group.this.engine_version == "7.1"
    error_message = "Redis OSS 7.1."
  }

  assert {
    condition = (
      aws_elasticache_replication_group.this.transit_encryption_enabled
      && aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true"
      && nonsensitive(aws_elasticache_replication_group.this.auth_token == "0123456789abcdef0123456789abcdef")
    )
    error_message = "TLS, encryption at rest, and the token from Secrets Manager."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.snapshot_retention_limit >= 1
    error_message = "Snapshots are kept."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.nodes.referenced_security_group_id == "sg-nodes"
      && aws_vpc_security_group_ingress_rule.nodes.cidr_ipv4 == null
      && aws_vpc_security_group_ingress_rule.nodes.cidr_ipv6 == null
      && aws_vpc_security_group_ingress_rule.nodes.from_port == 6379
      && aws_vpc_security_group_ingress_rule.nodes.to_port == 6379
    )
    error_message = "Nodes and pods may connect to 6379, no network may."
  }
}

run "no_snapshots_are_refused" {
  command = plan

  module {
    source = "../modules/cache"
  }

  variables {
    snapshot_retention_days = 0
  }

  expect_failures = [var.snapshot_retention_days]
}

run "evicting_everything_is_refused" {
  command = plan

  module {
    source = "../modules/cache"
  }

  variables {
    maxmemory_policy = "allkeys-lru"
  }

  expect_failures = [var.maxmemory_policy]
}
