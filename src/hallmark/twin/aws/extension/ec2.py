"""EC2: descriptions of rules between security groups, clean launch templates, and the limits of gp3 volumes."""

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.responses.launch_templates import LaunchTemplates

from hallmark.twin.aws.extension.patching import Function, around, parameter

GP3_IOPS = (3000, 80_000)
GP3_THROUGHPUT = (125, 2000)
"""IOPS and MiB/s of a gp3 volume, lowest and highest (EBS user guide, "General Purpose SSD volumes", 2025-09)."""
GP3_IOPS_PER_GIB = 500
GP3_THROUGHPUT_PER_IOPS = 0.25


def install() -> None:
    """Mend what moto answers of rules, templates, gateways and instances; refuse impossible volumes."""
    rule: Any = SecurityGroupRule
    rule.description = property(_description)
    around(LaunchTemplates, "create_launch_template")(_create_launch_template)
    around(NatGateway, "__init__")(_create_nat_gateway)
    around(EC2Backend, "delete_nat_gateway")(_delete_nat_gateway)
    around(EC2Backend, "run_instances")(_run_instances)
    around(EC2Backend, "create_volume")(_create_volume)
    around(EC2Backend, "modify_volume")(_modify_volume)


def _description(rule: SecurityGroupRule) -> Any:
    # moto forgets the description when the peer is a security group.
    return rule.ip_range.get("Description") or rule.source_group.get("Description")


def _create_launch_template(original: Function, request: LaunchTemplates) -> Any:
    # Tags of the template itself must not turn up in the template's data: Terraform would see them as drift.
    answer = original(request)
    template = request.ec2_backend.get_launch_template_by_name(parameter(request, "LaunchTemplateName"))
    data = template.default_version().data
    kept = [tags for tags in data.pop("TagSpecifications", []) if tags.get("ResourceType") != "launch-template"]
    if kept:
        data["TagSpecifications"] = kept
    return answer


def _create_nat_gateway(original: Function, gateway: NatGateway, *args: Any, **kwargs: Any) -> None:
    # AWS takes the gateway's private address from its subnet and says on the interface what it is for.
    original(gateway, *args, **kwargs)
    interface = gateway._eni  # noqa: SLF001  (moto has no accessor)
    address = interface.subnet.get_available_subnet_ip(instance=interface)
    interface.private_ip_address = gateway.private_ip = address
    interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
    interface.description = f"Interface for NAT Gateway {gateway.id}"
    interface.interface_type = "nat_gateway"
    interface.requester_managed = True
    interface.status = "in-use"


def _delete_nat_gateway(original: Function, backend: EC2Backend, identifier: str) -> Any:
    gateway = original(backend, identifier)
    interface = gateway._eni  # noqa: SLF001  (moto has no accessor)
    if interface.id in backend.enis:
        interface.delete()
    return gateway


def _run_instances(original: Function, backend: EC2Backend, *args: Any, **kwargs: Any) -> Any:
    # The template's metadata options hold for the instance, and its own interface goes when it goes.
    template = kwargs.get("launch_template")
    if template and not kwargs.get("metadata_options"):
        version = backend._get_template_from_args(template)  # noqa: SLF001  (moto's own run_instances calls it)
        kwargs["metadata_options"] = version.data.get("MetadataOptions")
    reservation = original(backend, *args, **kwargs)
    for instance in reservation.instances:
        instance.nics[0].delete_on_termination = True
    return reservation


def _create_volume(original: Function, backend: EC2Backend, size: Any, *args: Any, **kwargs: Any) -> Any:
    if kwargs.get("volume_type") == "gp3":
        refuse_impossible_gp3(size, kwargs.get("iops"), kwargs.get("throughput"))
        kwargs["throughput"] = kwargs.get("throughput") or GP3_THROUGHPUT[0]  # EC2 tells the baseline, too
    return original(backend, size, *args, **kwargs)


def _modify_volume(original: Function, backend: EC2Backend, volume_id: str, *args: Any) -> Any:
    size, kind, iops, throughput, *_ = args
    volume = backend.get_volume(volume_id)
    if (kind or volume.volume_type) == "gp3":
        kept = (volume.iops, volume.throughput) if volume.volume_type == "gp3" else (None, None)
        refuse_impossible_gp3(size or volume.size, iops or kept[0], throughput or kept[1])
    return original(backend, volume_id, *args)


def refuse_impossible_gp3(size: Any, iops: Any, throughput: Any) -> None:
    """Refuse what EBS refuses of a gp3 volume.

    Args:
        size: GiB.
        iops: Provisioned IOPS, None for the baseline.
        throughput: MiB/s, None for the baseline.
    """
    iops, throughput = int(iops or GP3_IOPS[0]), int(throughput or GP3_THROUGHPUT[0])
    _refuse_outside("iops", iops, GP3_IOPS)
    _refuse_outside("throughput", throughput, GP3_THROUGHPUT)
    if size and iops > max(GP3_IOPS[0], int(size) * GP3_IOPS_PER_GIB):
        ratio = f"Iops to volume size ratio of {iops / int(size):.6f} is too high; maximum is {GP3_IOPS_PER_GIB}"
        raise EC2ClientError("InvalidParameterValue", ratio)
    if throughput > iops * GP3_THROUGHPUT_PER_IOPS:
        ratio = f"Throughput (MiBps) to iops ratio of {throughput / iops:.6f} is too high; maximum is 0.250000."
        raise EC2ClientError("InvalidParameterValue", ratio)


def _refuse_outside(name: str, value: int, limits: tuple[int, int]) -> None:
    lowest, highest = limits
    if value < lowest:
        raise EC2ClientError("InvalidParameterValue", f"Volume {name} of {value} is too low; minimum is {lowest}.")
    if value > highest:
        raise EC2ClientError("InvalidParameterValue", f"Volume {name} of {value} is too high; maximum is {highest}.")
