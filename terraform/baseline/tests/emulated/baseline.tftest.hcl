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

# A plan of the whole takes seconds, so that all settings are wrong at once; each has to be refused by itself.
run "each_wrong_setting_is_refused" {
  command = plan

  variables {
    owner              = " "
    lab                = ""
    expires            = "2027-02-30"
    name_prefix        = "Hallmark"
    environment        = "productionofeverything"
    log_retention_days = 10
  }

  expect_failures = [
    var.owner, var.lab, var.expires, var.name_prefix, var.environment, var.log_retention_days,
  ]
}
