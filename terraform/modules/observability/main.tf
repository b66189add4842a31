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

locals {
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
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
