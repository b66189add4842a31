"""Kubernetes events: what an operator reads in `kubectl describe`. The same one again only counts up."""

from collections import OrderedDict
from datetime import UTC, datetime
from secrets import token_hex

from hallmark.errors import EnvironmentFault
from hallmark.twin.kube.client import Api, ApiError
from hallmark.twin.kube.kinds import EVENTS, Object

REMEMBERED = 1000


class Recorder:
    """Writes events in the name of one component.

    Args:
        api: The cluster.
        component: For example ``deployment-controller``; shown as the event's source.
    """

    def __init__(self, api: Api, component: str) -> None:
        self._api = api
        self._component = component
        self._written: OrderedDict[tuple[str, str, str], Object] = OrderedDict()

    async def normal(self, about: Object, reason: str, message: str) -> None:
        """Record something expected. An event that cannot be written is dropped: events never stop the work."""
        await self._record(about, "Normal", reason, message)

    async def warning(self, about: Object, reason: str, message: str) -> None:
        """Record something an operator should see."""
        await self._record(about, "Warning", reason, message)

    async def _record(self, about: Object, type_: str, reason: str, message: str) -> None:
        identity = (about["metadata"].get("uid", ""), reason, message)
        try:
            self._written[identity] = await self._write(about, type_, reason, message, self._written.get(identity))
        except (ApiError, EnvironmentFault):
            self._written.pop(identity, None)
        while len(self._written) > REMEMBERED:
            self._written.popitem(last=False)

    async def _write(self, about: Object, type_: str, reason: str, message: str, earlier: Object | None) -> Object:
        now = timestamp()
        if earlier:
            return await self._api.patch(EVENTS, earlier, {"count": earlier["count"] + 1, "lastTimestamp": now})
        metadata = about["metadata"]
        namespace = metadata.get("namespace", "default")
        about_fields = {
            name: metadata[name] for name in ("name", "namespace", "uid", "resourceVersion") if name in metadata
        }
        event = {
            "metadata": {"name": f"{metadata['name']}.{token_hex(8)}", "namespace": namespace},
            "involvedObject": {"apiVersion": about["apiVersion"], "kind": about["kind"], **about_fields},
            "type": type_,
            "reason": reason,
            "message": message,
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": self._component},
            "reportingComponent": self._component,
        }
        return await self._api.create(EVENTS, event)


def timestamp() -> str:
    """The present moment as the API writes it: RFC 3339, whole seconds, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
