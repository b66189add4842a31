"""What is accepted and yet worth a word, as the real server words it in ``Warning`` headers.

Source: pkg/api/pod/warnings.go, pkg/api/service/warnings.go and pkg/registry/networking/ingress of Kubernetes.
"""

from collections.abc import Iterator

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.cluster.schema.values import Json, dig

_TEMPLATES = (("spec", "template", "spec"), ("spec", "jobTemplate", "spec", "template", "spec"))
_CLASS = "kubernetes.io/ingress.class"


def of(group: str, kind: str, obj: Json) -> Iterator[str]:
    """Warnings for a write of an object.

    Args:
        group: API group, empty for the core group.
        kind: Kind.
        obj: The object with its defaults.
    """
    if (group, kind) == ("", "Pod"):
        yield from _pod(obj.get("spec") or {}, "spec")
    elif group in ("apps", "batch"):
        for path in _TEMPLATES:
            yield from _pod(dig(obj, *path) or {}, ".".join(path))
    elif (group, kind) == ("", "Service"):
        if dig(obj, "spec", "clusterIP") == "None" and dig(obj, "spec", "sessionAffinity") == "ClientIP":
            yield "spec.SessionAffinity is ignored for headless services"
    elif (group, kind) == ("networking.k8s.io", "Ingress") and _CLASS in (obj["metadata"].get("annotations") or {}):
        yield f"annotation \"{_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"


def _pod(spec: Json, path: str) -> Iterator[str]:
    for field in ("initContainers", "containers"):
        for i, container in enumerate(spec.get(field) or ()):
            yield from _container(container, f"{path}.{field}[{i}]")


def _container(container: Json, path: str) -> Iterator[str]:
    seen: set[str] = set()
    for i, variable in enumerate(container.get("env") or ()):
        name = variable.get("name", "")
        # A value made of the earlier one is no mistake.
        if name in seen and f"$({name})" not in variable.get("value", ""):
            yield f'{path}.env[{i}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)
    for field, amounts in (container.get("resources") or {}).items():
        for name in ("memory", "ephemeral-storage"):
            if isinstance(amounts, dict) and quantities.of(amounts.get(name, 0)) % 1:
                place, value = f"{path}.resources.{field}[{name}]", amounts[name]
                yield f'{place}: fractional byte value "{value}" is invalid, must be an integer'
