"""The controller: a group of Ingresses, its load balancer, its status and its events."""

import asyncio
from collections.abc import Iterable, Mapping

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.cloud import STALE, Cloud
from hallmark.twin.controllers.aws.gate import LOAD_BALANCER_CONTROLLER
from hallmark.twin.controllers.aws.load_balancer import targets
from hallmark.twin.controllers.aws.load_balancer.annotations import PREFIX, Unusable, is_for_alb
from hallmark.twin.controllers.aws.load_balancer.deploy import Deployer
from hallmark.twin.controllers.aws.load_balancer.model import Model, build
from hallmark.twin.controllers.aws.load_balancer.naming import Group
from hallmark.twin.controllers.aws.load_balancer.network import Network
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import (
    ENDPOINT_SLICES,
    INGRESS_CLASSES,
    INGRESSES,
    NODES,
    SERVICES,
    Key,
    Kind,
    Object,
    key_of,
)
from hallmark.twin.kube.reconcile import Mapper

OWN = "ingress.k8s.aws/resources"
SHARED = "group.ingress.k8s.aws/"
"""Finalizers: of an Ingress that has a load balancer to itself, and of a member of a named group."""
AGAIN, UNTIL_ACTIVE = 10.0, 2.0
"""Seconds before a failed model is tried again, and before a controller that is not running looks again."""


