variable "name" {
  description = "Prefix of every resource name; also the key's alias."
  type        = string
}

variable "account_id" {
  description = "AWS account that owns the key."
  type        = string
}

variable "deletion_window_days" {
  description = "Days between destroy and the end of the key. Data encrypted with it is unreadable afterwards."
  type        = number

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "KMS accepts 7 to 30 days."
  }
}
