# What the Ingress's load balancer will need: zone, certificate, security group, web ACL. The load balancer itself and
# its alias record are made in the cluster, by the load-balancer controller and external-dns, because they belong to
# the Ingress. A second one from here would be the one nobody uses.

resource "aws_route53_zone" "this" {
  count = var.create_zone ? 1 : 0

  name    = var.domain
  comment = "LangSmith of ${var.name}"

  # external-dns records do not keep a learner from tearing down.
  force_destroy = var.force_destroy_zone
}

locals {
  zone_id    = var.create_zone ? aws_route53_zone.this[0].zone_id : var.zone_id
  validation = one(aws_acm_certificate.this.domain_validation_options)
}

resource "aws_acm_certificate" "this" {
  domain_name       = var.host
  validation_method = "DNS"

  tags = { Name = "${var.name}-${var.host}" }

  # The load balancer keeps the old certificate until the new one is there.
  lifecycle {
    create_before_destroy = true
  }
}

# One name, so one record: a static address in place of a for_each over values unknown before apply.
resource "aws_route53_record" "certificate_validation" {
  zone_id         = local.zone_id
  name            = local.validation.resource_record_name
  type            = local.validation.resource_record_type
  records         = [local.validation.resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

# Waits until ACM has seen the record: the zone must be delegated by then.
resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [aws_route53_record.certificate_validation.fqdn]
}

# Not /health: nginx alone answers that, with the application dead behind it. /api/v1/info comes from the backend.
resource "aws_route53_health_check" "info" {
  type              = "HTTPS"
  fqdn              = var.host
  port              = 443
  resource_path     = "/api/v1/info"
  request_interval  = 30
  failure_threshold = 3
  enable_sni        = true

  tags = { Name = "${var.name}-info" }
}