class Ingresses:
    """See the package for what is kept of the real controller.

    Args:
        cloud: The cluster and the account it is in.
    """

    name = LOAD_BALANCER_CONTROLLER.name

    def __init__(self, cloud: Cloud) -> None:
        self._caches: Caches = cloud.caches
        self._cloud = cloud
        self._events = Recorder(cloud.caches.api, "ingress")
        self._log = cloud.log(self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """Ingresses, and what decides about their targets."""
        return {
            INGRESSES: self._groups_of,
            INGRESS_CLASSES: lambda _: self._groups_of_all(),
            SERVICES: lambda service: self._groups_using(key_of(service)),
            ENDPOINT_SLICES: self._groups_behind,
            NODES: lambda _: (),
        }

    async def reconcile(self, key: Key) -> float | None:
        """Bring the load balancer of one group in order."""
        identity = self._cloud.gate.identity(LOAD_BALANCER_CONTROLLER)
        if identity is None or not self._cloud.cluster:
            return UNTIL_ACTIVE
        group = Group(*key)
        members = [each for each in self._caches[INGRESSES].all() if self._is_member(each, group)]
        members.sort(key=lambda each: (_order(each), key_of(each)))
        try:
            deployer = await self._deployer(identity)
            if members:
                await self._deploy(deployer, group, members)
            else:
                await asyncio.to_thread(deployer.remove, group)
        except Unusable as cause:
            return await self._failed(members, "FailedBuildModel", f"Failed build model due to {cause}")
        except ClientError as error:
            if error.response["Error"]["Code"] in STALE:
                self._cloud.sessions.forget(identity)
                return 0.0
            return await self._failed(members, "FailedDeployModel", f"Failed deploy model due to {_words(error)}")
        await self._release(group, members)
        return None

    async def _deployer(self, identity: Key) -> Deployer:
        """What makes load balancers, acting as the role of the controller's service account."""
        cluster, session = self._cloud.cluster, self._cloud.sessions
        elb, waf, ec2 = [await session.client(each, identity, cluster) for each in ("elbv2", "wafv2", "ec2")]
        described = await self._cloud.run(self._cloud.account("eks").describe_cluster, name=cluster)
        place = described["cluster"]["resourcesVpcConfig"]
        network = Network(ec2, cluster, place["vpcId"], place["clusterSecurityGroupId"])
        return Deployer(elb, waf, network, cluster)

    async def _deploy(self, deployer: Deployer, group: Group, members: list[Object]) -> None:
        held = [await self._hold(each, _finalizer(group)) for each in members]
        services = {key_of(each): each for each in self._caches[SERVICES].all()}
        model = build(self._cloud.cluster, group, held, services)
        dns = await asyncio.to_thread(deployer.deploy, model, self._targets(model, services))
        ports = [{"port": each.port, "protocol": "TCP"} for each in model.listeners]
        for member in held:
            await self._publish(member, {"loadBalancer": {"ingress": [{"hostname": dns, "ports": ports}]}})
            await self._events.normal(member, "SuccessfullyReconciled", "Successfully reconciled")

    def _targets(self, model: Model, services: Mapping[Key, Object]) -> dict[str, list[targets.Address]]:
        found = {}
        for name, group in model.targets.items():
            service = services[group.namespace, group.service]
            if group.settings["TargetType"] == "ip":
                found[name] = targets.of_pods(group, service, self._caches[ENDPOINT_SLICES].all(group.namespace))
            else:
                found[name] = targets.of_instances(group, service, self._caches[NODES].all())
        return found

    async def _hold(self, ingress: Object, finalizer: str) -> Object:
        present = ingress["metadata"].get("finalizers") or []
        if finalizer in present:
            return ingress
        return await self._caches.patch(INGRESSES, ingress, {"metadata": {"finalizers": [*present, finalizer]}})

    async def _publish(self, ingress: Object, status: Object) -> None:
        if ingress.get("status") != status:
            await self._caches.patch(INGRESSES, ingress, {"status": status}, "status")

    async def _release(self, group: Group, members: list[Object]) -> None:
        """Let go of Ingresses that left the group; one that is being deleted is gone with that."""
        finalizer, staying = _finalizer(group), {key_of(each) for each in members}
        for each in self._caches[INGRESSES].all():
            present = each["metadata"].get("finalizers") or []
            if finalizer in present and key_of(each) not in staying and group in _held_by(each):
                kept = [name for name in present if name != finalizer]
                await self._caches.patch(INGRESSES, each, {"metadata": {"finalizers": kept}})

    async def _failed(self, members: list[Object], reason: str, message: str) -> float:
        self._log.error("%s", message)
        for member in members:
            await self._events.warning(member, reason, message)
        return AGAIN

    def _is_member(self, ingress: Object, group: Group) -> bool:
        leaving = ingress["metadata"].get("deletionTimestamp")
        return not leaving and is_for_alb(ingress, self._classes()) and _group(ingress) == group

    def _classes(self) -> dict[str, str]:
        return {
            each["metadata"]["name"]: each["spec"].get("controller", "") for each in self._caches[INGRESS_CLASSES].all()
        }

    def _groups_of(self, ingress: Object) -> set[Key]:
        ours = {_group(ingress)} if is_for_alb(ingress, self._classes()) else set()
        return {(each.namespace, each.name) for each in ours | _held_by(ingress)}

    def _groups_of_all(self) -> set[Key]:
        return {key for ingress in self._caches[INGRESSES].all() for key in self._groups_of(ingress)}

    def _groups_using(self, service: Key) -> Iterable[Key]:
        using = [each for each in self._caches[INGRESSES].all(service[0]) if service[1] in _services(each)]
        return {key for ingress in using for key in self._groups_of(ingress)}

    def _groups_behind(self, piece: Object) -> Iterable[Key]:
        name = piece["metadata"].get("labels", {}).get(targets.SERVICE_NAME, "")
        return self._groups_using((piece["metadata"]["namespace"], name))


def _group(ingress: Object) -> Group:
    name = (ingress["metadata"].get("annotations") or {}).get(f"{PREFIX}group.name", "")
    return Group("", name) if name else Group(*key_of(ingress))


def _held_by(ingress: Object) -> set[Group]:
    """Return the groups whose finalizer an Ingress carries: those it belongs to, or belonged to."""
    present = ingress["metadata"].get("finalizers") or []
    shared = {Group("", each.removeprefix(SHARED)) for each in present if each.startswith(SHARED)}
    return shared | ({Group(*key_of(ingress))} if OWN in present else set())


def _finalizer(group: Group) -> str:
    return OWN if group.namespace else f"{SHARED}{group.name}"


def _order(ingress: Object) -> int:
    text = (ingress["metadata"].get("annotations") or {}).get(f"{PREFIX}group.order", "0")
    return int(text) if text.lstrip("-").isdigit() else 0


def _services(ingress: Object) -> set[str]:
    paths = [path for rule in ingress["spec"].get("rules") or [] for path in (rule.get("http") or {}).get("paths", [])]
    backends = [path["backend"] for path in paths] + [ingress["spec"].get("defaultBackend") or {}]
    return {backend["service"]["name"] for backend in backends if "service" in backend}


def _words(error: ClientError) -> str:
    said, status = error.response["Error"], error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return (
        f"operation error {error.operation_name}, https response error StatusCode: {status}, "
        f"api error {said.get('Code')}: {said.get('Message')}"
    )
