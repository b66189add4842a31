"""The four kinds of patches, from a request to the object's next state.

Kubernetes documentation, "Update API Objects in Place Using kubectl patch" and "Server-Side Apply".
"""

from collections.abc import Callable
from typing import Any

from hallmark.twin.cluster import statuses, versions
from hallmark.twin.cluster.calls import Call, as_object, parse_json, parse_yaml, raw_body
from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.decoding import decoded
from hallmark.twin.cluster.metadata import now
from hallmark.twin.cluster.registry import Resource
from hallmark.twin.cluster.schema import ownership, patches, validation
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.writing import Writer

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

Json = dict[str, Any]


class Patcher:
    """Patches objects.

    Args:
        writer: Stores the result.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def patch(self, call: Call, find: Callable[[], Entry | None]) -> tuple[Entry, bool]:
        """Patch an object, or create it if it is applied and does not exist.

        Args:
            call: The request; its body is read here.
            find: Finds the object, after the body was read.

        Returns:
            The object as stored, and whether it is new.

        Raises:
            Refusal: The patch is wrong, or its result.
        """
        kind = call.request.content_type
        body = await raw_body(call.request)
        change = parse_yaml(body) if kind == APPLY else parse_json(body)
        old = find()
        if kind == APPLY:
            return await self._apply(call, old, as_object(change))
        if old is None:
            raise statuses.not_found(call.resource.group, call.resource.plural, call.name)
        new = patched(call.resource, versions.shown(call.resource, old.object), kind, change)
        return self._writer.update(call, old, decoded(call, new)), False

    async def _apply(self, call: Call, old: Entry | None, config: Json) -> tuple[Entry, bool]:
        if not config.get("apiVersion") or not config.get("kind"):
            raise Refusal(400, "Object 'Kind' is missing in the applied configuration")
        config = _part(call, decoded(call, config))
        _check_applied(call, config)
        before = versions.shown(call.resource, old.object) if old else None
        try:
            new = ownership.apply(
                before,
                config,
                call.resource.schema,
                manager=call.query["fieldManager"],
                force=call.flag("force"),
                api_version=call.resource.api_version,
                subresource=call.subresource,
                time=now(),
            )
        except ownership.Conflict as conflict:
            raise _conflict(call, conflict.causes) from conflict
        except ownership.BadConfig as error:
            raise Refusal(500, str(error)) from error
        # A configuration may be a part only: what is required is asked of the whole.
        call.errors = validation.check(new, call.resource.schema, custom=call.resource.custom).errors
        if old is None:
            return await self._writer.create(call, new, applied=True), True
        return self._writer.update(call, old, new, applied=True), False


def patched(resource: Resource, obj: Json, kind: str, change: Any) -> Json:
    """An object with a patch of the three plain kinds.

    Args:
        resource: Whose object it is.
        obj: The object.
        kind: Media type of the patch.
        change: The patch.

    Raises:
        Refusal: The patch is of an unknown kind, or does not fit.
    """
    try:
        if kind == JSON_PATCH:
            result = patches.json_patch(obj, change)
        elif kind == MERGE:
            result = patches.merge(obj, as_object(change))
        elif kind == STRATEGIC and not resource.custom:
            result = patches.strategic(obj, as_object(change), resource.schema)
        else:
            raise _unknown_kind(resource)
    except patches.BadPatch as error:
        message = f"the server rejected our request due to an error in our request: {error}"
        raise Refusal(422 if error.invalid else 400, message) from error
    return as_object(result)


def _part(call: Call, config: Json) -> Json:
    # The part of a configuration that this endpoint writes.
    if call.subresource == "status":
        kept = {"apiVersion", "kind", "metadata", "status"}
    else:
        kept = config.keys() - ({"status"} if "status" in call.resource.subresources else set())
    return {key: value for key, value in config.items() if key in kept}


def _unknown_kind(resource: Resource) -> Refusal:
    accepted = [JSON_PATCH, MERGE, *(() if resource.custom else (STRATEGIC,)), APPLY]
    message = "the body of the request was in an unknown format - accepted media types include: "
    return Refusal(415, message + ", ".join(accepted))


def _check_applied(call: Call, config: Json) -> None:
    if not call.query.get("fieldManager"):
        message = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
        raise Refusal(422, message)
    metadata = config.setdefault("metadata", {})
    if metadata.get("managedFields"):
        raise Refusal(400, "metadata.managedFields must be nil")


def _conflict(call: Call, causes: list[tuple[str, str]]) -> Refusal:
    listed = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": field}
        for manager, field in causes
    ]
    resource = call.resource
    details = statuses.about(resource.group, resource.plural, call.name, causes=listed)
    return Refusal(409, _told(causes), details=details)


def _told(causes: list[tuple[str, str]]) -> str:
    # apimachinery pkg/util/managedfields/internal/conflict.go
    if len(causes) == 1:
        return f"Apply failed with 1 conflict: conflict with {causes[0][0]}: {causes[0][1]}"
    lines = []
    for manager in dict.fromkeys(manager for manager, _ in causes):
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {field}" for owner, field in causes if owner == manager]
    return f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)
