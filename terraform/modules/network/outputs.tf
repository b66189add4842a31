output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Ids of the public subnets, in the order of the zones: load balancers and NAT gateways only."
  value       = [for zone in var.availability_zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Ids of the private subnets, in the order of the zones: nodes and data stores."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]

  # Whoever starts something in a private subnet needs its way out first.
  depends_on = [aws_route.nat, aws_route_table_association.private]
}
