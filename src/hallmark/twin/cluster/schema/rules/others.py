"""Autoscalers, disruption budgets, roles, priorities and definitions of custom resources.

Source: pkg/apis/{autoscaling,policy,rbac,scheduling}/validation of Kubernetes and apiextensions-apiserver.
"""

from collections.abc import Iterator

from hallmark.twin.cluster.schema import words
from hallmark.twin.cluster.schema.rules import names
from hallmark.twin.cluster.schema.rules.workloads import int_or_percent
from hallmark.twin.cluster.schema.values import Json, dig

_ACCESS = "rbac.authorization.k8s.io"
_HIGHEST = 1_000_000_000
"""Of priorities that users may give."""


def autoscaler(obj: Json, _: Json | None) -> Iterator[str]:
    """A horizontal pod autoscaler."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < 1:
        yield words.invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield words.invalid("spec.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        yield words.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")


def disruption_budget(obj: Json, _: Json | None) -> Iterator[str]:
    """A pod disruption budget."""
    spec = obj.get("spec") or {}
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield words.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        yield from int_or_percent(spec.get(field), f"spec.{field}")
    yield from names.selector(spec.get("selector"), "spec.selector")


def role(obj: Json, _: Json | None) -> Iterator[str]:
    """A role, of a namespace or of the cluster."""
    for i, rule in enumerate(obj.get("rules") or ()):
        path = f"rules[{i}]"
        if rule.get("nonResourceURLs"):
            if obj.get("kind") == "Role":
                yield words.invalid(
                    f"{path}.nonResourceURLs",
                    rule["nonResourceURLs"],
                    "namespaced rules cannot apply to non-resource URLs",
                )
            continue
        if not rule.get("apiGroups"):
            yield words.required(f"{path}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield words.required(f"{path}.resources", "resource rules must supply at least one resource")


def role_binding(obj: Json, old: Json | None) -> Iterator[str]:
    """A binding; what it binds to stays."""
    ref = obj.get("roleRef") or {}
    allowed = ["ClusterRole"] if obj.get("kind") == "ClusterRoleBinding" else ["ClusterRole", "Role"]
    if ref.get("kind") not in allowed:
        yield words.unsupported("roleRef.kind", ref.get("kind", ""), allowed)
    if ref.get("apiGroup") != _ACCESS:
        yield words.unsupported("roleRef.apiGroup", ref.get("apiGroup", ""), [_ACCESS])
    for i, subject in enumerate(obj.get("subjects") or ()):
        if subject.get("kind") not in ("ServiceAccount", "User", "Group"):
            kinds = ["Group", "ServiceAccount", "User"]
            yield words.unsupported(f"subjects[{i}].kind", subject.get("kind", ""), kinds)
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            yield words.required(f"subjects[{i}].namespace")
    if old is not None:
        yield from words.unchanged("roleRef", ref, old.get("roleRef"), "cannot change roleRef")


def priority_class(obj: Json, old: Json | None) -> Iterator[str]:
    """A priority class; its value stays."""
    name, value = obj["metadata"].get("name", ""), obj.get("value") or 0
    if value > _HIGHEST and not name.startswith("system-"):
        yield words.forbidden("value", f"maximum allowed value of a user defined priority is {_HIGHEST}")
    if old is None:
        return
    if value != (old.get("value") or 0):
        yield words.forbidden("value", "may not be changed in an update.")
    if obj.get("preemptionPolicy") != old.get("preemptionPolicy"):
        yield words.forbidden("preemptionPolicy", "may not be changed in an update.")


def custom_definition(obj: Json, old: Json | None) -> Iterator[str]:
    """A definition of a custom resource."""
    spec = obj.get("spec") or {}
    plural, group = dig(spec, "names", "plural"), spec.get("group")
    if plural and group and obj["metadata"].get("name") != f"{plural}.{group}":
        why = 'must be spec.names.plural+"."+spec.group'
        yield words.invalid("metadata.name", obj["metadata"].get("name", ""), why)
    versions = spec.get("versions") or ()
    if versions and sum(bool(each.get("storage")) for each in versions) != 1:
        yield words.invalid("spec.versions", versions, "must have exactly one version marked as storage version")
    for i, each in enumerate(versions):
        path = f"spec.versions[{i}].schema.openAPIV3Schema"
        schema = dig(each, "schema", "openAPIV3Schema")
        if not schema:
            yield words.required(path, "schemas are required")
        elif schema.get("type") != "object":
            why = 'must be "object" at the root'
            yield (
                words.invalid(f"{path}.type", schema.get("type", ""), why)
                if schema.get("type")
                else words.required(f"{path}.type", "must not be empty at the root")
            )
    if old is not None:
        for field in ("scope", "group"):
            yield from words.unchanged(f"spec.{field}", spec.get(field), dig(old, "spec", field))
