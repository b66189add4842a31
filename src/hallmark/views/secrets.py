"""Secrets of the namespace, where they come from, and what the application reads of them. Facts, never values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hallmark.model import Call
from hallmark.views.base import View, cached_property
from hallmark.views.cluster import Object, is_true, name_of
from hallmark.views.workloads import Variable, Workload

ESO, CSI = "external-secrets.io", "secrets-store.csi.x-k8s.io"
STORES = {"SecretsManager": "secretsmanager", "ParameterStore": "ssm"}
"""AWS services the External Secrets Operator reads from, as it and as boto3 call them."""
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_INTERVAL = "1h"
"""How often an ExternalSecret looks at its store unless it says (External Secrets API)."""
_TURNS, _SHORTEST = 2, 60.0
"""Intervals after which what an ExternalSecret says of itself is old, and the seconds an interval has at least: by
then nobody is there to say anything else."""
_LISTED = {
    "SecretsManager": ("secretsmanager", "list_secrets", "SecretList"),
    "ParameterStore": ("ssm", "describe_parameters", "Parameters"),
}
"""How each of them lists what it holds: service and operation of boto3, and where in the answer."""


@dataclass(frozen=True)
class Supply:
    """Something that keeps a Secret filled from outside the cluster.

    Attributes:
        kind: ``ExternalSecret`` or ``SecretProviderClass``.
        name: Its name.
        secret: Name of the Secret it fills.
        is_ready: Whether it last succeeded, and has not missed its turn since.
        reason: Why not, as it says itself.
        store: Kind and name of its store (External Secrets only).
        remote: Names it asks for in the store.
        asked: Name in the store by key of the Secret, as far as nothing is made of several.
        is_once: Whether it reads its store once, and does not look again by itself.
        provider: Provider of the CSI driver, such as ``aws`` (SecretProviderClass only).
    """

    kind: str
    name: str
    secret: str
    is_ready: bool
    reason: str = ""
    store: tuple[str, str] = ("", "")
    remote: tuple[str, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict, compare=False)
    is_once: bool = False
    provider: str = ""


@dataclass(frozen=True)
class Source:
    """A secret in its AWS service.

    Attributes:
        name: Its name.
        made: When it was made, or later where the service does not tell.
        changed: When it was last changed.
        has_older: Whether a value from before the present one is kept.
    """

    name: str
    made: datetime
    changed: datetime
    has_older: bool

    def is_new_since(self, time: datetime) -> bool:
        """Whether it got its value after *time*; a tag that was changed is no new value."""
        return self.changed > time and (self.has_older or self.made > time)


class Secrets(View):
    """The Secrets of the release's namespace."""

    @cached_property
    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        """Facts about each Secret by name, see :mod:`hallmark.targets.secret_facts`."""
        listed = self.ask("kubernetes", "secrets", namespace=self.scope("namespace"))["items"]
        return {name_of(one): one for one in listed}

    def keys(self, secret: str) -> Mapping[str, Mapping[str, Any]]:
        """Return facts about each key of a Secret; none when there is no such Secret."""
        found: Mapping[str, Mapping[str, Any]] = self.facts.get(secret, {}).get("keys", {})
        return found

    def holds(self, variable: Variable) -> bool:
        """Whether the Secret a variable refers to has the key, with something in it."""
        facts = self.keys(variable.secret).get(variable.key)
        return facts is not None and not facts["empty"]

    def urls(self, variable: Variable | None) -> list[Mapping[str, Any]]:
        """Return where the URLs behind a variable lead, whether it is a literal or comes from a Secret."""
        if variable is None:
            return []
        if not variable.secret:
            return [variable.facts["url"]] if "url" in variable.facts else []
        found: list[Mapping[str, Any]] = self.keys(variable.secret).get(variable.key, {}).get("urls", [])
        return found

    def text(self, variable: Variable | None) -> str:
        """Return the value behind a variable where it is kept because it is no secret; else nothing."""
        if variable is None:
            return ""
        if not variable.secret:
            return variable.value
        return str(self.keys(variable.secret).get(variable.key, {}).get("value", ""))

    @cached_property
    def references(self) -> tuple[tuple[Workload, Variable], ...]:
        """Every variable of the application and of ClickHouse that comes from a Secret, with its workload."""
        workloads = self.views.workloads
        readers = [*workloads.application.values(), *([workloads.clickhouse] if workloads.clickhouse else [])]
        return tuple(
            (one, variable) for one in readers for variable in workloads.variables(one).values() if variable.secret
        )

    @cached_property
    def read(self) -> tuple[str, ...]:
        """Names of the Secrets the application cannot do without."""
        needed = {
            variable.secret for _, variable in self.references if self.holds(variable) or not variable.is_optional
        }
        return tuple(sorted(needed))

    @cached_property
    def supplies(self) -> tuple[Supply, ...]:
        """Everything in the namespace that fills Secrets from outside."""
        cluster = self.views.cluster
        external = cluster.custom(ESO, "externalsecrets", cluster.namespace)
        return (*map(self._external, external), *self._csi)

    def supply(self, secret: str) -> Supply | None:
        """Return what fills a Secret; a ready one first, None when nothing does."""
        found = [supply for supply in self.supplies if supply.secret == secret]
        return min(found, key=lambda supply: not supply.is_ready, default=None)

    def missing_names(self, supply: Supply) -> tuple[str, ...]:
        """Return the names *supply* asks for that its store does not hold; all of them when it is no store of AWS.

        An ExternalSecret names a secret by its name or by its ARN.
        """
        service = self.stores.get(supply.store, {}).get("service", "")
        if service not in _LISTED:
            return supply.remote
        client, operation, path = _LISTED[service]
        listed = self.ask(client, operation)[path]
        held = {one[key] for one in listed for key in ("Name", "ARN") if key in one}
        return tuple(name for name in supply.remote if name not in held)

    @cached_property
    def stores(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """AWS provider of each secret store by kind and name; empty for a store of another kind."""
        cluster = self.views.cluster
        found = {("SecretStore", name_of(s)): s for s in cluster.custom(ESO, "secretstores", cluster.namespace)}
        found |= {("ClusterSecretStore", name_of(s)): s for s in cluster.custom(ESO, "clustersecretstores")}
        return {key: _provider(store) for key, store in found.items()}

    def sources(self, supply: Supply) -> Mapping[str, Source]:
        """Return what the service behind a supply holds, by name and by ARN; nothing when that cannot be seen."""
        match self.stores.get(supply.store, {}).get("service"):
            case "SecretsManager":
                listed = self.evidence.ask(Call.of("secretsmanager", "list_secrets"))["SecretList"]
                found = [(one.get("ARN", ""), _secret_source(one)) for one in listed]
            case "ParameterStore":
                listed = self.evidence.ask(Call.of("ssm", "describe_parameters"))["Parameters"]
                found = [(one.get("ARN", ""), _parameter_source(one)) for one in listed]
            case _:
                found = []
        return {**{source.name: source for _, source in found}, **{arn: source for arn, source in found if arn}}

    def _external(self, value: Object) -> Supply:
        spec, name = value["spec"], name_of(value)
        target = spec.get("target", {}).get("name") or name
        # An ExternalSecret owns what it makes; with policy Merge somebody else made it.
        owns = any(o["kind"] == "ExternalSecret" and o["name"] == name for o in self._owners(target))
        is_filled = owns or spec.get("target", {}).get("creationPolicy") in {"Merge", "Orphan"}
        fault = _reason(value) if not is_true(value, "Ready") else "" if is_filled else "it does not own the Secret"
        fault = fault or self._overdue(value)
        store = _own_store(spec) or spec.get("secretStoreRef", {})
        remote = [one["remoteRef"]["key"] for one in spec.get("data", [])]
        remote += [one["extract"]["key"] for one in spec.get("dataFrom", []) if "extract" in one]
        return Supply(
            kind="ExternalSecret",
            name=name,
            secret=target,
            is_ready=not fault,
            reason=fault,
            store=(store.get("kind", "SecretStore"), store.get("name", "")),
            remote=tuple(dict.fromkeys(remote)),
            asked={one["secretKey"]: one["remoteRef"]["key"] for one in spec.get("data", [])},
            is_once=_is_once(spec),
        )

    def _overdue(self, value: Object) -> str:
        """Since when an ExternalSecret has not looked at its store although it was its turn; empty when all is well."""
        refreshed = value.get("status", {}).get("refreshTime", "")
        if not refreshed or _is_once(value["spec"]):
            return ""
        age = datetime.fromisoformat(self.evidence.collected_at) - datetime.fromisoformat(refreshed)
        return f"not refreshed since {refreshed}" if age.total_seconds() > _TURNS * _interval(value["spec"]) else ""

    @cached_property
    def _csi(self) -> tuple[Supply, ...]:
        """Secrets that the CSI driver syncs while a pod has its volume mounted."""
        cluster = self.views.cluster
        mounted = {
            status["status"]["secretProviderClassName"]
            for status in cluster.custom(CSI, "secretproviderclasspodstatuses", cluster.namespace)
            if status["status"].get("mounted")
        }
        return tuple(
            Supply(
                kind="SecretProviderClass",
                name=name_of(one),
                secret=synced["secretName"],
                is_ready=name_of(one) in mounted,
                reason="no pod mounts it",
                provider=one["spec"].get("provider", ""),
            )
            for one in cluster.custom(CSI, "secretproviderclasses", cluster.namespace)
            for synced in one.get("spec", {}).get("secretObjects", [])
        )

    def _owners(self, secret: str) -> list[Mapping[str, Any]]:
        metadata = self.facts.get(secret, {}).get("metadata", {})
        owners: list[Mapping[str, Any]] = metadata.get("ownerReferences", [])
        return owners


def _own_store(spec: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the store that an entry names for itself, which goes before that of all (External Secrets API)."""
    sources = [one.get("sourceRef") or {} for one in (*spec.get("data", []), *spec.get("dataFrom", []))]
    return next((source["storeRef"] for source in sources if source.get("storeRef")), {})


def _provider(store: Object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = store.get("spec", {}).get("provider", {}).get("aws", {})
    return found


def _secret_source(one: Mapping[str, Any]) -> Source:
    # Versions without a label are not listed: what is beside the current one is the previous one (ListSecrets).
    made = datetime.fromisoformat(one["CreatedDate"])
    changed = datetime.fromisoformat(one["LastChangedDate"]) if "LastChangedDate" in one else made
    return Source(one["Name"], made, changed, len(one.get("SecretVersionsToStages", {})) > 1)


def _parameter_source(one: Mapping[str, Any]) -> Source:
    changed = datetime.fromisoformat(one["LastModifiedDate"])
    return Source(one["Name"], changed, changed, one.get("Version", 1) > 1)


def _is_once(spec: Mapping[str, Any]) -> bool:
    # refreshPolicy and refreshInterval of the ExternalSecret's API; an interval of zero, in any unit, is "once".
    is_periodic = spec.get("refreshPolicy", "Periodic") == "Periodic"
    return not is_periodic or not re.search("[1-9]", spec.get("refreshInterval", _INTERVAL))


def _interval(spec: Mapping[str, Any]) -> float:
    """Return the seconds of a Go duration, such as ``1h30m``."""
    parts = re.findall(r"([\d.]+)(h|m(?!s)|s)", spec.get("refreshInterval", _INTERVAL))
    return max(_SHORTEST, sum(float(number) * _SECONDS[unit] for number, unit in parts))


def _reason(value: Object) -> str:
    conditions = value.get("status", {}).get("conditions") or [{}]
    return str(conditions[0].get("reason", "never synced"))
