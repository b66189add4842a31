# One VPC over three zones. Public subnets hold load balancers and NAT gateways and nothing else.

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = "${var.name}-vpc" }
}

# The default security group would let everything inside it talk. Nothing here uses it, so it gets no rules.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-closed" }
}

locals {
  zones = { for index, zone in var.availability_zones : zone => index }

  # The VPC's eight equal parts: the first ones are private and large, because every pod takes an address.
  # The public /24s sit at the far end of a /16, well away from them.
  private_cidrs = { for zone, index in local.zones : zone => cidrsubnet(var.cidr, 3, index) }
  public_cidrs  = { for zone, index in local.zones : zone => cidrsubnet(var.cidr, 8, 240 + index) }

  nat_zones = var.nat_gateway_per_zone ? var.availability_zones : slice(var.availability_zones, 0, 1)
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = local.public_cidrs[each.key]

  # Nothing started here by mistake gets a public address.
  map_public_ip_on_launch = false

  # The load-balancer controller finds subnets for internet-facing load balancers by this tag.
  tags = {
    Name                     = "${var.name}-public-${each.key}"
    "kubernetes.io/role/elb" = "1"
  }
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = local.private_cidrs[each.key]

  # The same for internal load balancers: without it an internal Ingress never gets an address.
  tags = {
    Name                              = "${var.name}-private-${each.key}"
    "kubernetes.io/role/internal-elb" = "1"
  }
}
