# Least privilege: each role reaches this deployment and nothing beside it.

mock_provider "aws" {}

variables {
  region                       = "us-east-1"
  account_id                   = "111122223333"
  cluster_name                 = "hallmark-test-eks"
  oidc_provider_arn            = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"
  vpc_id                       = "vpc-1"
  node_security_group_id       = "sg-nodes"
  application_namespace        = "langsmith"
  application_service_accounts = ["langsmith-backend", "langsmith-queue"]
  bucket_arn                   = "arn:aws:s3:::bucket"
  kms_key_arn                  = "arn:aws:kms:us-east-1:111122223333:key/k"
  secret_prefix                = "hallmark-test/"
  web_acl_arn                  = "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/w/1"
  zone_id                      = "Z1"
}

run "roles" {
  command = plan

  module {
    source = "../modules/identity"
  }

  assert {
    condition = toset(flatten([
      for s in jsondecode(output.policies.application).Statement : s.Resource
      ])) == toset([
      "arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*", "arn:aws:kms:us-east-1:111122223333:key/k",
    ])
    error_message = "The application reaches its bucket and the bucket's key."
  }

  assert {
    condition = alltrue([
      for s in jsondecode(output.policies.external_secrets).Statement : s.Action == "kms:Decrypt"
      || s.Resource == "arn:aws:secretsmanager:us-east-1:111122223333:secret:hallmark-test/*"
    ])
    error_message = "External Secrets reads this deployment's secrets only."
  }

  # An action on every resource may look, list or describe. Whatever changes something names its resources.
  assert {
    condition = alltrue(flatten([
      for policy in values(output.policies) : [
        for s in jsondecode(policy).Statement : [
          for action in flatten([s.Action]) : can(regex(":(Describe|List|Get)", action))
        ] if s.Resource == "*"
      ]
    ]))
    error_message = "No action that changes something may have Resource \"*\"."
  }

  assert {
    condition = alltrue(flatten([
      for policy in values(output.policies) : [
        for s in jsondecode(policy).Statement : [for action in flatten([s.Action]) : !strcontains(action, "*")]
      ]
    ]))
    error_message = "Actions are named in full."
  }

  assert {
    condition = alltrue([
      for s in jsondecode(output.policies.cluster_autoscaler).Statement :
      s.Condition.StringEquals["aws:ResourceTag/k8s.io/cluster-autoscaler/hallmark-test-eks"] == "owned"
      if can(s.Condition)
      ]) && length([
      for s in jsondecode(output.policies.cluster_autoscaler).Statement : s if can(s.Condition)
    ]) == 1
    error_message = "Cluster Autoscaler resizes groups of this cluster only."
  }
}

run "empty_secret_prefix_is_refused" {
  command = plan

  module {
    source = "../modules/identity"
  }

  variables {
    secret_prefix = ""
  }

  expect_failures = [var.secret_prefix]
}
