"""The loop: look at the groups, grow what waiting pods need, shrink what nobody needs, and report."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws import words
from hallmark.twin.controllers.aws.autoscaler import groups as discovery
from hallmark.twin.controllers.aws.autoscaler import plan, report
from hallmark.twin.controllers.aws.autoscaler.groups import Group, as_ready
from hallmark.twin.controllers.aws.autoscaler.template import Templates
from hallmark.twin.controllers.aws.cloud import Cloud, Inactive
from hallmark.twin.controllers.aws.gate import CLUSTER_AUTOSCALER
from hallmark.twin.controllers.workloads.pods import is_finished, node_name
from hallmark.twin.controllers.workloads.scheduling import volumes
from hallmark.twin.controllers.workloads.scheduling.places import Place
from hallmark.twin.controllers.workloads.scheduling.volumes import NotYet, Volumes
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import (
    CLAIMS,
    CONFIG_MAPS,
    NAMESPACES,
    NODES,
    PODS,
    STORAGE_CLASSES,
    VOLUMES,
    Key,
    Kind,
    Object,
)
from hallmark.twin.kube.reconcile import Mapper

EVERY, UNTIL_ACTIVE = 10.0, 2.0
"""Seconds between two looks (``--scan-interval``), and before a pod of the autoscaler is looked for again."""
PAUSE = 2.0
"""Seconds that lie at least between two looks, however many pods come to wait."""
UNNEEDED, AFTER_GROWTH = 600.0, 600.0
"""Defaults of ``--scale-down-unneeded-time`` and ``--scale-down-delay-after-add``, seconds."""
ALL: Key = ("", "autoscaler")


class Autoscaler:
    """Sets the sizes of node groups.

    Args:
        cloud: The cluster and its account.
    """

    name = "cluster-autoscaler"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._caches = cloud.caches
        self._events = Recorder(cloud.caches.api, self.name)
        self._log = cloud.log(self.name)
        self._templates = Templates(cloud)
        self._transitions = report.Transitions()
        self._looked = self._grew = float("-inf")
        self._empty_since: dict[str, float] = {}
        self._map: Object | None = None

    def watches(self) -> Mapping[Kind, Mapper]:
        """Namespaces are always there, so this begins at once; pods that come to wait are answered soon."""
        return {
            NAMESPACES: lambda _: [ALL],
            PODS: lambda pod: [ALL] if plan.is_unschedulable(pod) else [],
            **dict.fromkeys((NODES, CLAIMS, VOLUMES, STORAGE_CLASSES), lambda _: ()),
        }

    async def reconcile(self, _: Key) -> float | None:
        """Look once."""
        running = self._cloud.gate.pods(CLUSTER_AUTOSCALER)
        if not running:
            return UNTIL_ACTIVE
        if (left := self._looked + PAUSE - time.monotonic()) > 0:
            return left
        self._looked = time.monotonic()
        try:
            await self._look(running[0])
        except Inactive:
            return UNTIL_ACTIVE
        except ClientError as error:
            self._log.error("%s", words.of(error, "Auto Scaling", error.operation_name))
        return EVERY

    async def _look(self, pod: Object) -> None:
        groups = await self._groups(pod)
        nodes = {group.name: group.nodes(self._caches[NODES].all()) for group in groups}
        grown = await self._grow(groups, nodes)
        candidates = {} if grown else await self._shrink(groups, nodes, pod)
        await self._report(groups, nodes, candidates)

    async def _groups(self, pod: Object) -> list[Group]:
        answer = await self._cloud.act(CLUSTER_AUTOSCALER, "autoscaling", "describe_auto_scaling_groups")
        return discovery.discovered(answer["AutoScalingGroups"], discovery.wanted_tags(pod))

    async def _grow(self, groups: Sequence[Group], nodes: Mapping[str, list[Object]]) -> bool:
        waiting = list(self._waiting())
        if not waiting:
            return False
        pods = self._caches[PODS].all()
        templates = {
            group.name: place for group in groups if (place := await self._templates.of(group, nodes[group.name], pods))
        }
        coming = [
            place
            for group in groups
            for place in [templates.get(group.name)] * max(0, group.wanted - len(nodes[group.name]))
            if place
        ]
        growth = plan.growth(waiting, groups, templates, [*self._places(pods), *coming])
        for pod, reasons in growth.reasons:
            self._log.info("Pod %s/%s is unschedulable", pod["metadata"]["namespace"], pod["metadata"]["name"])
            await self._events.normal(pod, "NotTriggerScaleUp", plan.refusal_words(reasons))
        return growth.group is not None and await self._set_size(growth.group, growth)

    def _waiting(self) -> Iterable[tuple[Object, Volumes]]:
        for pod in filter(plan.is_unschedulable, self._caches[PODS].all()):
            # No new node helps a pod whose claims are not in order.
            with suppress(NotYet):
                yield pod, volumes.look_up(self._caches, pod)

    def _places(self, pods: Iterable[Object]) -> list[Place]:
        on: dict[str, list[Object]] = {}
        for pod in pods:
            if node_name(pod) and not is_finished(pod):
                on.setdefault(node_name(pod), []).append(pod)
        moment = datetime.now(UTC)
        return [
            Place(as_ready(node) if plan.is_coming(node, moment) else node, on.get(node["metadata"]["name"], ()))
            for node in self._caches[NODES].all()
        ]

    async def _set_size(self, group: Group, growth: plan.Growth) -> bool:
        what = f"{{{group.name} {group.wanted}->{growth.size} (max: {group.most})}}"
        self._log.info("Final scale-up plan: [%s]", what)
        asked = {"AutoScalingGroupName": group.name, "DesiredCapacity": growth.size, "HonorCooldown": False}
        try:
            await self._cloud.act(CLUSTER_AUTOSCALER, "autoscaling", "set_desired_capacity", **asked)
        except ClientError as error:
            cause = words.of(error, "Auto Scaling", "SetDesiredCapacity")
            self._log.error("Failed to increase node group size: %s", cause)
            await self._tell("FailedToScaleUpGroup", f"Scale-up failed for group {group.name}: {cause}", warns=True)
            return False
        self._grew = time.monotonic()
        size = f"size set to {growth.size} instead of {group.wanted} (max: {group.most})"
        await self._tell("ScaledUpGroup", f"Scale-up: group {group.name} {size}")
        for pod in growth.helped:
            await self._events.normal(pod, "TriggeredScaleUp", f"pod triggered scale-up: [{what}]")
        return True

    async def _shrink(self, groups: Sequence[Group], nodes: Mapping[str, list[Object]], pod: Object) -> dict[str, int]:
        now, pods = time.monotonic(), self._caches[PODS].all()
        empty = {group.name: plan.unneeded(group, nodes[group.name], pods) for group in groups}
        names = {node["metadata"]["name"] for some in empty.values() for node in some}
        self._empty_since = {name: self._empty_since.get(name, now) for name in names}
        if now - self._grew > discovery.duration(pod, "scale-down-delay-after-add", AFTER_GROWTH):
            patience = discovery.duration(pod, "scale-down-unneeded-time", UNNEEDED)
            for node in [each for some in empty.values() for each in some]:
                if now - self._empty_since[node["metadata"]["name"]] > patience:
                    await self._remove(node)
        return {name: len(some) for name, some in empty.items()}

    async def _remove(self, node: Object) -> None:
        name = node["metadata"]["name"]
        asked = {
            "InstanceId": str(node["spec"]["providerID"]).rpartition("/")[2],
            "ShouldDecrementDesiredCapacity": True,
        }
        await self._caches.patch(NODES, node, {"spec": {"unschedulable": True}})
        await self._events.normal(node, "ScaleDown", "marked the node as toBeDeleted/unschedulable")
        operation = "terminate_instance_in_auto_scaling_group"
        await self._cloud.act(CLUSTER_AUTOSCALER, "autoscaling", operation, **asked)
        self._log.info("Scale-down: removing empty node %s", name)
        await self._tell("ScaleDownEmpty", f'Scale-down: removing empty node "{name}"')

    async def _report(
        self, groups: Sequence[Group], nodes: Mapping[str, list[Object]], candidates: Mapping[str, int]
    ) -> None:
        wanted = report.config_map(groups, nodes, candidates, self._transitions, datetime.now(UTC))
        present = await self._caches.api.get(CONFIG_MAPS, report.NAME, report.NAMESPACE)
        if present is None:
            self._map = await self._caches.api.create(CONFIG_MAPS, wanted)
        else:
            self._map = await self._caches.api.patch(CONFIG_MAPS, present, wanted)

    async def _tell(self, reason: str, message: str, *, warns: bool = False) -> None:
        """Record an event about the report, which is where the autoscaler puts those about groups."""
        about: Any = self._map
        if about:
            await (self._events.warning if warns else self._events.normal)(about, reason, message)
