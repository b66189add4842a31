variable "name" {
  description = "Name of the role, at most 64 characters."
  type        = string

  validation {
    condition     = length(var.name) <= 64
    error_message = "IAM role names have at most 64 characters."
  }
}

variable "description" {
  description = "What the role is for, shown in the IAM console."
  type        = string
}

variable "oidc_provider_arn" {
  description = "ARN of the IAM OIDC provider of the cluster."
  type        = string
}

variable "service_accounts" {
  description = "Service accounts that may take the role, each as namespace:name."
  type        = list(string)

  validation {
    condition     = length(var.service_accounts) > 0 && alltrue([for s in var.service_accounts : can(regex("^[a-z0-9-]+:[a-z0-9-]+$", s))])
    error_message = "Name each service account as namespace:name. Wildcards would let any pod in."
  }
}

variable "policy" {
  description = "Inline policy of the role as JSON, or null when managed policies say it all."
  type        = string
  default     = null
}

variable "managed_policy_arns" {
  description = "AWS managed policies to attach."
  type        = list(string)
  default     = []
}
