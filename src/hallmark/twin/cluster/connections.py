"""Calls to parts of objects: scales, actions, and everything that leads to a kubelet."""

from typing import Any

from aiohttp import web

from hallmark.twin.cluster import deletion, statuses
from hallmark.twin.cluster.calls import Call, parse_json, raw_body, read_object
from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.decoding import check_types
from hallmark.twin.cluster.destinations import behind, pod_port
from hallmark.twin.cluster.kubelets import Kubelets
from hallmark.twin.cluster.patching import MERGE, STRATEGIC, patched
from hallmark.twin.cluster.representations import Shape, answer
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store, encode
from hallmark.twin.cluster.subresources import Actions, scale_of, scaled
from hallmark.twin.cluster.verbs import Verbs
from hallmark.twin.cluster.writing import Writer

STREAMED = frozenset({"exec", "attach", "portforward"})
LIKE_THE_OBJECT = frozenset({"ephemeralcontainers", "resize", "approval"})
"""Parts that are written by writing the object."""

Json = dict[str, Any]


class Connections:
    """Answers for parts of objects.

    Args:
        store: Where the objects are.
        verbs: Finds them.
        writer: Stores them.
        actions: What a POST does.
        kubelets: The way to pods.
    """

    def __init__(self, store: Store, verbs: Verbs, writer: Writer, actions: Actions, kubelets: Kubelets) -> None:
        self._store = store
        self._verbs = verbs
        self._writer = writer
        self._actions = actions
        self._kubelets = kubelets

    async def answer(self, call: Call) -> web.StreamResponse:
        """Answer a call about a part of an object.

        Raises:
            Refusal: It is refused.
        """
        if call.subresource == "proxy":
            return await self._proxy(call)
        if call.subresource == "scale":
            return await self._scale(call)
        if call.subresource in LIKE_THE_OBJECT:
            return await self._verbs.item(call)
        if call.resource.kind == "Pod" and call.subresource == "log":
            return await self._kubelets.logs(call, self._verbs.find(call).object)
        if call.resource.kind == "Pod" and call.subresource in STREAMED:
            return await self._kubelets.stream(call, self._verbs.find(call).object)
        return await self._act(call)

    async def _act(self, call: Call) -> web.StreamResponse:
        if call.request.method not in {"POST", "PUT"}:
            raise deletion.refuse_method(call.resource)
        about = call.resource.subresources[call.subresource]
        sent = check_types(about["group"], about["version"], about["kind"], await read_object(call.request))
        entry = self._verbs.find(call)
        match call.resource.kind, call.subresource:
            case "Namespace", "finalize":
                return answer(Shape(call).one(self._actions.finalize(call, entry, sent)))
            case "Pod", "binding":
                done = self._actions.bind(call, entry, sent)
            case "Pod", "eviction":
                done = self._actions.evict(call, entry, sent)
            case "ServiceAccount", "token":
                done = self._actions.token(call, entry, sent)
            case _:
                raise statuses.no_such_path()
        return answer(encode(done), 201, call.warnings)

    async def _scale(self, call: Call) -> web.StreamResponse:
        resource, method = call.resource, call.request.method
        if method == "GET":
            return answer(encode(scale_of(resource, self._verbs.find(call).object)))
        if method == "PUT":
            sent = await read_object(call.request)
            entry = self._verbs.find(call)
        elif method == "PATCH":
            change = parse_json(await raw_body(call.request))
            entry = self._verbs.find(call)
            sent = _patched_scale(call, entry, change)
        else:
            raise deletion.refuse_method(resource)
        check_types("autoscaling", "v1", "Scale", sent)
        written = self._writer.update(call, entry, scaled(resource, entry, sent))
        return answer(encode(scale_of(resource, written.object)), 200, call.warnings)

    async def _proxy(self, call: Call) -> web.StreamResponse:
        if call.resource.kind == "Node":
            return await self._kubelets.proxy_node(call, call.name.split(":")[0])
        name, port = _name_and_port(call.name)
        if call.resource.kind == "Service":
            self._find(call, name)
            pod, port = behind(self._store, call.namespace, name, port)
            return await self._kubelets.proxy_pod(call, pod, port)
        pod = self._find(call, name)
        return await self._kubelets.proxy_pod(call, pod, pod_port(pod, port))

    def _find(self, call: Call, name: str) -> Json:
        entry = self._store.get(call.resource.storage, call.namespace, name)
        if entry is None:
            raise statuses.not_found(call.resource.group, call.resource.plural, name)
        return entry.object


def _patched_scale(call: Call, entry: Entry, change: Any) -> Json:
    # A Scale has no lists, so a strategic merge is a plain one.
    kind = call.request.content_type
    return patched(call.resource, scale_of(call.resource, entry.object), MERGE if kind == STRATEGIC else kind, change)


def _name_and_port(text: str) -> tuple[str, str]:
    # [scheme:]name[:port]; Kubernetes documentation, "Access Services Running on Clusters".
    parts = text.split(":")
    if len(parts) == 3:  # noqa: PLR2004 - all three
        parts = parts[1:]
    if len(parts) > 2:  # noqa: PLR2004 - name, port
        raise Refusal(400, f"invalid request {text}")
    return parts[0], parts[1] if len(parts) > 1 else ""
