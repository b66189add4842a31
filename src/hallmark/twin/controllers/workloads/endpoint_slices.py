"""EndpointSlices: which pods a Service leads to; and the older Endpoints, which `kubectl get endpoints` shows."""

from collections.abc import Iterable, Mapping, Sequence

from hallmark.twin.controllers.workloads import endpoints
from hallmark.twin.controllers.workloads.children import to_itself
from hallmark.twin.controllers.workloads.pods import is_leaving, labels
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.kinds import ENDPOINT_SLICES, NODES, PODS, SERVICES, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper

ENDPOINTS = Kind("", "v1", "endpoints", "Endpoints")


class EndpointSlices:
    """Keeps the slices of each Service that selects pods.

    Args:
        caches: The cluster.
    """

    name = "endpointslice-controller"

    def __init__(self, caches: Caches) -> None:
        self._caches = caches
        self._selected: dict[str, set[Key]] = {}

    def watches(self) -> Mapping[Kind, Mapper]:
        """Services, their slices, and pods that a Service selects or did."""
        return {
            SERVICES: to_itself,
            PODS: self._of_pod,
            ENDPOINT_SLICES: _to_service,
            ENDPOINTS: to_itself,
            NODES: lambda _: (),
        }

    async def reconcile(self, key: Key) -> None:
        """Write the slices and the Endpoints of a Service."""
        service = self._caches[SERVICES].get(key)
        if service is None:
            await self._forget(key)
        elif service["spec"].get("selector") and service["spec"].get("type") != "ExternalName":
            pods = endpoints.selected(service, self._caches[PODS].all(key[0]))
            await self._write_slices(service, pods)
            await self._write_endpoints(service, pods)

    async def _write_slices(self, service: Object, pods: Sequence[Object]) -> None:
        zones = {each["metadata"]["name"]: each for each in self._caches[NODES].all()}
        wanted = endpoints.slices(service, pods, zones)
        present = self._slices(key_of(service))
        for old, new in zip(present, wanted, strict=False):
            if any(old.get(name) != new.get(name) for name in ("ports", "endpoints")) or labels(old) != labels(new):
                await self._caches.update(ENDPOINT_SLICES, {**new, "metadata": {**old["metadata"], **_kept(new)}})
        for new in wanted[len(present) :]:
            await self._caches.create(ENDPOINT_SLICES, new)
        for old in present[len(wanted) :]:
            await self._caches.delete(ENDPOINT_SLICES, old)

    async def _write_endpoints(self, service: Object, pods: Sequence[Object]) -> None:
        wanted = endpoints.legacy(service, pods)
        present = self._caches[ENDPOINTS].get(key_of(service))
        if present is None:
            await self._caches.create(ENDPOINTS, wanted)
        elif (present.get("subsets") or []) != wanted["subsets"] or labels(present) != labels(wanted):
            whose = {"apiVersion": ENDPOINTS.api_version, "kind": ENDPOINTS.kind}
            metadata = {**present["metadata"], "labels": wanted["metadata"]["labels"]}
            await self._caches.update(ENDPOINTS, {**whose, **wanted, "metadata": metadata})

    async def _forget(self, key: Key) -> None:
        # Slices go with the Service that owns them; Endpoints have its name and no owner.
        present = self._caches[ENDPOINTS].get(key)
        if present and not is_leaving(present) and labels(present).get(endpoints.MANAGED) == endpoints.LEGACY_MANAGER:
            await self._caches.delete(ENDPOINTS, present)

    def _slices(self, key: Key) -> list[Object]:
        found = [each for each in self._caches[ENDPOINT_SLICES].all(key[0]) if key in _to_service(each)]
        return sorted(found, key=lambda each: str(each["metadata"]["name"]))

    def _of_pod(self, pod: Object) -> Iterable[Key]:
        # A pod that is relabelled leaves the Services that selected it before.
        services = {
            key_of(each)
            for each in self._caches[SERVICES].all(pod["metadata"]["namespace"])
            if endpoints.selects(each, pod)
        }
        uid = pod["metadata"]["uid"]
        before = self._selected.get(uid, set())
        if self._caches[PODS].get(key_of(pod)):
            self._selected[uid] = services
        else:
            self._selected.pop(uid, None)
        return services | before


def _to_service(slice_: Object) -> Iterable[Key]:
    if labels(slice_).get(endpoints.SLICE_MANAGED) != endpoints.MANAGER:
        return []
    return [(slice_["metadata"]["namespace"], labels(slice_).get(endpoints.SERVICE, ""))]


def _kept(new: Object) -> Object:
    return {"labels": new["metadata"]["labels"]}
