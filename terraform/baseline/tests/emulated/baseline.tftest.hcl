# The root refuses what would cost money or nerves. Its modules use ephemeral resources, which mock providers do not
# know: these runs need an emulator behind AWS_ENDPOINT_URL. They only ever plan.

variables {
  region           = "us-east-1"
  environment      = "test"
  owner            = "somebody"
  lab              = "unit"
  expires          = "2099-12-31"
  domain           = "example.org"
  host             = "langsmith.example.org"
  api_access_cidrs = []
}

run "what_is_right_is_planned" {
  command = plan

  assert {
    condition     = output.cluster_name == "hallmark-test-eks" && output.secret_prefix == "hallmark-test/"
    error_message = "Names are made of prefix and environment."
  }
}

run "missing_owner_is_refused" {
  command = plan

  variables {
    owner = " "
  }

  expect_failures = [var.owner]
}

run "missing_lab_is_refused" {
  command = plan

  variables {
    lab = ""
  }

  expect_failures = [var.lab]
}

run "impossible_expiry_is_refused" {
  command = plan

  variables {
    expires = "2027-02-30"
  }

  expect_failures = [var.expires]
}

run "upper_case_prefix_is_refused" {
  command = plan

  variables {
    name_prefix = "Hallmark"
  }

  expect_failures = [var.name_prefix]
}

run "long_environment_is_refused" {
  command = plan

  variables {
    environment = "productionofeverything"
  }

  expect_failures = [var.environment]
}

run "retention_cloudwatch_does_not_know_is_refused" {
  command = plan

  variables {
    log_retention_days = 10
  }

  expect_failures = [var.log_retention_days]
}
