variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
}

variable "kubernetes_version" {
  description = "Kubernetes minor version. Choose one in AWS standard support."
  type        = string

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "Write the version as 1.NN, for example 1.35."
  }
}

variable "private_subnet_ids" {
  description = "Private subnets for the control plane's interfaces and the nodes. ClickHouse nodes use the first."
  type        = list(string)
}

variable "api_access_cidrs" {
  description = "Networks that may reach the public API endpoint. Empty closes it: then only the VPC reaches the API."
  type        = list(string)

  validation {
    condition     = alltrue([for c in var.api_access_cidrs : can(cidrnetmask(c)) && tonumber(split("/", c)[1]) >= 16])
    error_message = "Give IPv4 networks of /16 or smaller, such as your office's 198.51.100.0/24. 0.0.0.0/0 would open the API to the world."
  }
}

variable "admin_role_arns" {
  description = "IAM roles that become cluster administrators, besides whoever runs Terraform."
  type        = list(string)
  default     = []
}

variable "kms_key_arn" {
  description = "Key for envelope encryption of Kubernetes Secrets."
  type        = string
}

variable "general_nodes" {
  description = "The group for everything but ClickHouse. At its minimum it has to offer 16 vCPU and 64 GiB."
  type        = object({ instance_type = string, min_size = number, max_size = number })

  validation {
    condition     = var.general_nodes.min_size >= 1 && var.general_nodes.max_size > var.general_nodes.min_size
    error_message = "max_size must be larger than min_size, otherwise Cluster Autoscaler can never add a node."
  }
}

variable "clickhouse_nodes" {
  description = "The group for ClickHouse. The type needs more than 32 GiB, 8 vCPU, and an EBS baseline of 1,049 MB/s and 7,000 IOPS."
  type        = object({ instance_type = string, min_size = number, max_size = number })

  validation {
    condition     = var.clickhouse_nodes.min_size >= 1 && var.clickhouse_nodes.max_size > var.clickhouse_nodes.min_size
    error_message = "Keep at least one node in the volume's zone, and max_size larger than min_size so that it can be replaced."
  }
}

variable "node_disk_gib" {
  description = "Root volume of a node, in GiB."
  type        = number
  default     = 50
}

variable "log_retention_days" {
  description = "Days to keep control-plane logs."
  type        = number
}
