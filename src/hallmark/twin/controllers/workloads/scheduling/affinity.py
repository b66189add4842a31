"""Which nodes a pod or a volume asks for; source: "Assigning Pods to Nodes" in the Kubernetes documentation."""

from collections.abc import Mapping
from typing import Any

from hallmark.twin.controllers.workloads.pods import labels
from hallmark.twin.kube.kinds import Object


def wants(pod: Object, node: Object) -> bool:
    """Whether a pod's node selector and its required node affinity allow a node."""
    selector = pod["spec"].get("nodeSelector") or {}
    if not selector.items() <= labels(node).items():
        return False
    required = _affinity(pod).get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or selects(required, node)


def preference(pod: Object, node: Object) -> int:
    """Sum of the weights of a pod's preferred node affinity that a node meets."""
    preferred = _affinity(pod).get("preferredDuringSchedulingIgnoredDuringExecution") or []
    return sum(each["weight"] for each in preferred if _term_holds(each["preference"], node))


def selects(selector: Mapping[str, Any], node: Object) -> bool:
    """Whether a NodeSelector selects a node: one of its terms holds."""
    return any(_term_holds(term, node) for term in selector.get("nodeSelectorTerms") or [])


def _affinity(pod: Object) -> Mapping[str, Any]:
    return (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}


def _term_holds(term: Mapping[str, Any], node: Object) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:  # an empty term selects nothing
        return False
    named = {"metadata.name": node["metadata"]["name"]}
    return all(_holds(each, labels(node)) for each in expressions) and all(_holds(each, named) for each in fields)


def _holds(expression: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    value, wanted = values.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in wanted
        case "NotIn":
            return value not in wanted
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return _number(value) > int(wanted[0]) if value else False
        case _:
            return _number(value) < int(wanted[0]) if value else False


def _number(value: str | None) -> float:
    try:
        return float(value or "nan")
    except ValueError:
        return float("nan")  # compares as false with everything
