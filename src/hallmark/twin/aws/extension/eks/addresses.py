"""Subnets EKS makes no node group in: their nodes would have a route to the internet and no address to use it with.

The group is made and fails, with a health issue that names the subnets (EKS API reference, ``Issue``). Left out:
clusters whose pods have IPv6 addresses.
"""

from typing import Any

CODE = "Ec2SubnetInvalidConfiguration"
MESSAGE = (
    "One or more Amazon EC2 Subnets of [{subnets}] for node group {group} does not automatically assign public IP "
    "addresses to instances launched into it. If you want your instances to be assigned a public IP address, then you "
    "need to enable auto-assign public IP address for the subnet. See IP addressing in VPC guide: "
    "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html#subnet-public-ip"
)


def without_addresses(ec2: Any, group: Any, machine: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the health issue of a new node group: empty when each node gets the addresses its subnet asks for.

    Args:
        ec2: Moto's backend of EC2.
        group: The node group.
        machine: Launch template data of its nodes; one that asks for a public address overrules the subnet.
    """
    if any(one.get("AssociatePublicIpAddress") in {True, "true"} for one in machine.get("NetworkInterfaces", [])):
        return []
    subnets = {name: ec2.get_subnet(name) for name in group.subnets}
    wrong = [name for name, one in subnets.items() if _is_public(ec2, one) and not _hands_out(one)]
    message = MESSAGE.format(subnets=", ".join(wrong), group=group.nodegroup_name)
    return [{"code": CODE, "message": message, "resourceIds": wrong}] if wrong else []


def _is_public(ec2: Any, subnet: Any) -> bool:
    tables = [one for one in ec2.route_tables.values() if one.vpc_id == subnet.vpc_id]
    associated = [one for one in tables if any(each.get("SubnetId") == subnet.id for each in one.associations)]
    (table,) = associated or [one for one in tables if one.main_association_id]
    return any(str(getattr(route.gateway, "id", "")).startswith("igw-") for route in table.routes)


def _hands_out(subnet: Any) -> bool:
    return str(subnet.map_public_ip_on_launch).lower() == "true"
