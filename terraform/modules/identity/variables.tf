variable "region" {
  description = "AWS region the roles act in."
  type        = string
}

variable "account_id" {
  description = "AWS account the roles act in."
  type        = string
}

variable "cluster_name" {
  description = "Name of the EKS cluster; prefix of the role names and value of the tags the conditions ask for."
  type        = string
}

variable "oidc_provider_arn" {
  description = "ARN of the IAM OIDC provider of the cluster."
  type        = string
}

variable "vpc_id" {
  description = "VPC in which the load-balancer controller may make security groups."
  type        = string
}

variable "node_security_group_id" {
  description = "Security group of nodes and pods, which the load-balancer controller may open to its load balancers."
  type        = string
}

variable "application_namespace" {
  description = "Kubernetes namespace of LangSmith."
  type        = string
}

variable "application_service_accounts" {
  description = "Service accounts of LangSmith that read and write the bucket. The chart gives each component its own."
  type        = list(string)
}

variable "bucket_arn" {
  description = "ARN of the trace bucket."
  type        = string
}

variable "kms_key_arn" {
  description = "Key the bucket and the secrets are encrypted with."
  type        = string
}

variable "secret_prefix" {
  description = "Prefix of the names of this deployment's secrets, with its slash."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+/$", var.secret_prefix))
    error_message = "The prefix ends with a slash; an empty one would open every secret of the account."
  }
}

variable "web_acl_arn" {
  description = "ARN of the web ACL the load-balancer controller attaches."
  type        = string
}

variable "zone_id" {
  description = "Route 53 zone external-dns writes to."
  type        = string
}
