"""Auto Scaling: instances are spread over the group's subnets, as AWS does; moto puts all into the first."""

from collections import Counter
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup

from hallmark.twin.aws.extension.patching import Function, around


def install() -> None:
    """Launch one instance at a time, each in the subnet that has the fewest."""
    around(FakeAutoScalingGroup, "replace_autoscaling_group_instances")(_launch)


def _launch(original: Function, group: FakeAutoScalingGroup, count: int, tags: dict[str, str]) -> None:
    subnets = group.vpc_zone_identifier
    for _ in range(count):
        try:
            group.vpc_zone_identifier = _emptiest(group, subnets.split(",")) if subnets else None
            original(group, 1, dict(tags))
        finally:
            group.vpc_zone_identifier = subnets


def _emptiest(group: FakeAutoScalingGroup, subnets: list[str]) -> Any:
    used = Counter(state.instance.subnet_id for state in group.instance_states)
    return min(subnets, key=lambda subnet: used[subnet])
