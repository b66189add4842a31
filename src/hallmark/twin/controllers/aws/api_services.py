"""The aggregator of kube-apiserver: an APIService is available while the Service behind it has ready endpoints.

Source: kube-aggregator, ``available_controller``.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.controllers.workloads.pods import labels
from hallmark.twin.kube.kinds import API_SERVICES, ENDPOINT_SLICES, SERVICES, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper

OF_SERVICE = "kubernetes.io/service-name"


class ApiServices:
    """Says of each APIService that a Service answers for whether it is available.

    Args:
        cloud: The cluster.
    """

    name = "kube-aggregator"

    def __init__(self, cloud: Cloud) -> None:
        self._caches = cloud.caches

    def watches(self) -> Mapping[Kind, Mapper]:
        """APIServices, and the Services and endpoints behind them."""
        return {
            API_SERVICES: lambda one: [key_of(one)],
            SERVICES: lambda service: self._answered_by(key_of(service)),
            ENDPOINT_SLICES: lambda one: self._answered_by(
                (one["metadata"]["namespace"], labels(one).get(OF_SERVICE, ""))
            ),
        }

    async def reconcile(self, key: Key) -> None:
        """Look at one APIService."""
        one = self._caches[API_SERVICES].get(key)
        if one is None or not one["spec"].get("service"):
            return
        new = availability(one, self._caches[SERVICES].get(_behind(one)), self._caches[ENDPOINT_SLICES].all())
        known = conditions.find(one, "Available") or {}
        if {name: known.get(name) for name in ("status", "reason", "message")} == new:
            return
        condition = conditions.make("Available", new["status"], new["reason"], new["message"], datetime.now(UTC))
        told = conditions.put((one.get("status") or {}).get("conditions") or [], condition)
        await self._caches.patch(API_SERVICES, one, {"status": {"conditions": told}}, "status")

    def _answered_by(self, service: Key) -> list[Key]:
        services = [each for each in self._caches[API_SERVICES].all() if each["spec"].get("service")]
        return [key_of(each) for each in services if _behind(each) == service]


def _behind(one: Object) -> Key:
    service = one["spec"]["service"]
    return service["namespace"], service["name"]


def availability(one: Object, service: Object | None, slices: Iterable[Object]) -> dict[str, str]:
    """Status, reason and message of the condition ``Available``.

    Args:
        one: The APIService.
        service: The Service behind it, if it exists.
        slices: All EndpointSlices.
    """
    namespace, name = _behind(one)
    if service is None:
        message = f'service/{name} in "{namespace}" is not present'
        return {"status": "False", "reason": "ServiceNotFound", "message": message}
    mine = [
        each for each in slices if (each["metadata"]["namespace"], labels(each).get(OF_SERVICE)) == (namespace, name)
    ]
    ready = any((end.get("conditions") or {}).get("ready") for each in mine for end in each.get("endpoints") or [])
    if not ready:
        port = next((each.get("name", "") for each in service["spec"].get("ports") or []), "")
        message = f'endpoints for service/{name} in "{namespace}" have no addresses with port name "{port}"'
        return {"status": "False", "reason": "MissingEndpoints", "message": message}
    return {"status": "True", "reason": "Passed", "message": "all checks passed"}
