"""Who owns which field: server-side apply, and managedFields of ordinary writes.

Source: k8s.io/apimachinery/pkg/util/managedfields and sigs.k8s.io/structured-merge-diff, package merge.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from hallmark.twin.cluster.schema import defaults, fieldsets, merging
from hallmark.twin.cluster.schema.definitions import ANY, Schema
from hallmark.twin.cluster.schema.errors import BadConfig, Conflict
from hallmark.twin.cluster.schema.fieldsets import FieldSet
from hallmark.twin.cluster.schema.values import Json, clone

__all__ = ["BadConfig", "Conflict", "apply", "track"]

BEFORE = "before-first-apply"
"""Owner of what was there when an object without owners is applied for the first time."""
ANCIENT = "ancient-changes"
"""Owner of what the oldest writers wrote, once there are too many."""
MOST = 10
"""Writers that are remembered one by one."""

_NOBODYS = dict.fromkeys(("f:apiVersion", "f:kind"), FieldSet()) | {
    "f:metadata": {
        ".": {},
        "f:name": {},
        "f:namespace": {},
        "f:creationTimestamp": {},
        "f:selfLink": {},
        "f:uid": {},
        "f:generation": {},
        "f:managedFields": {},
        "f:resourceVersion": {},
        "f:deletionTimestamp": {},
        "f:deletionGracePeriodSeconds": {},
    }
}
"""Fields the server itself writes, or that make the object what it is."""


@dataclass(frozen=True)
class Entry:
    """One entry of ``managedFields``.

    Attributes:
        manager: Name the writer gave itself.
        operation: ``Apply`` or ``Update``.
        api_version: Version the fields are meant in.
        subresource: ``status``, ``scale`` or empty.
        fields: What is owned.
        time: When it last changed, RFC 3339.
    """

    manager: str
    operation: str
    api_version: str
    subresource: str
    fields: FieldSet
    time: str

    @classmethod
    def read(cls, raw: Json) -> "Entry":
        """Read an entry of an object."""
        return cls(
            raw.get("manager", ""),
            raw.get("operation", "Update"),
            raw.get("apiVersion", ""),
            raw.get("subresource", ""),
            raw.get("fieldsV1", {}),
            raw.get("time", ""),
        )

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes two writes the same owner's; one who applies may change the version."""
        version = "" if self.operation == "Apply" else self.api_version
        return self.operation, self.manager, version, self.subresource

    def write(self) -> Json:
        """The entry as an object has it."""
        raw = {"manager": self.manager, "operation": self.operation, "apiVersion": self.api_version, "time": self.time}
        owned = {"fieldsType": "FieldsV1", "fieldsV1": self.fields}
        return raw | owned | ({"subresource": self.subresource} if self.subresource else {})

    def __str__(self) -> str:
        name = f'"{self.manager}"'
        if self.subresource:
            name += f' with subresource "{self.subresource}"'
        return f"{name} using {self.api_version}" if self.operation == "Update" else name


def apply(
    old: Json | None,
    config: Json,
    schema: Schema | None,
    *,
    manager: str,
    force: bool,
    api_version: str,
    subresource: str,
    time: str,
) -> Json:
    """Server-side apply.

    Args:
        old: The live object; None when there is none yet.
        config: What the manager wants; parts that the endpoint does not write, such as the status on the main one,
            are left out by the caller.
        schema: Schema of the kind; None when nothing is known about it.
        manager: Name of who applies.
        force: Take over fields that belong to others.
        api_version: ``apps/v1``.
        subresource: The endpoint written to; empty for the object itself.
        time: Now, RFC 3339.

    Returns:
        The new object with its managedFields. When nothing changed it equals the old one, times included.

    Raises:
        Conflict: Fields belong to others, and ``force`` is not set.
        BadConfig: The config names an item of a list twice.
    """
    schema = schema or ANY
    wanted = clone(config)
    wanted.get("metadata", {}).pop("managedFields", None)
    defaults.canonical(wanted, schema)
    _refuse_duplicates(wanted, schema)
    mine = Entry(manager, "Apply", api_version, subresource, _owned(merging.of(wanted, schema)), time)
    live = clone(old) if old is not None else {}
    entries = _entries(live, schema)
    last = next((each for each in entries if each.identity == mine.identity), None)
    others = [each for each in entries if each.identity != mine.identity]
    live.get("metadata", {}).pop("managedFields", None)

    merged: Json = merging.merge(clone(live), wanted, schema)
    if last:
        merged = _without_abandoned(merged, last, [mine, *others], schema)
    changed, removed = merging.compare(live, merged, schema)
    others = _give_way(others, changed, removed, force=force)
    defaults.normalise(merged, schema)
    if merged == live and last and last.fields == mine.fields:
        mine = replace(mine, time=last.time, api_version=last.api_version)
    _write(merged, [mine, *others])
    return merged


