# Three zones, private by default: what NET-1 to NET-6 rest on.

mock_provider "aws" {}

variables {
  name               = "hallmark-test"
  region             = "eu-west-1"
  cidr               = "10.20.0.0/16"
  availability_zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
}

run "subnets" {
  command = plan

  module {
    source = "../modules/network"
  }

  assert {
    condition     = length(aws_subnet.public) == 3 && length(aws_subnet.private) == 3
    error_message = "A public and a private subnet in each of three zones."
  }

  assert {
    condition     = alltrue([for s in aws_subnet.public : s.map_public_ip_on_launch == false])
    error_message = "Nothing gets a public address by being started in a public subnet."
  }

  assert {
    condition     = alltrue([for s in aws_subnet.public : s.tags["kubernetes.io/role/elb"] == "1"])
    error_message = "The load-balancer controller finds public subnets by their tag."
  }

  assert {
    condition     = alltrue([for s in aws_subnet.private : s.tags["kubernetes.io/role/internal-elb"] == "1"])
    error_message = "The load-balancer controller finds private subnets by their tag."
  }

  assert {
    condition = length(distinct(concat(
      [for s in aws_subnet.public : s.cidr_block], [for s in aws_subnet.private : s.cidr_block],
    ))) == 6
    error_message = "Six different ranges."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 3
    error_message = "One NAT gateway serves all private subnets."
  }

  assert {
    condition     = alltrue([for r in aws_route.nat : r.gateway_id == null && r.destination_cidr_block == "0.0.0.0/0"])
    error_message = "Private subnets never route to the internet gateway."
  }

  assert {
    condition     = aws_vpc_endpoint.s3.service_name == "com.amazonaws.eu-west-1.s3" && aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "S3 is reached by a gateway endpoint of the region."
  }
}

run "nat_gateway_per_zone" {
  command = plan

  module {
    source = "../modules/network"
  }

  variables {
    nat_gateway_per_zone = true
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "Each zone has its NAT gateway."
  }
}

run "two_zones_are_refused" {
  command = plan

  module {
    source = "../modules/network"
  }

  variables {
    availability_zones = ["eu-west-1a", "eu-west-1b"]
  }

  expect_failures = [var.availability_zones]
}

run "small_range_is_refused" {
  command = plan

  module {
    source = "../modules/network"
  }

  variables {
    cidr = "10.20.0.0/20"
  }

  expect_failures = [var.cidr]
}
