# Where the CloudWatch agent writes, and alarms on what hurts LangSmith first. The control plane's log group is in the
# cluster module, the database's in the database module: both must exist before what writes to them.

# The agent would create these itself and keep logs for ever.
resource "aws_cloudwatch_log_group" "container_insights" {
  for_each = toset(["application", "dataplane", "host", "performance"])

  name              = "/aws/containerinsights/${var.cluster_name}/${each.key}"
  retention_in_days = var.log_retention_days
}

resource "aws_sns_topic" "alarms" {
  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

# Most of what goes wrong on the way of a trace is said by these two: one accepts it, the other stores it.
resource "aws_cloudwatch_log_metric_filter" "ingestion_errors" {
  name           = "${var.name}-ingestion-errors"
  log_group_name = aws_cloudwatch_log_group.container_insights["application"].name
  # The agent's JSON. The name of a container ends in its component's; how errors are spelled depends on the component.
  pattern = "{ ${join(" && ", [
    "($.kubernetes.namespace_name = \"${var.application_namespace}\")",
    "($.kubernetes.container_name = \"*platform-backend\" || $.kubernetes.container_name = \"*ingest-queue\")",
    "($.log = \"*error*\" || $.log = \"*ERROR*\")",
  ])} }"

  metric_transformation {
    namespace     = "LangSmith/${var.cluster_name}"
    name          = "IngestionErrors"
    value         = "1"
    default_value = "0"
  }
}

locals {
  ingestion_errors = aws_cloudwatch_log_metric_filter.ingestion_errors.metric_transformation[0]

  database = { DBInstanceIdentifier = var.database_identifier }
  cache    = { CacheClusterId = var.cache_node_id }

  alarms = merge(
    {
      database-storage = {
        description = "The database is running out of disk: at zero it stops."
        namespace   = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database
        statistic   = "Minimum", comparison = "LessThanThreshold", threshold = 5 * 1024 * 1024 * 1024
      }
      database-connections = {
        description = "Nearly all database connections are taken: new pods will not start."
        namespace   = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database
        statistic   = "Maximum", comparison = "GreaterThanThreshold", threshold = var.database_connections_alarm
      }
      cache-memory = {
        description = "Redis is nearly full: ingestion will be refused."
        namespace   = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = local.cache
        statistic   = "Maximum", comparison = "GreaterThanThreshold", threshold = 80
      }
      cache-evictions = {
        description = "Redis drops keys: queued runs are being lost."
        namespace   = "AWS/ElastiCache", metric = "Evictions", dimensions = local.cache
        statistic   = "Sum", comparison = "GreaterThanThreshold", threshold = 0
      }
      pod-restarts = {
        description = "Containers restart again and again."
        # The agent counts restarts by cluster, workload and service, but not by namespace: that metric never has data.
        namespace  = "ContainerInsights", metric = "pod_number_of_container_restarts"
        dimensions = { ClusterName = var.cluster_name }
        statistic  = "Sum", comparison = "GreaterThanThreshold", threshold = var.restarts_alarm, window = 3600
      }
      ingestion-errors = {
        description = "Traces are refused, or accepted and not stored."
        namespace   = local.ingestion_errors.namespace, metric = local.ingestion_errors.name, dimensions = null
        statistic   = "Sum", comparison = "GreaterThanThreshold", threshold = var.ingestion_errors_alarm, window = 300
      }
    },
    # Route 53 publishes its metrics in us-east-1 only, and an alarm sees the metrics of its own region only.
    var.region == "us-east-1" ? {
      health-check = {
        description = "LangSmith does not answer on /api/v1/info."
        namespace   = "AWS/Route53", metric = "HealthCheckStatus", dimensions = { HealthCheckId = var.health_check_id }
        statistic   = "Minimum", comparison = "LessThanThreshold", threshold = 1
      }
    } : {},
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  # A count over a window is one figure; a level has to last: three minutes of five.
  period              = try(each.value.window, 60)
  evaluation_periods  = can(each.value.window) ? 1 : 5
  datapoints_to_alarm = can(each.value.window) ? 1 : 3
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
