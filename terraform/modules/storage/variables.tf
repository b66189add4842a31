variable "name" {
  description = "Prefix of the bucket's name."
  type        = string
}

variable "account_id" {
  description = "AWS account, part of the bucket's name."
  type        = string
}

variable "region" {
  description = "AWS region, part of the bucket's name."
  type        = string
}

variable "kms_key_arn" {
  description = "Key the objects are encrypted with."
  type        = string
}

variable "short_lived_days" {
  description = "Days to keep payloads under ttl_s/. Must not be shorter than LangSmith's short retention (14 days)."
  type        = number
  default     = 14

  validation {
    condition     = var.short_lived_days >= 14
    error_message = "LangSmith keeps short-lived traces 14 days: a shorter rule deletes payloads of traces that still exist."
  }
}

variable "long_lived_days" {
  description = "Days to keep payloads under ttl_l/. Must not be shorter than LangSmith's long retention (400 days)."
  type        = number
  default     = 400

  validation {
    condition     = var.long_lived_days >= 400
    error_message = "LangSmith keeps long-lived traces 400 days: a shorter rule deletes payloads of traces that still exist."
  }
}

variable "force_destroy" {
  description = "Let destroy delete a bucket that still holds objects."
  type        = bool
}
