output "alarm_topic_arn" {
  description = "SNS topic of the alarms."
  value       = aws_sns_topic.alarms.arn
}

output "application_log_group" {
  description = "Log group of the pods' output."
  value       = aws_cloudwatch_log_group.container_insights["application"].name
}
