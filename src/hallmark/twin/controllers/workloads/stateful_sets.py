"""StatefulSets: pods with names, in order, each with its own volumes."""

from collections.abc import Mapping

from hallmark.twin.controllers.clock import Clock, now
from hallmark.twin.controllers.workloads import claims, ordinals, revisions, templates
from hallmark.twin.controllers.workloads.children import claim, to_controller, to_itself, to_parents
from hallmark.twin.controllers.workloads.ordinals import Members
from hallmark.twin.controllers.workloads.pods import is_leaving, labels, next_available, phase
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import ApiError
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import CLAIMS, CONTROLLER_REVISIONS, PODS, STATEFUL_SETS, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper


class StatefulSets:
    """Keeps the pods of each StatefulSet.

    Args:
        caches: The cluster.
        clock: Tells the time.
    """

    name = "statefulset-controller"

    def __init__(self, caches: Caches, clock: Clock = now) -> None:
        self._caches = caches
        self._clock = clock
        self._recorder = Recorder(caches.api, self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """StatefulSets, their pods and revisions, and claims: a pod is made again once its old claim has ended."""
        return {
            STATEFUL_SETS: to_itself,
            PODS: to_parents(self._caches, STATEFUL_SETS),
            CONTROLLER_REVISIONS: to_controller(STATEFUL_SETS),
            CLAIMS: self._of_claim,
        }

    def _of_claim(self, claim: Object) -> list[Key]:
        namespace, name = key_of(claim)
        sets = self._caches[STATEFUL_SETS].all(namespace)
        return [key_of(each) for each in sets if claims.is_of(each, name)]

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step, and tell how it stands."""
        stateful_set = self._caches[STATEFUL_SETS].get(key)
        if stateful_set is None:
            return None
        await claim(self._caches, PODS, stateful_set, stateful_set["spec"]["selector"])
        history = await revisions.known(self._caches, stateful_set)
        update = await revisions.latest(self._caches, stateful_set, history)
        so_far = (stateful_set.get("status") or {}).get("currentRevision")
        current = next((each for each in history if each["metadata"]["name"] == so_far), update)
        try:
            if not is_leaving(stateful_set):
                await self._step(stateful_set, current, update)
        finally:
            wait = await self._report(stateful_set, current, update)
        live = {current["metadata"]["name"], update["metadata"]["name"]}
        live |= {labels(each).get(revisions.LABEL, "") for each in self._children(stateful_set)}
        await revisions.forget(self._caches, stateful_set, history, live)
        return wait

    async def _step(self, stateful_set: Object, current: Object, update: Object) -> None:
        members = self._members(stateful_set)
        plan = ordinals.plan(members, update["metadata"]["name"])
        for pod in members.pods.values():
            if phase(pod) == "Pending" and not is_leaving(pod):
                await self._claim_volumes(stateful_set, pod["metadata"]["name"])
        for ordinal, pod in members.pods.items():
            await self._keep_or_release(stateful_set, pod, condemned=ordinal not in members.wanted)
        names = [each["metadata"]["name"] for each in (current, update)]
        for ordinal in plan.create:
            chosen = ordinals.revision_for(members, ordinal, *names)
            await self._create(stateful_set, ordinal, current if chosen == names[0] else update)
        for pod in plan.delete:
            await self._delete(stateful_set, pod)

    async def _create(self, stateful_set: Object, ordinal: int, revision: Object) -> None:
        name = f"{stateful_set['metadata']['name']}-{ordinal}"
        if not await self._claim_volumes(stateful_set, name):
            return
        try:
            await self._caches.create(PODS, _pod(stateful_set, ordinal, revision))
        except ApiError as error:
            await self._tell(stateful_set, "create", name, error)
            raise
        await self._tell(stateful_set, "create", name)

    async def _delete(self, stateful_set: Object, pod: Object) -> None:
        name = pod["metadata"]["name"]
        try:
            await self._caches.delete(PODS, pod)
        except ApiError as error:
            await self._tell(stateful_set, "delete", name, error)
            raise
        await self._tell(stateful_set, "delete", name)

    async def _tell(self, stateful_set: Object, verb: str, name: str, error: ApiError | None = None) -> None:
        subject = f"{verb} Pod {name} in StatefulSet {stateful_set['metadata']['name']}"
        if error:
            message = f"{subject} failed error: {error.message}"
            await self._recorder.warning(stateful_set, f"Failed{verb.title()}", message)
        else:
            await self._recorder.normal(stateful_set, f"Successful{verb.title()}", f"{subject} successful")

    async def _claim_volumes(self, stateful_set: Object, pod_name: str) -> bool:
        # False: a claim of that name is about to end; the pod waits, or it would lose its volume.
        own = stateful_set["metadata"]
        for template in claims.templates(stateful_set):
            wanted = claims.make(stateful_set, template, pod_name)
            name = wanted["metadata"]["name"]
            if found := self._caches[CLAIMS].get((own["namespace"], name)):
                if is_leaving(found):
                    return False
                continue
            subject = f"create Claim {name} Pod {pod_name} in StatefulSet {own['name']}"
            try:
                await self._caches.create(CLAIMS, wanted)
            except ApiError as error:
                await self._recorder.warning(stateful_set, "FailedCreate", f"{subject} failed error: {error.message}")
                raise
            await self._recorder.normal(stateful_set, "SuccessfulCreate", f"{subject} success")
        return True

    async def _keep_or_release(self, stateful_set: Object, pod: Object, *, condemned: bool) -> None:
        for template in claims.templates(stateful_set):
            name = claims.name(template, pod["metadata"]["name"])
            found = self._caches[CLAIMS].get((stateful_set["metadata"]["namespace"], name))
            if found is None or is_leaving(found):
                continue
            wanted = claims.owners(stateful_set, found, pod, condemned=condemned)
            if wanted != (found["metadata"].get("ownerReferences") or []):
                await self._caches.patch(CLAIMS, found, {"metadata": {"ownerReferences": wanted}})

    async def _report(self, stateful_set: Object, current: Object, update: Object) -> float | None:
        members = self._members(stateful_set)
        wanted = ordinals.status(stateful_set, members, current["metadata"]["name"], update["metadata"]["name"])
        if wanted != stateful_set.get("status"):
            await self._caches.update(STATEFUL_SETS, {**stateful_set, "status": wanted}, "status")
        pace = stateful_set["spec"].get("minReadySeconds", 0)
        return next_available(members.pods.values(), pace, self._clock())

    def _members(self, stateful_set: Object) -> Members:
        pods = {ordinals.ordinal_of(each["metadata"]["name"]): each for each in self._children(stateful_set)}
        return Members(stateful_set["spec"], pods, self._clock())

    def _children(self, stateful_set: Object) -> list[Object]:
        return self._caches[PODS].controlled_by(stateful_set["metadata"]["uid"])


def _pod(stateful_set: Object, ordinal: int, revision: Object) -> Object:
    name = f"{stateful_set['metadata']['name']}-{ordinal}"
    marks = {
        revisions.LABEL: revision["metadata"]["name"],
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(ordinal),
    }
    pod = templates.pod(stateful_set, revisions.template_of(revision), marks, name)
    volumes = claims.volumes(stateful_set, pod["spec"].get("volumes") or [], name)
    identity = {"hostname": name, "subdomain": stateful_set["spec"].get("serviceName", "")}
    return {**pod, "spec": {**pod["spec"], **identity, **({"volumes": volumes} if volumes else {})}}
