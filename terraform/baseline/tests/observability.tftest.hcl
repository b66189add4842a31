# Logs have a retention, alarms have someone to tell.

mock_provider "aws" {
  override_resource {
    target          = aws_sns_topic.alarms
    override_during = plan
    values          = { arn = "arn:aws:sns:us-east-1:111122223333:hallmark-test-alarms" }
  }
}

variables {
  name                  = "hallmark-test"
  region                = "us-east-1"
  cluster_name          = "hallmark-test-eks"
  application_namespace = "traces"
  log_retention_days    = 30
  database_identifier   = "hallmark-test-pg"
  cache_node_id         = "hallmark-test-redis-001"
  health_check_id       = "abc"
}

run "logs_and_alarms" {
  command = plan

  module {
    source = "../modules/observability"
  }

  assert {
    condition     = aws_cloudwatch_log_group.container_insights["application"].name == "/aws/containerinsights/hallmark-test-eks/application"
    error_message = "The agent's log group has the name the agent uses."
  }

  assert {
    condition     = alltrue([for g in aws_cloudwatch_log_group.container_insights : g.retention_in_days == 30])
    error_message = "No log is kept for ever."
  }

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.this : toset(a.alarm_actions) == toset([aws_sns_topic.alarms.arn])])
    error_message = "Every alarm tells the topic."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["health-check"].dimensions == tomap({ HealthCheckId = "abc" })
    error_message = "The health check has an alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["pod-restarts"].dimensions == tomap({ ClusterName = "hallmark-test-eks" })
    error_message = "Restarts are counted by cluster: by namespace there is no such metric."
  }

  assert {
    condition     = strcontains(aws_cloudwatch_log_metric_filter.ingestion_errors.pattern, "$.kubernetes.namespace_name = \"traces\"")
    error_message = "Only the application's own lines are counted."
  }

  assert {
    condition = alltrue([
      for t in aws_cloudwatch_log_metric_filter.ingestion_errors.metric_transformation : (
        t.namespace == aws_cloudwatch_metric_alarm.this["ingestion-errors"].namespace &&
        t.name == aws_cloudwatch_metric_alarm.this["ingestion-errors"].metric_name
      )
    ])
    error_message = "The alarm is on the metric the filter makes."
  }

  assert {
    condition = { for name, a in aws_cloudwatch_metric_alarm.this : name => a.period if a.evaluation_periods == 1 } == {
      ingestion-errors = 300
      pod-restarts     = 3600
    }
    error_message = "Counts are looked at over a window."
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 0
    error_message = "No address, no subscription."
  }
}

run "health_check_alarm_only_where_its_metric_is" {
  command = plan

  module {
    source = "../modules/observability"
  }

  variables {
    region      = "eu-west-1"
    alarm_email = "ops@example.org"
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "health-check")
    error_message = "An alarm outside us-east-1 would never see the metric."
  }

  assert {
    condition     = aws_sns_topic_subscription.email[0].endpoint == "ops@example.org"
    error_message = "The address gets the alarms."
  }
}
