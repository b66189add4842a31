"""Deployments: one ReplicaSet a template, and the way from the old one to the new one."""

from collections.abc import Iterable, Mapping

from hallmark.twin.controllers.clock import Clock, now
from hallmark.twin.controllers.workloads import deployment_status, rollout, templates
from hallmark.twin.controllers.workloads.children import claim, to_controller, to_itself, to_parents
from hallmark.twin.controllers.workloads.pods import annotations, is_finished, is_leaving, status
from hallmark.twin.controllers.workloads.rollout import DESIRED, HASH, HISTORY, MOST, REVISION
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import ApiError, Conflict
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import DEPLOYMENTS, PODS, REPLICA_SETS, Key, Kind, Object, owned_by
from hallmark.twin.kube.reconcile import Mapper

OWN = {REVISION, HISTORY, DESIRED, MOST, "kubectl.kubernetes.io/last-applied-configuration"}
"""Annotations of a Deployment that its ReplicaSets do not inherit."""


class Deployments:
    """Rolls out each Deployment.

    Args:
        caches: The cluster.
        clock: Tells the time.
    """

    name = "deployment-controller"

    def __init__(self, caches: Caches, clock: Clock = now) -> None:
        self._caches = caches
        self._clock = clock
        self._recorder = Recorder(caches.api, self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """Deployments, their ReplicaSets, and pods: ``Recreate`` waits for the last old one."""
        return {
            DEPLOYMENTS: to_itself,
            REPLICA_SETS: to_parents(self._caches, DEPLOYMENTS),
            PODS: self._to_deployment,
        }

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step of the rollout, and tell how it stands."""
        deployment = self._caches[DEPLOYMENTS].get(key)
        if deployment is None:
            return None
        sets = await claim(self._caches, REPLICA_SETS, deployment, deployment["spec"]["selector"])
        if not is_leaving(deployment):
            await self._advance(deployment, *rollout.split(deployment, sets))
        return await self._report(self._caches[DEPLOYMENTS].get(key))

    async def _advance(self, deployment: Object, new: Object | None, old: list[Object]) -> None:
        if new:
            new = await self._renumber(deployment, new, old)
        if deployment["spec"].get("paused") or rollout.is_scaled(deployment, [*old, *([new] if new else [])]):
            sizes = rollout.scaled(deployment, new, old)
        elif self._waits_for_old_pods(deployment, old):
            sizes = {each["metadata"]["name"]: 0 for each in old if rollout.size(each)}
        elif new is None:
            await self._begin(deployment, old)
            return
        else:
            sizes = rollout.step(deployment, new, old)
        for each in [*([new] if new else []), *old]:
            await self._resize(deployment, each, sizes.get(each["metadata"]["name"]))
        if rollout.is_complete(deployment, status(deployment)):
            for each in rollout.forgettable(deployment, old):
                await self._caches.delete(REPLICA_SETS, each, propagationPolicy="Background")

    async def _begin(self, deployment: Object, old: list[Object]) -> None:
        size = rollout.first_size(deployment, old)
        collisions = status(deployment).get("collisionCount", 0)
        fresh = _replica_set(deployment, old, size, collisions)
        try:
            created = await self._caches.create(REPLICA_SETS, fresh)
        except Conflict:
            # The name is taken by a set with another template; a set of ours would have been found.
            counted = {**status(deployment), "collisionCount": collisions + 1}
            await self._caches.update(DEPLOYMENTS, {**deployment, "status": counted}, "status")
            return
        except ApiError as error:
            message = f'Failed to create new replica set "{fresh["metadata"]["name"]}": {error.message}'
            await self._recorder.warning(deployment, "ReplicaSetCreateError", message)
            raise
        await self._number(deployment, annotations(created)[REVISION])
        if size:
            await self._tell(deployment, created, 0, size)

    async def _renumber(self, deployment: Object, new: Object, old: list[Object]) -> Object:
        # A set that becomes the current one again, as after `kubectl rollout undo`, gets the next revision.
        wanted = {name: value for name, value in annotations(deployment).items() if name not in OWN}
        following = max((rollout.revision(each) for each in old), default=0) + 1
        if rollout.revision(new) < following:
            history = [each for each in annotations(new).get(HISTORY, "").split(",") if each]
            past = annotations(new).get(REVISION)
            wanted |= {REVISION: str(following)} | ({HISTORY: ",".join([*history, past])} if past else {})
        if not wanted.items() <= annotations(new).items() or _pace(new) != _pace(deployment):
            change = {"metadata": {"annotations": wanted}, "spec": {"minReadySeconds": _pace(deployment)}}
            new = await self._caches.patch(REPLICA_SETS, new, change)
        await self._number(deployment, annotations(new).get(REVISION, "1"))
        return new

    async def _number(self, deployment: Object, revision: str) -> None:
        if annotations(deployment).get(REVISION) != revision:
            await self._caches.patch(DEPLOYMENTS, deployment, {"metadata": {"annotations": {REVISION: revision}}})

    async def _resize(self, deployment: Object, replica_set: Object, wanted: int | None) -> None:
        if wanted is None:
            return
        told = _told(deployment)
        if wanted == rollout.size(replica_set) and told.items() <= annotations(replica_set).items():
            return
        change = {"metadata": {"annotations": told}, "spec": {"replicas": wanted}}
        await self._caches.patch(REPLICA_SETS, replica_set, change)
        if wanted != rollout.size(replica_set):
            await self._tell(deployment, replica_set, rollout.size(replica_set), wanted)

    async def _tell(self, deployment: Object, replica_set: Object, before: int, after: int) -> None:
        way = "up" if after > before else "down"
        message = f"Scaled {way} replica set {replica_set['metadata']['name']} from {before} to {after}"
        await self._recorder.normal(deployment, "ScalingReplicaSet", message)

    async def _report(self, deployment: Object | None) -> float | None:
        if deployment is None:
            return None
        sets = self._caches[REPLICA_SETS].controlled_by(deployment["metadata"]["uid"])
        wanted = deployment_status.calculate(deployment, *rollout.split(deployment, sets), self._clock())
        if wanted != deployment.get("status"):
            deployment = await self._caches.update(DEPLOYMENTS, {**deployment, "status": wanted}, "status")
        return deployment_status.late_in(deployment, self._clock())

    def _waits_for_old_pods(self, deployment: Object, old: Iterable[Object]) -> bool:
        if deployment["spec"]["strategy"]["type"] != "Recreate":
            return False
        pods = [pod for each in old for pod in self._caches[PODS].controlled_by(each["metadata"]["uid"])]
        return any(not is_finished(pod) for pod in pods)

    def _to_deployment(self, pod: Object) -> Iterable[Key]:
        for place in to_controller(REPLICA_SETS)(pod):
            replica_set = self._caches[REPLICA_SETS].get(place)
            for key in to_controller(DEPLOYMENTS)(replica_set) if replica_set else ():
                deployment = self._caches[DEPLOYMENTS].get(key)
                if deployment and deployment["spec"]["strategy"]["type"] == "Recreate":
                    yield key


def _replica_set(deployment: Object, old: Iterable[Object], size: int, collisions: int) -> Object:
    spec, metadata = deployment["spec"], deployment["metadata"]
    code = templates.short_hash(spec["template"], collisions)
    template_metadata = spec["template"].get("metadata") or {}
    marked = {**(template_metadata.get("labels") or {}), HASH: code}
    selector = spec["selector"]
    inherited = {name: value for name, value in annotations(deployment).items() if name not in OWN}
    revision = max((rollout.revision(each) for each in old), default=0) + 1
    return {
        "metadata": {
            "name": f"{metadata['name']}-{code}",
            "namespace": metadata["namespace"],
            "labels": marked,
            "annotations": {**inherited, **_told(deployment), REVISION: str(revision)},
            "ownerReferences": owned_by(deployment),
        },
        "spec": {
            "replicas": size,
            "minReadySeconds": _pace(deployment),
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH: code}},
            "template": {**spec["template"], "metadata": {**template_metadata, "labels": marked}},
        },
    }


def _told(deployment: Object) -> dict[str, str]:
    return {DESIRED: str(deployment["spec"]["replicas"]), MOST: str(rollout.maximum(deployment))}


def _pace(thing: Object) -> int:
    return int(thing["spec"].get("minReadySeconds", 0))
