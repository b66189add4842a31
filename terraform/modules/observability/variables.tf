variable "name" {
  description = "Prefix of every resource name."
  type        = string
}

variable "region" {
  description = "AWS region. Outside us-east-1 the health check has no alarm here."
  type        = string
}

variable "cluster_name" {
  description = "Name of the EKS cluster, part of the log groups' names."
  type        = string
}

variable "application_namespace" {
  description = "Kubernetes namespace of LangSmith."
  type        = string
}

variable "log_retention_days" {
  description = "Days to keep application logs."
  type        = number
}

variable "alarm_email" {
  description = "Address that gets the alarms, or null for none. AWS asks it to confirm."
  type        = string
  default     = null
}

variable "database_identifier" {
  description = "RDS instance identifier."
  type        = string
}

variable "database_connections_alarm" {
  description = "Connections above which to alarm. db.t4g.large allows about 850."
  type        = number
  default     = 700
}

variable "cache_node_id" {
  description = "Cache cluster id of the Redis node."
  type        = string
}

variable "health_check_id" {
  description = "Id of the Route 53 health check."
  type        = string
}

variable "restarts_alarm" {
  description = "Container restarts in an hour, of the whole cluster, above which to alarm."
  type        = number
  default     = 2
}

variable "ingestion_errors_alarm" {
  description = "Error lines of the ingestion path in five minutes above which to alarm."
  type        = number
  default     = 10
}
