variable "name" {
  description = "Prefix of every resource name."
  type        = string
}

variable "domain" {
  description = "Domain of the Route 53 zone."
  type        = string
}

variable "host" {
  description = "Host name LangSmith is reached by; inside the domain."
  type        = string

  validation {
    condition     = endswith(var.host, ".${var.domain}")
    error_message = "The host must lie inside the domain, otherwise its certificate can never be validated in the zone."
  }
}

variable "create_zone" {
  description = "Create the public zone, or use the existing one named by zone_id."
  type        = bool
}

variable "zone_id" {
  description = "Id of the existing zone when create_zone is false."
  type        = string
  default     = null

  validation {
    condition     = var.create_zone ? var.zone_id == null : can(regex("^Z[A-Z0-9]+$", var.zone_id))
    error_message = "Give zone_id (it starts with Z) when create_zone is false, and only then."
  }
}

variable "force_destroy_zone" {
  description = "Let destroy delete a zone that still holds records."
  type        = bool
}

variable "vpc_id" {
  description = "VPC of the load balancer's security group."
  type        = string
}

variable "node_security_group_id" {
  description = "Security group of nodes and pods, opened to the load balancer on the frontend's port."
  type        = string
}

variable "ingress_cidrs" {
  description = "Networks that may reach LangSmith. The world for an internet-facing load balancer, your VPN otherwise."
  type        = list(string)

  validation {
    condition     = length(var.ingress_cidrs) > 0 && alltrue([for c in var.ingress_cidrs : can(cidrnetmask(c))])
    error_message = "Give at least one IPv4 network, for example 0.0.0.0/0 or 198.51.100.0/24."
  }
}

variable "waf_rate_limit" {
  description = "Requests one address may send in five minutes before WAF blocks it. Null leaves the rule out."
  type        = number
  nullable    = true

  validation {
    condition     = var.waf_rate_limit == null ? true : var.waf_rate_limit >= 10 && var.waf_rate_limit <= 2000000000
    error_message = "WAF accepts 10 to 2,000,000,000 requests, or null for no rate rule."
  }
}

variable "waf_ingestion_paths_exempt" {
  description = "Keep the common rules away from the trace ingestion paths. False blocks every trace above 8 KB."
  type        = bool
}
