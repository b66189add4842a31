variable "name" {
  description = "Prefix of every resource name."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the security group."
  type        = string
}

variable "private_subnet_ids" {
  description = "Private subnets, in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "RDS wants subnets in at least two availability zones."
  }
}

variable "node_security_group_id" {
  description = "Security group of nodes and pods: the only source that may connect."
  type        = string
}

variable "kms_key_arn" {
  description = "Key for storage, backups and the connection secret."
  type        = string
}

variable "password" {
  description = "Master password. Ephemeral: it goes to RDS and into the connection secret, and nowhere else."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "secret_prefix" {
  description = "Prefix of the connection secret's name, with its slash."
  type        = string
}

variable "secret_recovery_days" {
  description = "Days a deleted secret can be restored, or 0."
  type        = number
}

variable "engine_version" {
  description = "PostgreSQL major version; AWS picks and patches the minor."
  type        = string
  default     = "16"

  validation {
    condition     = can(regex("^1[4-9](\\.[0-9]+)?$", var.engine_version))
    error_message = "LangSmith needs PostgreSQL 14 or later."
  }
}

variable "instance_class" {
  description = "RDS instance class."
  type        = string
}

variable "storage_gib" {
  description = "Storage at the start, in GiB."
  type        = number
  default     = 50

  validation {
    condition     = var.storage_gib >= 20
    error_message = "gp3 storage starts at 20 GiB."
  }
}

variable "max_storage_gib" {
  description = "Limit of storage autoscaling, in GiB."
  type        = number
  default     = 200

  validation {
    condition     = var.max_storage_gib > var.storage_gib
    error_message = "max_storage_gib must be larger than storage_gib, otherwise storage cannot grow."
  }
}

variable "multi_az" {
  description = "A standby in a second zone. The reference asks for a single zone; this doubles the price."
  type        = bool
  default     = false
}

variable "backup_retention_days" {
  description = "Days of automated backups."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "RDS keeps 1 to 35 days; 0 would switch automated backups off."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the database. Apply false before a destroy."
  type        = bool
}

variable "skip_final_snapshot" {
  description = "Delete without a last snapshot. Only for databases nobody will miss."
  type        = bool
}

variable "log_retention_days" {
  description = "Days to keep the database log."
  type        = number
}
