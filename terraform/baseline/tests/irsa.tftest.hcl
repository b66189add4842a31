# A role's trust names service accounts in full, and asks for the right audience.

mock_provider "aws" {}

variables {
  name              = "hallmark-test"
  description       = "Test"
  oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"
  service_accounts  = ["langsmith:langsmith-backend", "langsmith:langsmith-queue"]
}

run "trust" {
  command = plan

  module {
    source = "../modules/irsa"
  }

  assert {
    condition = (
      jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition
      == {
        StringEquals = {
          "oidc.eks.us-east-1.amazonaws.com/id/ABC:aud" = "sts.amazonaws.com"
          "oidc.eks.us-east-1.amazonaws.com/id/ABC:sub" = [
            "system:serviceaccount:langsmith:langsmith-backend",
            "system:serviceaccount:langsmith:langsmith-queue",
          ]
        }
      }
    )
    error_message = "The trust names exactly the given service accounts."
  }

  assert {
    condition     = length(aws_iam_role_policy.this) == 0
    error_message = "No policy given, none made."
  }
}

run "wildcard_service_account_is_refused" {
  command = plan

  module {
    source = "../modules/irsa"
  }

  variables {
    service_accounts = ["langsmith:*"]
  }

  expect_failures = [var.service_accounts]
}
