# The bucket is private, encrypted, TLS only, and its lifecycle matches LangSmith's retention.

mock_provider "aws" {}

variables {
  name          = "hallmark-test"
  account_id    = "111122223333"
  region        = "us-east-1"
  kms_key_arn   = "arn:aws:kms:us-east-1:111122223333:key/k"
  force_destroy = false
}

run "bucket" {
  command = plan

  module {
    source = "../modules/storage"
  }

  override_resource {
    target          = aws_s3_bucket.this
    override_during = plan
    values          = { arn = "arn:aws:s3:::hallmark-test-traces-111122223333-us-east-1" }
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "All four public-access blocks are on."
  }

  assert {
    condition = alltrue([
      for r in aws_s3_bucket_server_side_encryption_configuration.this.rule :
      r.bucket_key_enabled && one(r.apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
      && one(r.apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    ])
    error_message = "Encrypted with the given key, by a bucket key."
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.tls_only.policy).Statement[0] == {
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource = [
        "arn:aws:s3:::hallmark-test-traces-111122223333-us-east-1",
        "arn:aws:s3:::hallmark-test-traces-111122223333-us-east-1/*",
      ]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
    error_message = "Every request without TLS is denied, on the bucket and on its objects."
  }

  assert {
    condition = {
      for r in aws_s3_bucket_lifecycle_configuration.this.rule : one(r.filter).prefix => one(r.expiration).days
      if length(r.expiration) == 1
    } == { "ttl_s/" = 14, "ttl_l/" = 400 }
    error_message = "14 days under ttl_s/, 400 under ttl_l/."
  }
}

run "rule_shorter_than_short_retention_is_refused" {
  command = plan

  module {
    source = "../modules/storage"
  }

  variables {
    short_lived_days = 7
  }

  expect_failures = [var.short_lived_days]
}

run "rule_shorter_than_long_retention_is_refused" {
  command = plan

  module {
    source = "../modules/storage"
  }

  variables {
    long_lived_days = 30
  }

  expect_failures = [var.long_lived_days]
}
