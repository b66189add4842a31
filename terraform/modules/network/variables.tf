variable "name" {
  description = "Prefix of every resource name."
  type        = string
}

variable "region" {
  description = "AWS region; names the S3 endpoint service."
  type        = string
}

variable "cidr" {
  description = "Address range of the VPC. A /16 gives each private subnet 8,190 addresses for pods."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.cidr)) && endswith(var.cidr, "/16")
    error_message = "cidr must be an IPv4 /16, for example 10.0.0.0/16: smaller ranges run out of pod addresses."
  }
}

variable "availability_zones" {
  description = "Names of the three zones to build in."
  type        = list(string)

  validation {
    condition     = length(distinct(var.availability_zones)) == 3
    error_message = "Give three different availability zones."
  }
}

variable "nat_gateway_per_zone" {
  description = "One NAT gateway per zone (survives the loss of a zone) or one in all (a third of the price)."
  type        = bool
  default     = false
}
