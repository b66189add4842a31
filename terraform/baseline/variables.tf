# Who and what: names and tags.

variable "region" {
  description = "AWS region of everything. Route 53 and IAM are global."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Write the region as AWS does, for example us-east-1."
  }
}

variable "name_prefix" {
  description = "First part of every resource name."
  type        = string
  default     = "hallmark"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,14}$", var.name_prefix))
    error_message = "Use 1 to 15 lower-case letters and digits, starting with a letter: buckets and databases share it."
  }
}

variable "environment" {
  description = "Second part of every resource name, for example twin, lab1 or staging."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,11}$", var.environment))
    error_message = "Use 1 to 12 lower-case letters and digits, starting with a letter."
  }
}

variable "owner" {
  description = "Who answers for the costs: tag hallmark:owner."
  type        = string

  validation {
    condition     = length(trimspace(var.owner)) > 0
    error_message = "Name an owner. Resources nobody owns are the ones nobody tears down."
  }
}

variable "lab" {
  description = "Lab id: tag hallmark:lab. Faults are only ever injected into resources that carry it."
  type        = string

  validation {
    condition     = length(trimspace(var.lab)) > 0
    error_message = "Give a lab id."
  }
}

variable "expires" {
  description = "Date after which everything may be deleted: tag hallmark:expires, as YYYY-MM-DD."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", var.expires)) && can(formatdate("YYYY", "${var.expires}T00:00:00Z"))
    error_message = "Write the date as YYYY-MM-DD, for example 2027-01-31."
  }
}

variable "disposable" {
  description = "True for what nobody will miss: no deletion protection, no final snapshot, secrets and objects go at once."
  type        = bool
  default     = false
}

# Network.

variable "vpc_cidr" {
  description = "Address range of the VPC, a /16 that collides with no peered network."
  type        = string
  default     = "10.0.0.0/16"
}

variable "availability_zones" {
  description = "Three zones, or empty for the region's first three. ClickHouse's node type must be offered in the first."
  type        = list(string)
  default     = []
}

variable "nat_gateway_per_zone" {
  description = "One NAT gateway per zone instead of one in all. Survives the loss of a zone, costs three times as much."
  type        = bool
  default     = false
}

# Cluster.

variable "kubernetes_version" {
  description = "Kubernetes version of EKS. 1.35 has AWS standard support until 2027-03-27."
  type        = string
  default     = "1.35"
}

variable "api_access_cidrs" {
  description = "Networks that may reach the Kubernetes API from outside the VPC. Empty: only the VPC."
  type        = list(string)
}

variable "admin_role_arns" {
  description = "IAM roles that become cluster administrators, besides whoever runs Terraform."
  type        = list(string)
  default     = []
}

variable "general_nodes" {
  description = "Nodes for everything but ClickHouse. At min_size they must offer 16 vCPU and 64 GiB."
  type        = object({ instance_type = string, min_size = number, max_size = number })
  default     = { instance_type = "m6i.2xlarge", min_size = 2, max_size = 6 }
}

variable "clickhouse_nodes" {
  description = "Nodes for ClickHouse, in the first zone. EBS baseline of at least 1,049 MB/s and 7,000 IOPS, more than 32 GiB."
  type        = object({ instance_type = string, min_size = number, max_size = number })
  default     = { instance_type = "m6in.4xlarge", min_size = 1, max_size = 2 }
}

# Data stores.

variable "postgres_version" {
  description = "PostgreSQL major version, 14 or later; AWS picks and patches the minor."
  type        = string
  default     = "16"
}

variable "database_instance_class" {
  description = "RDS instance class."
  type        = string
  default     = "db.t4g.large"
}

variable "database_multi_az" {
  description = "A standby database in a second zone. The reference asks for a single zone."
  type        = bool
  default     = false
}

variable "cache_node_type" {
  description = "ElastiCache node type."
  type        = string
  default     = "cache.m6g.large"
}

variable "license_stand_in" {
  description = "Write a generated stand-in as LangSmith license key. For the twin; on AWS put the real one in yourself."
  type        = bool
  default     = false
}

# Edge.

variable "domain" {
  description = "Domain of the Route 53 zone."
  type        = string
}

variable "host" {
  description = "Host name LangSmith is reached by; inside the domain."
  type        = string
}

variable "create_zone" {
  description = "Create the zone, or use the one named by zone_id."
  type        = bool
  default     = true
}

variable "zone_id" {
  description = "Id of an existing zone when create_zone is false."
  type        = string
  default     = null
}

variable "ingress_cidrs" {
  description = "Networks that may reach LangSmith. Your VPN's for private access."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "waf_rate_limit" {
  description = "Requests one address may send in five minutes. 30,000 is 100 a second: above SDK bursts. Null, in a tfvars file: no rate rule."
  type        = number
  default     = 30000
  nullable    = true
}

variable "waf_ingestion_paths_exempt" {
  description = "Keep the WAF common rules away from trace ingestion. False blocks every trace above 8 KB."
  type        = bool
  default     = true
}

# Observability.

variable "log_retention_days" {
  description = "Days to keep logs in CloudWatch."
  type        = number
  default     = 30

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_days)
    error_message = "CloudWatch accepts 7, 14, 30, 60, 90, 120, 150, 180 or 365 days among others; shorter loses evidence."
  }
}

variable "alarm_email" {
  description = "Address that gets the alarms, or null for none."
  type        = string
  default     = null
}
