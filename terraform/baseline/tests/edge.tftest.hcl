# The edge limits rates, lets traces through, and asks for a certificate of the host.

mock_provider "aws" {
  override_resource {
    target          = aws_acm_certificate.this
    override_during = plan
    values = {
      domain_validation_options = [{
        domain_name           = "langsmith.example.org"
        resource_record_name  = "_1.langsmith.example.org."
        resource_record_type  = "CNAME"
        resource_record_value = "_2.acm-validations.aws."
      }]
    }
  }
}

variables {
  name                       = "hallmark-test"
  domain                     = "example.org"
  host                       = "langsmith.example.org"
  create_zone                = true
  force_destroy_zone         = false
  vpc_id                     = "vpc-1"
  node_security_group_id     = "sg-nodes"
  ingress_cidrs              = ["0.0.0.0/0"]
  waf_rate_limit             = 30000
  waf_ingestion_paths_exempt = true
}

run "web_acl" {
  command = plan

  module {
    source = "../modules/edge"
  }

  assert {
    condition = anytrue([
      for r in aws_wafv2_web_acl.this.rule :
      try(length(r.action[0].block) == 1, false)
      && try(r.statement[0].rate_based_statement[0].limit == 30000, false)
      && try(r.statement[0].rate_based_statement[0].aggregate_key_type == "IP", false)
    ])
    error_message = "One rule blocks addresses above the rate limit."
  }

  assert {
    condition = toset(flatten([
      for r in aws_wafv2_web_acl.this.rule : r.statement[0].managed_rule_group_statement[*].name
    ])) == toset(["AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesAmazonIpReputationList"])
    error_message = "Three groups of managed rules."
  }

  assert {
    condition = alltrue([
      for r in aws_wafv2_web_acl.this.rule : length(r.override_action[0].none) == 1
      if length(r.statement[0].managed_rule_group_statement) == 1
    ])
    error_message = "The managed rules act; they do not just count."
  }

  assert {
    condition = toset(flatten([
      for r in aws_wafv2_web_acl.this.rule : [
        for s in r.statement[0].managed_rule_group_statement[0].scope_down_statement[0].not_statement[0].statement[0].or_statement[0].statement :
        s.byte_match_statement[0].search_string
      ] if r.name == "AWSManagedRulesCommonRuleSet"
    ])) == toset(["/api/v1/runs", "/api/v1/otel/", "/api/runs"])
    error_message = "The common rules leave the ingestion paths alone."
  }

  assert {
    condition = alltrue([
      for r in aws_wafv2_web_acl.this.rule : length(r.statement[0].managed_rule_group_statement[0].scope_down_statement) == 0
      if length(r.statement[0].managed_rule_group_statement) == 1 && r.name != "AWSManagedRulesCommonRuleSet"
    ])
    error_message = "The other groups see every request."
  }
}

run "certificate_and_health" {
  command = plan

  module {
    source = "../modules/edge"
  }

  assert {
    condition     = aws_acm_certificate.this.domain_name == "langsmith.example.org" && aws_acm_certificate.this.validation_method == "DNS"
    error_message = "A certificate of the host, validated by DNS."
  }

  assert {
    condition = (
      aws_route53_record.certificate_validation.name == "_1.langsmith.example.org."
      && toset(aws_route53_record.certificate_validation.records) == toset(["_2.acm-validations.aws."])
    )
    error_message = "The zone holds the record ACM asks for."
  }

  assert {
    condition     = aws_route53_health_check.info.type == "HTTPS" && aws_route53_health_check.info.resource_path == "/api/v1/info"
    error_message = "The health check asks the application, not nginx."
  }
}

run "security_group" {
  command = plan

  module {
    source = "../modules/edge"
  }

  assert {
    condition     = toset([for r in aws_vpc_security_group_ingress_rule.web : r.from_port]) == toset([80, 443])
    error_message = "80 and 443 are open, and nothing else."
  }

  assert {
    condition = (
      aws_vpc_security_group_egress_rule.frontend.referenced_security_group_id == "sg-nodes"
      && aws_vpc_security_group_egress_rule.frontend.from_port == 8080
      && aws_vpc_security_group_egress_rule.frontend.to_port == 8080
    )
    error_message = "The load balancer reaches the frontend's port on the nodes, and nothing else."
  }
}

run "no_rate_rule_when_asked" {
  command = plan

  module {
    source = "../modules/edge"
  }

  variables {
    waf_rate_limit = null
  }

  assert {
    condition     = alltrue([for r in aws_wafv2_web_acl.this.rule : length(r.statement[0].rate_based_statement) == 0])
    error_message = "Null leaves the rate rule out."
  }
}

run "no_exemption_when_asked" {
  command = plan

  module {
    source = "../modules/edge"
  }

  variables {
    waf_ingestion_paths_exempt = false
  }

  assert {
    condition = alltrue([
      for r in aws_wafv2_web_acl.this.rule : length(r.statement[0].managed_rule_group_statement[0].scope_down_statement) == 0
      if length(r.statement[0].managed_rule_group_statement) == 1
    ])
    error_message = "False puts the common rules on every path."
  }
}

run "existing_zone" {
  command = plan

  module {
    source = "../modules/edge"
  }

  variables {
    create_zone = false
    zone_id     = "Z0123456789ABC"
  }

  assert {
    condition     = length(aws_route53_zone.this) == 0 && aws_route53_record.certificate_validation.zone_id == "Z0123456789ABC"
    error_message = "The existing zone is used."
  }
}

run "missing_zone_is_refused" {
  command = plan

  module {
    source = "../modules/edge"
  }

  variables {
    create_zone = false
  }

  expect_failures = [var.zone_id]
}

run "host_outside_the_domain_is_refused" {
  command = plan

  module {
    source = "../modules/edge"
  }

  variables {
    host = "langsmith.example.net"
  }

  expect_failures = [var.host]
}

run "rate_limit_below_what_waf_accepts_is_refused" {
  command = plan

  module {
    source = "../modules/edge"
  }

  variables {
    waf_rate_limit = 5
  }

  expect_failures = [var.waf_rate_limit]
}
