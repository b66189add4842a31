"""Pods, and the templates others make them from.

Source: ValidatePodSpec and ValidatePodUpdate in pkg/apis/core/validation of Kubernetes.
"""

from collections.abc import Iterator
from typing import Any

from hallmark.twin.cluster.schema import quantities, words
from hallmark.twin.cluster.schema.rules import names
from hallmark.twin.cluster.schema.values import Json, clone

LAST_PORT = 65535
_RUN = ("containers", "initContainers")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = {"exec", "httpGet", "tcpSocket", "grpc"}
_OVERCOMMITTED = ("cpu", "memory", "ephemeral-storage")
"""Resources of which more may be promised than there is; others are asked for in full."""
_UPDATE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod(obj: Json, old: Json | None) -> Iterator[str]:
    """A pod; once made, little of it can change."""
    yield from spec(obj.get("spec") or {}, "spec")
    if old is not None:
        yield from _update(obj.get("spec") or {}, old.get("spec") or {})


def template(obj: Json | None, path: str) -> Iterator[str]:
    """A template for pods."""
    obj = obj or {}
    yield from names.labels((obj.get("metadata") or {}).get("labels"), f"{path}.metadata.labels")
    yield from spec(obj.get("spec") or {}, f"{path}.spec")


def spec(obj: Json, path: str) -> Iterator[str]:
    """What a pod consists of."""
    volumes = list(_named(obj.get("volumes"), f"{path}.volumes"))
    yield from words.repeated((f"{place}.name", name) for place, name, _ in volumes)
    for place, name, volume in volumes:
        yield from _volume(volume, name, place)
    known = {name for _, name, _ in volumes}
    yield from words.repeated(
        (f"{place}.name", name) for field in _RUN for place, name, _ in _named(obj.get(field), f"{path}.{field}")
    )
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for place, _, container in _named(obj.get(field), f"{path}.{field}"):
            yield from _container(container, place, known, field)
    yield from names.labels(obj.get("nodeSelector"), f"{path}.nodeSelector")
    yield from words.not_negative(f"{path}.terminationGracePeriodSeconds", obj.get("terminationGracePeriodSeconds"))
    for i, toleration in enumerate(obj.get("tolerations") or ()):
        yield from _toleration(toleration, f"{path}.tolerations[{i}]")
    if obj.get("serviceAccountName"):
        place = f"{path}.serviceAccountName"
        yield from (
            words.invalid(place, obj["serviceAccountName"], why)
            for why in names.dns_subdomain(obj["serviceAccountName"])
        )


def _named(items: Any, path: str) -> Iterator[tuple[str, str, Json]]:
    """Items with their place and name; those without a name are named by the schema's check."""
    for i, each in enumerate(items or ()):
        if each.get("name"):
            yield f"{path}[{i}]", each["name"], each


def _volume(volume: Json, name: str, path: str) -> Iterator[str]:
    yield from (words.invalid(f"{path}.name", name, why) for why in names.dns_label(name))
    sources = [key for key in volume if key != "name"]
    yield from (words.forbidden(f"{path}.{each}", "may not specify more than 1 volume type") for each in sources[1:])
    for source, field in (("secret", "secretName"), ("configMap", "name")):
        if source in volume and not volume[source].get(field):
            yield words.required(f"{path}.{source}.{field}")


def _container(container: Json, path: str, volumes: set[str], field: str) -> Iterator[str]:
    yield from (words.invalid(f"{path}.name", container["name"], why) for why in names.dns_label(container["name"]))
    if not container.get("image"):
        yield words.required(f"{path}.image")
    yield from _ports(container.get("ports") or (), f"{path}.ports")
    for i, each in enumerate(container.get("env") or ()):
        yield from _variable(each, f"{path}.env[{i}]")
    yield from _mounts(container.get("volumeMounts") or (), f"{path}.volumeMounts", volumes)
    yield from resources(container.get("resources") or {}, f"{path}.resources")
    for probe in (each for each in _PROBES if container.get(each)):
        place = f"{path}.{probe}"
        if field == "initContainers" and container.get("restartPolicy") != "Always":
            yield words.forbidden(place, "may not be set for init containers without restartPolicy=Always")
        else:
            yield from _probe(container[probe], place, once=probe != "readinessProbe")


def _ports(ports: Any, path: str) -> Iterator[str]:
    seen: set[str] = set()
    for i, each in enumerate(ports):
        place, name = f"{path}[{i}]", each.get("name")
        if name:
            yield from (words.invalid(f"{place}.name", name, why) for why in names.port_name(name))
            if name in seen:
                yield words.duplicate(f"{place}.name", name)
            seen.add(name)
        if not each.get("containerPort"):
            yield words.required(f"{place}.containerPort")
        yield from port(each.get("containerPort"), f"{place}.containerPort")
        yield from port(each.get("hostPort"), f"{place}.hostPort")


