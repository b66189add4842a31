"""Secrets: fed from outside, complete, current, and nowhere in plain text."""

from datetime import datetime

import pytest

from hallmark.errors import Miss
from hallmark.model import Call
from hallmark.views.cluster import name_of
from hallmark.views.release import Release
from hallmark.views.secrets import STORES, Secrets, Supply
from hallmark.views.workloads import Variable, Workload, Workloads

NEEDED = frozenset({
    "LANGSMITH_LICENSE_KEY", "API_KEY_SALT", "POSTGRES_DATABASE_URI", "REDIS_DATABASE_URI",
    "REDIS_CLUSTER_DATABASE_URIS", "BASIC_AUTH_JWT_SECRET", "OAUTH_CLIENT_ID", "OAUTH_ISSUER_URL",
})  # fmt: skip
"""Variables without which the application does not work, even where the chart calls them optional."""


def _describe(secrets: Secrets, name: str) -> str:
    return f"kubectl -n {secrets.scope('namespace')} describe secret {name}"


@pytest.mark.check(
    "SEC-3",
    points=4,
    requires=["release_deployed"],
    why="A key that is missing keeps every pod in CreateContainerConfigError, an empty one breaks it later.",
)
def test_secrets_complete(secrets: Secrets) -> None:
    """Every key the application reads is in its Secret, and not empty."""
    if not secrets.references:
        raise Miss(
            expected="an application that reads Secrets",
            observed="none does",
            where=secrets.scope("namespace"),
            next=f"kubectl -n {secrets.scope('namespace')} get secrets",
        )
    for one, variable in secrets.references:
        if _is_needed(variable) and not secrets.holds(variable):
            keys = secrets.keys(variable.secret)
            found = "an empty value" if variable.key in keys else "no such key" if keys else "no such Secret"
            raise Miss(
                expected=f"key {variable.key} with a value",
                observed=found,
                where=f"Secret {variable.secret}, read by {one.where}",
                next=_describe(secrets, variable.secret),
            )


@pytest.mark.check(
    "SEC-2",
    points=4,
    requires=["secrets_complete"],
    why="A Secret made by hand is in somebody's shell history, and nobody can say where its value comes from.",
)
def test_secrets_injected(secrets: Secrets) -> None:
    """Every Secret the application reads is fed by External Secrets or the Secrets Store CSI driver."""
    for name in secrets.read:
        supply = secrets.supply(name)
        if supply is None or not supply.is_ready:
            raise Miss(
                expected="a ready ExternalSecret that owns it, or a mounted SecretProviderClass that syncs it",
                observed=f"{supply.kind} {supply.name}: {supply.reason}" if supply else "made by hand",
                where=f"Secret {name}",
                next=f"kubectl -n {secrets.scope('namespace')} get externalsecrets,secretproviderclasses",
            )


@pytest.mark.check(
    "SEC-2",
    points=2,
    requires=["secrets_injected", "application_ready"],
    why="Pods read a Secret when they start: a rotation without a restart fails weeks later, when a pod moves.",
)
def test_secrets_current(secrets: Secrets, workloads: Workloads) -> None:
    """No pod is older than the Secrets it read."""
    for one in secrets.views.workloads.application.values():
        names = {v.secret for v in workloads.variables(one).values() if v.secret and secrets.holds(v)}
        newest = max((_time(secrets.facts[name]["changed"]) for name in names), default=None)
        if newest is None:
            continue
        for pod in workloads.pods(one):
            if _time(pod["metadata"]["creationTimestamp"]) < newest:
                raise Miss(
                    expected="a pod that started after the last change of its Secrets",
                    observed=f"started {pod['metadata']['creationTimestamp']}, changed {newest.isoformat()}",
                    where=f"pod {name_of(pod)}",
                    next=f"kubectl -n {one.namespace} rollout restart {one.kind.lower()} {one.name}",
                )


@pytest.mark.check(
    "SEC-1",
    points=1,
    requires=["secrets_injected"],
    why="Secrets Manager rotates, audits and replicates; a parameter is a text with a lock on it.",
)
def test_secrets_manager(secrets: Secrets) -> str:
    """The store behind the Secrets is AWS Secrets Manager, and holds the names that are asked for."""
    notes: list[str] = []
    for name in secrets.read:
        supply = secrets.supply(name)
        if supply is None or supply.provider == "aws":
            notes.append(f"{name}: which store the CSI driver reads cannot be seen")
            continue
        provider = secrets.stores.get(supply.store, {})
        service = provider.get("service", "")
        if service not in STORES:
            raise Miss(
                expected="a store with AWS Secrets Manager or SSM Parameter Store",
                observed=service or supply.provider or "another provider",
                where=" ".join(filter(None, supply.store)) or f"{supply.kind} {supply.name}",
                next=f"kubectl -n {secrets.scope('namespace')} get secretstores,clustersecretstores -o wide",
            )
        _require_names(secrets, supply, service)
        if service == "ParameterStore":
            notes.append(f"{name} comes from SSM Parameter Store: accepted, Secrets Manager is preferred (D8)")
    return "; ".join(notes)


@pytest.mark.check(
    "SB-2",
    points=4,
    requires=["release_deployed"],
    why="Whoever may read a ConfigMap, a pod or the release has every secret that is written into it.",
)
def test_no_plaintext_secrets(release: Release, workloads: Workloads) -> None:
    """Release values, ConfigMaps, and the environment and commands of pods hold no secret."""
    if not workloads.all:
        raise Miss(
            expected="workloads of the release", observed="none", where=release.scope("release"), next=release.look
        )
    leaks = release.record.leaks if release.record else ()
    for path, kind in leaks:
        _leak(kind, f"value {path} of the release", release.look)
    for name, entries in workloads.config_maps.items():
        for key, facts in entries.items():
            if kind := str(facts.get("leak", "")):
                _leak(
                    kind,
                    f"ConfigMap {name}, {key}",
                    f"kubectl -n {release.scope('namespace')} describe configmap {name}",
                )
    for one in workloads.all:
        for variable in _literals(one, workloads):
            if kind := str(variable.facts.get("leak", "")):
                _leak(kind, f"{one.where}, variable {variable.name}", one.look)
        for name, kind in one.leaks:
            _leak(kind, f"{one.where}, command of container {name}", one.look)


def _is_needed(variable: Variable) -> bool:
    return not variable.is_optional or variable.name in NEEDED or variable.name.startswith("CLICKHOUSE_")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _require_names(secrets: Secrets, supply: Supply, service: str) -> None:
    """Refuse names that the store does not hold: the Secret lives on, and dies with the next sync."""
    calls = {
        "SecretsManager": Call.of("secretsmanager", "list_secrets"),
        "ParameterStore": Call.of("ssm", "describe_parameters"),
    }
    answer = secrets.evidence.ask(calls[service])
    known = {one["Name"] for one in answer.get("SecretList", answer.get("Parameters", []))}
    known |= {one["ARN"] for one in answer.get("SecretList", answer.get("Parameters", [])) if "ARN" in one}
    if missing := [name for name in supply.remote if name not in known]:
        raise Miss(
            expected=f"{service} with every name that is asked for",
            observed=f"no {', '.join(missing)}",
            where=f"{supply.kind} {supply.name}",
            next=f"kubectl -n {secrets.scope('namespace')} describe externalsecret {supply.name}",
        )


def _literals(one: Workload, workloads: Workloads) -> list[Variable]:
    return [v for container in one.all_containers for v in workloads.environment(container).values() if not v.secret]


def _leak(kind: str, where: str, look: str) -> None:
    raise Miss(expected="secrets by reference only", observed=kind, where=where, next=look)
