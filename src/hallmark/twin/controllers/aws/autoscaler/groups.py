"""Node groups as the autoscaler sees them: Auto Scaling groups with the tags it looks for, and what a new node is like.

Source: kubernetes/autoscaler, ``cloudprovider/aws/README.md``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hallmark.twin.controllers.workloads.pods import is_finished, labels, node_name
from hallmark.twin.controllers.workloads.scheduling.places import HOSTNAME, Place
from hallmark.twin.kube.kinds import Object, controller_of

DISCOVERY = "--node-group-auto-discovery=asg:tag="


@dataclass(frozen=True)
class Group:
    """An Auto Scaling group.

    Attributes:
        name: Its name.
        least: Lowest size.
        most: Highest size.
        wanted: Size that is set.
        instances: Ids of its instances.
        tags: Its tags.
        template: Id and version of its launch template, or empty.
    """

    name: str
    least: int
    most: int
    wanted: int
    instances: tuple[str, ...]
    tags: Mapping[str, str]
    template: Mapping[str, str]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "Group":
        """Read one entry of DescribeAutoScalingGroups."""
        return cls(
            name=described["AutoScalingGroupName"],
            least=described["MinSize"],
            most=described["MaxSize"],
            wanted=described["DesiredCapacity"],
            instances=tuple(each["InstanceId"] for each in described["Instances"]),
            tags={each["Key"]: each["Value"] for each in described.get("Tags") or []},
            template=described.get("LaunchTemplate") or {},
        )

    def nodes(self, nodes: Iterable[Object]) -> list[Object]:
        """The Nodes of its instances."""
        return [each for each in nodes if str(each["spec"].get("providerID", "")).rpartition("/")[2] in self.instances]


def wanted_tags(pod: Object) -> list[dict[str, str]]:
    """Tags (with a value, where one is given) that the autoscaler's command line has it look for."""
    found = []
    for container in pod["spec"]["containers"]:
        for argument in [*(container.get("command") or []), *(container.get("args") or [])]:
            if argument.startswith(DISCOVERY):
                pairs = (one.partition("=") for one in argument.removeprefix(DISCOVERY).split(",") if one)
                found += [{"key": key, "value": value} for key, _, value in pairs]
    return found


def discovered(described: Iterable[Mapping[str, Any]], tags: Sequence[Mapping[str, str]]) -> list[Group]:
    """The groups that carry every tag; none if no tag is looked for."""
    groups = [Group.of(each) for each in described] if tags else []
    fitting = [each for each in groups if all(_carries(each, tag) for tag in tags)]
    return sorted(fitting, key=lambda group: group.name)


def _carries(group: Group, tag: Mapping[str, str]) -> bool:
    return tag["key"] in group.tags and (not tag["value"] or group.tags[tag["key"]] == tag["value"])


def duration(pod: Object, name: str, default: float) -> float:
    """Seconds of an option of the autoscaler's command line, for example ``--scale-down-unneeded-time=10m``."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    for container in pod["spec"]["containers"]:
        for argument in [*(container.get("command") or []), *(container.get("args") or [])]:
            given = argument.removeprefix(f"--{name}=")
            if given != argument and given[:-1].isdigit() and given[-1] in units:
                return int(given[:-1]) * units[given[-1]]
    return default


def template(node: Object, pods: Iterable[Object]) -> Place:
    """A node that the group would get: like one it has, fresh, with the pods that every node gets.

    Args:
        node: A node of the group.
        pods: All pods.
    """
    name = f"template-node-for-{node['metadata']['name']}"
    metadata = {**node["metadata"], "name": name, "labels": dict(labels(node)) | {HOSTNAME: name}}
    return Place({**as_ready(node), "metadata": metadata}, daemons(node, pods))


def as_ready(node: Object) -> Object:
    """A node as it will be once it is ready: without the taints that it has until then, and without a cordon."""
    taints = [each for each in node["spec"].get("taints") or [] if not each["key"].startswith("node.kubernetes.io/")]
    spec = {key: value for key, value in node["spec"].items() if key not in {"taints", "unschedulable"}}
    conditions = [{"type": "Ready", "status": "True"}]
    return {
        **node,
        "spec": {**spec, **({"taints": taints} if taints else {})},
        "status": {**(node.get("status") or {}), "conditions": conditions},
    }


def daemons(node: Object, pods: Iterable[Object]) -> list[Object]:
    """Pods on a node that belong to a DaemonSet: every node gets them, and they go with it."""
    name = node["metadata"]["name"]
    return [each for each in pods if node_name(each) == name and is_daemon(each) and not is_finished(each)]


def is_daemon(pod: Object) -> bool:
    """Whether a pod belongs to a DaemonSet."""
    return (controller_of(pod) or {}).get("kind") == "DaemonSet"
