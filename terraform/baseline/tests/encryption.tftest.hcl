# The key rotates, and nobody loses it within a week.

mock_provider "aws" {}

variables {
  name                 = "hallmark-test"
  account_id           = "111122223333"
  deletion_window_days = 30
}

run "key" {
  command = plan

  module {
    source = "../modules/encryption"
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key rotates."
  }

  assert {
    condition     = jsondecode(aws_kms_key.this.policy).Statement[*].Principal == [{ AWS = "arn:aws:iam::111122223333:root" }]
    error_message = "Only the account itself is named in the key policy."
  }
}

run "short_window_is_refused" {
  command = plan

  module {
    source = "../modules/encryption"
  }

  variables {
    deletion_window_days = 1
  }

  expect_failures = [var.deletion_window_days]
}
