variable "prefix" {
  description = "Prefix of every secret's name, with its slash."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+/$", var.prefix))
    error_message = "The prefix ends with a slash, for example hallmark-prod/."
  }
}

variable "kms_key_arn" {
  description = "Key the secrets are encrypted with."
  type        = string
}

variable "recovery_days" {
  description = "Days a deleted secret can be restored: 7 to 30, or 0 to delete at once."
  type        = number

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "Secrets Manager accepts 0 or 7 to 30 days."
  }
}

variable "license_stand_in" {
  description = "Write a generated stand-in as license key. Only for the twin: the real LangSmith refuses it."
  type        = bool
  default     = false
}