def port(value: Any, path: str) -> Iterator[str]:
    """A port's number or name; 0 is no number, and neither is none."""
    if isinstance(value, str):
        yield from (words.invalid(path, value, why) for why in names.port_name(value))
    elif value and not 0 < value <= LAST_PORT:
        yield words.invalid(path, value, f"must be between 1 and {LAST_PORT}, inclusive")


def _variable(variable: Json, path: str) -> Iterator[str]:
    source = variable.get("valueFrom")
    if "=" in variable.get("name", ""):
        why = "a valid environment variable name must consist only of printable ASCII characters other than '='"
        yield words.invalid(f"{path}.name", variable["name"], why)
    if source is None:
        return
    if variable.get("value"):
        yield words.invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    if not source:
        choice = (
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        )
        yield words.invalid(f"{path}.valueFrom", "", choice)
    if len(source) > 1:
        yield words.invalid(f"{path}.valueFrom", "", "may not have more than one field specified at a time")
    for kind in ("secretKeyRef", "configMapKeyRef"):
        if kind in source and not source[kind].get("name"):
            yield words.required(f"{path}.valueFrom.{kind}.name")


def _mounts(mounts: Any, path: str, volumes: set[str]) -> Iterator[str]:
    paths: set[str] = set()
    for i, each in enumerate(mounts):
        name, mounted = each.get("name"), each.get("mountPath")
        if name and name not in volumes:
            yield words.not_found(f"{path}[{i}].name", name)
        if mounted in paths:
            yield words.invalid(f"{path}[{i}].mountPath", mounted, "must be unique")
        paths.add(mounted)


def resources(obj: Json, path: str) -> Iterator[str]:
    """Requests and limits: not negative, and nothing asked for beyond what is allowed."""
    limits, requests = obj.get("limits") or {}, obj.get("requests") or {}
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if quantities.of(amount) < 0:
                yield words.invalid(f"{path}.{field}[{name}]", amount, words.NOT_NEGATIVE)
    for name, amount in requests.items():
        if name in limits and quantities.of(amount) > quantities.of(limits[name]):
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            yield words.invalid(f"{path}.requests", amount, why)
        elif name in limits and name not in _OVERCOMMITTED and quantities.of(amount) != quantities.of(limits[name]):
            yield words.invalid(f"{path}.requests", amount, f"must be equal to {name} limit of {limits[name]}")


def _probe(probe: Json, path: str, *, once: bool) -> Iterator[str]:
    handlers = sorted(_HANDLERS & probe.keys())
    if not handlers:
        yield words.required(path, "must specify a handler type")
    yield from (words.forbidden(f"{path}.{each}", "may not specify more than 1 handler type") for each in handlers[1:])
    for handler in ("httpGet", "tcpSocket"):
        if handler in probe:
            place = f"{path}.{handler}.port"
            given = probe[handler].get("port")
            yield from port(given, place)
            if given == 0:
                yield words.invalid(place, 0, f"must be between 1 and {LAST_PORT}, inclusive")
    for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        yield from words.not_negative(f"{path}.{field}", probe.get(field))
    if once and probe.get("successThreshold", 1) != 1:
        yield words.invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def _toleration(toleration: Json, path: str) -> Iterator[str]:
    operator, value = toleration.get("operator") or "Equal", toleration.get("value")
    if not toleration.get("key") and operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield words.invalid(f"{path}.operator", toleration.get("operator", ""), why)
    if operator == "Exists" and value:
        yield words.invalid(f"{path}.operator", toleration, "value must be empty when `operator` is 'Exists'")
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield words.invalid(f"{path}.effect", toleration.get("effect", ""), why)


def _update(new: Json, old: Json) -> Iterator[str]:
    for field in _RUN:
        if len(new.get(field) or ()) != len(old.get(field) or ()):
            yield words.forbidden(f"spec.{field}", "pod updates may not add or remove containers")
            return
    free = _free(new, old)
    before, after = ({key: each for key, each in side.items() if key not in free} for side in (old, new))
    if _with_images(before, after) != after:
        yield words.forbidden("spec", _UPDATE)


def _free(new: Json, old: Json) -> set[str]:
    """Fields of a pod that an update may change."""
    # A binding gives the node, and the endpoint of ephemeral containers adds those.
    free = {"activeDeadlineSeconds", "ephemeralContainers"} | (set() if old.get("nodeName") else {"nodeName"})
    if all(each in (new.get("tolerations") or ()) for each in old.get("tolerations") or ()):
        free.add("tolerations")
    if old.get("terminationGracePeriodSeconds", 0) < 0:
        free.add("terminationGracePeriodSeconds")
    return free


def _with_images(before: Json, after: Json) -> Json:
    """The containers before, with the images after."""
    result = clone(before)
    for field in _RUN:
        for mine, theirs in zip(result.get(field) or (), after.get(field) or (), strict=True):
            mine.update({"image": theirs["image"]} if theirs.get("image") else {})
    return result
