# The web ACL for the Ingress annotation alb.ingress.kubernetes.io/wafv2-acl-arn: a rate limit per client address and
# three groups of AWS managed rules.
#
# The common rules look into request bodies and block any above 8 KB. Traces are such bodies, and their text looks like
# attacks often enough. So the common rules do not look at the ingestion paths; the other rules do.

locals {
  ingestion_paths = ["/api/v1/runs", "/api/v1/otel/", "/api/runs"]

  managed_rules = {
    AWSManagedRulesAmazonIpReputationList = { priority = 10, exempt = false }
    AWSManagedRulesKnownBadInputsRuleSet  = { priority = 20, exempt = false }
    AWSManagedRulesCommonRuleSet          = { priority = 30, exempt = var.waf_ingestion_paths_exempt }
  }
}

resource "aws_wafv2_web_acl" "this" {
  name        = "${var.name}-waf"
  description = "Edge of ${var.name}"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  dynamic "rule" {
    for_each = var.waf_rate_limit == null ? [] : [var.waf_rate_limit]

    content {
      name     = "rate-limit"
      priority = 0

      action {
        block {}
      }

      statement {
        rate_based_statement {
          aggregate_key_type    = "IP"
          limit                 = rule.value
          evaluation_window_sec = 300
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "rate-limit"
        sampled_requests_enabled   = true
      }
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "scope_down_statement" {
            for_each = rule.value.exempt ? [local.ingestion_paths] : []

            content {
              not_statement {
                statement {
                  or_statement {
                    dynamic "statement" {
                      for_each = scope_down_statement.value

                      content {
                        byte_match_statement {
                          search_string         = statement.value
                          positional_constraint = "STARTS_WITH"

                          field_to_match {
                            uri_path {}
                          }

                          # Without it /x/../api/v1/runs would not count as what the server makes of it, nor //api.
                          text_transformation {
                            priority = 0
                            type     = "NORMALIZE_PATH"
                          }
                        }
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "${var.name}-waf"
    sampled_requests_enabled   = true
  }
}
