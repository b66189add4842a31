variable "name" {
  description = "Prefix of every resource name."
  type        = string

  validation {
    condition     = length(var.name) <= 34
    error_message = "ElastiCache names have at most 40 characters: keep the prefix at 34."
  }
}

variable "vpc_id" {
  description = "VPC of the security group."
  type        = string
}

variable "private_subnet_ids" {
  description = "Private subnets of the cache."
  type        = list(string)
}

variable "node_security_group_id" {
  description = "Security group of nodes and pods: the only source that may connect."
  type        = string
}

variable "kms_key_arn" {
  description = "Key for data at rest, snapshots and the connection secret."
  type        = string
}

variable "auth_token_secret_arn" {
  description = "Secret that holds the AUTH token."
  type        = string
}

variable "secret_prefix" {
  description = "Prefix of the connection secret's name, with its slash."
  type        = string
}

variable "secret_recovery_days" {
  description = "Days a deleted secret can be restored, or 0."
  type        = number
}

variable "node_type" {
  description = "ElastiCache node type."
  type        = string
}

variable "maxmemory_policy" {
  description = "What Redis does when memory is full. noeviction refuses writes aloud; volatile-lru drops queued runs silently."
  type        = string
  default     = "noeviction"

  validation {
    condition     = contains(["noeviction", "volatile-lru"], var.maxmemory_policy)
    error_message = "Use noeviction or volatile-lru; an allkeys policy would evict queue bookkeeping too."
  }
}

variable "snapshot_retention_days" {
  description = "Days of daily snapshots."
  type        = number
  default     = 3

  validation {
    condition     = var.snapshot_retention_days >= 1 && var.snapshot_retention_days <= 35
    error_message = "ElastiCache keeps 1 to 35 days; 0 would switch snapshots off."
  }
}