def track(
    old: Json | None,
    new: Json,
    schema: Schema | None,
    *,
    manager: str,
    api_version: str,
    subresource: str,
    time: str,
) -> None:
    """Note who changed what by an ordinary write: ``new["metadata"]["managedFields"]`` is brought up to date.

    Args:
        old: The object before; None when it is created.
        new: The object after, with its defaults. Its own managedFields are taken as they are when they differ from
            the old ones (kubectl rewrites them when it changes to server-side apply); an empty list forgets all.
        schema: Schema of the kind; None when nothing is known about it.
        manager: Name of who writes.
        api_version: ``apps/v1``.
        subresource: The endpoint written to; empty for the object itself.
        time: Now, RFC 3339.
    """
    schema = schema or ANY
    metadata = new["metadata"]
    given = metadata.get("managedFields")
    if given is None and old is not None:
        given = old["metadata"].get("managedFields", [])
    if given == [{}]:
        given = []
    entries = [Entry.read(each) for each in given or ()]
    changed, removed = merging.compare(old or {}, new, schema)
    changed, removed = _owned(changed), _owned(removed)
    mine = Entry(manager, "Update", api_version, subresource, {}, time)
    if not changed and not removed:
        _write(new, entries)
        return
    kept = [replace(each, fields=_less(each.fields, changed, removed)) for each in entries]
    if changed:
        previous = next((each.fields for each in kept if each.identity == mine.identity), {})
        kept = [each for each in kept if each.identity != mine.identity]
        kept.append(replace(mine, fields=fieldsets.union(previous, changed)))
    _write(new, _capped(kept))


def _refuse_duplicates(config: Json, schema: Schema) -> None:
    errors = list(merging.duplicates(config, schema))
    if errors:
        metadata = config.get("metadata", {})
        name = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
        raise BadConfig(f"{name}; {config.get('apiVersion')}, Kind={config.get('kind')}", errors)


def _entries(live: Json, schema: Schema) -> list[Entry]:
    raw = live.get("metadata", {}).get("managedFields")
    if raw or not live:
        return [Entry.read(each) for each in raw or ()]
    # An object that was made before anybody counted: its fields belong to somebody, so that they are not lost.
    fields = _owned(merging.of(live, schema))
    return [
        Entry(BEFORE, "Update", live.get("apiVersion", ""), "", fields, live["metadata"].get("creationTimestamp", ""))
    ]


def _owned(fields: FieldSet) -> FieldSet:
    return fieldsets.difference(fields, _NOBODYS)


def _less(fields: FieldSet, *gone: FieldSet) -> FieldSet:
    for each in gone:
        fields = fieldsets.difference(fields, each)
    return fields


def _without_abandoned(merged: Json, last: Entry, now: Iterable[Entry], schema: Schema) -> Json:
    """Drop what the manager applied last time, does not apply any more, and nobody else owns."""
    kept: FieldSet = {}
    for each in now:
        kept = fieldsets.union(kept, merging.with_parents(each.fields, schema))
    abandoned = fieldsets.difference(merging.with_parents(last.fields, schema), kept)
    result: Json = merging.remove(merged, abandoned, schema)
    return result


def _give_way(others: list[Entry], changed: FieldSet, removed: FieldSet, *, force: bool) -> list[Entry]:
    taken = [(each, fieldsets.intersection(each.fields, changed)) for each in others]
    causes = [(str(each), path) for each, fields in sorted(taken, key=_by_name) for path in fieldsets.paths(fields)]
    if causes and not force:
        raise Conflict(causes)
    return [replace(each, fields=_less(each.fields, fields, removed)) for each, fields in taken]


def _by_name(pair: tuple[Entry, FieldSet]) -> tuple[str, ...]:
    entry = pair[0]
    return entry.manager, entry.operation, entry.api_version, entry.subresource


def _write(obj: Json, entries: Iterable[Entry]) -> None:
    kept = sorted((each for each in entries if each.fields), key=lambda e: (e.operation, e.time, *_by_name((e, {}))))
    if kept:
        obj["metadata"]["managedFields"] = [each.write() for each in kept]
    else:
        obj["metadata"].pop("managedFields", None)


def _capped(entries: list[Entry]) -> list[Entry]:
    """At most ten writers: the oldest become one, per version."""
    updates = sorted((e for e in entries if e.operation == "Update" and e.fields), key=lambda e: e.time)
    surplus = len(updates) - MOST
    if surplus <= 0:
        return entries
    old = updates[: surplus + 1]
    return [each for each in entries if each not in old] + list(_merged(old))


def _merged(entries: list[Entry]) -> Iterator[Entry]:
    versions = dict.fromkeys(each.api_version for each in entries)
    for version in versions:
        fields: FieldSet = {}
        time = ""
        for each in entries:
            if each.api_version == version:
                fields, time = fieldsets.union(fields, each.fields), each.time
        yield Entry(ANCIENT, "Update", version, "", fields, time)
