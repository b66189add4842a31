"""Where the Secrets come from, and that the password that was seen is worth nothing any more."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from hallmark.errors import Miss
from hallmark.views.cluster import name_of
from hallmark.views.release import Release
from hallmark.views.secrets import STORES, Secrets, Source, Supply
from hallmark.views.workloads import Variable, Workload, Workloads

PASSWORD = "POSTGRES_DATABASE_URI"  # noqa: S105  (the variable's name)
SALT = "API_KEY_SALT"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "S3_ACCESS_KEY", "S3_ACCESS_KEY_SECRET")
"""Variables in which static credentials reach the application or the AWS SDK."""


def _kubectl(secrets: Secrets, words: str) -> str:
    return f"kubectl -n {secrets.scope('namespace')} {words}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _variable(secrets: Secrets, name: str) -> Variable:
    """Return where the application reads *name*, which all its parts read from the same place."""
    found = {(v.secret, v.key): v for _, v in secrets.references if v.name == name}
    if len(found) != 1:
        raise Miss(
            expected=f"{name} from one key of one Secret",
            observed=", ".join(f"{secret}/{key}" for secret, key in sorted(found)) or "from no Secret",
            where=secrets.scope("namespace"),
            next=_kubectl(secrets, "get deployments -o yaml"),
        )
    return next(iter(found.values()))


def _sources(secrets: Secrets, supply: Supply, names: tuple[str, ...]) -> list[Source]:
    """Return what the store holds of *names*; the check of the stores has seen to it that it holds them all."""
    held = secrets.sources(supply)
    if missing := [name for name in names if name not in held] or ([] if names else ["any"]):
        raise Miss(
            expected="names that the store holds",
            observed=f"no {', '.join(missing)}",
            where=f"{supply.kind} {supply.name}",
            next=_kubectl(secrets, f"describe externalsecret {supply.name}"),
        )
    return [held[name] for name in names]


def _behind(secrets: Secrets, variable: Variable) -> list[Source]:
    """Return what a variable is made of; what the CSI driver reads cannot be seen."""
    supply = secrets.supply(variable.secret)
    if supply is None or supply.kind != "ExternalSecret":
        return []
    own = supply.asked.get(variable.key)
    return _sources(secrets, supply, (own,) if own else supply.remote)


@pytest.mark.check("SEC-2", points=4, why="Nobody can say where a value comes from that somebody once wrote by hand.")
def test_secrets_supplied(secrets: Secrets) -> None:
    """Every Secret the application reads is kept up by External Secrets or the Secrets Store CSI driver."""
    if not secrets.read:
        raise Miss(
            expected="an application that reads Secrets", observed="none does", where=secrets.scope("namespace"),
            next=_kubectl(secrets, "get secrets"),
        )  # fmt: skip
    for name in secrets.read:
        supply = secrets.supply(name)
        if supply is None or not supply.is_ready:
            raise Miss(
                expected="a ready ExternalSecret that owns it, or a mounted SecretProviderClass that syncs it",
                observed=f"{supply.kind} {supply.name}: {supply.reason}" if supply else "made by hand",
                where=f"Secret {name}",
                next=_kubectl(secrets, "get externalsecrets,secrets -o yaml"),
            )
        if supply.is_once:
            raise Miss(
                expected="a refresh policy and an interval with which it looks again",
                observed="it reads the store once",
                where=f"{supply.kind} {supply.name}",
                next=_kubectl(secrets, f"get externalsecret {supply.name} -o yaml"),
            )


@pytest.mark.check(
    "SEC-1",
    points=1,
    requires=["secrets_supplied"],
    why="The next sync takes away what the store does not hold, and with it the Secret.",
)
def test_store_holds_all(secrets: Secrets) -> str:
    """Behind the Secrets is AWS Secrets Manager, and it holds every name that is asked for."""
    notes: list[str] = []
    for name in secrets.read:
        supply = secrets.supply(name)
        if supply is None or supply.provider == "aws":
            notes.append(f"{name}: which store the CSI driver reads cannot be seen")
            continue
        service = secrets.stores.get(supply.store, {}).get("service", "")
        if service not in STORES:
            raise Miss(
                expected="a store with AWS Secrets Manager or SSM Parameter Store",
                observed=service or supply.provider or "another provider",
                where=" ".join(filter(None, supply.store)) or f"{supply.kind} {supply.name}",
                next=_kubectl(secrets, "get secretstores,clustersecretstores -o wide"),
            )
        _sources(secrets, supply, supply.remote)
        if service == "ParameterStore":
            notes.append(f"{name} comes from SSM Parameter Store: accepted, Secrets Manager is preferred (D8)")
    return "; ".join(notes)


@pytest.mark.check(
    "SEC-3",
    points=2,
    requires=["secrets_supplied"],
    why="A Secret that lost a key on its way keeps the next pod from starting.",
)
def test_keys_complete(secrets: Secrets) -> None:
    """Every key the application reads is in its Secret, and not empty."""
    for one, variable in secrets.references:
        if not variable.is_optional and not secrets.holds(variable):
            found = "an empty value" if variable.key in secrets.keys(variable.secret) else "no such key"
            raise Miss(
                expected=f"key {variable.key} with a value",
                observed=found,
                where=f"Secret {variable.secret}, read by {one.where}",
                next=_kubectl(secrets, f"describe secret {variable.secret}"),
            )


@pytest.mark.check(
    "SB-2",
    points=5,
    requires=["store_holds_all"],
    why="A password that was seen stays one that somebody knows, however well it is kept from now on.",
)
def test_password_rotated(secrets: Secrets, workloads: Workloads) -> str:
    """The database's password in the store is younger than the release."""
    variable, since = _variable(secrets, PASSWORD), workloads.installed
    sources = _behind(secrets, variable)
    if not sources:
        changed = _time(secrets.facts[variable.secret]["changed"])
        if since is None or changed <= since:
            _miss_old(f"Secret {variable.secret}", changed)
        return "Which store the CSI driver reads cannot be seen: judged by the Secret alone."
    if since is None or not any(one.is_new_since(since) for one in sources):
        _miss_old(", ".join(one.name for one in sources), max(one.changed for one in sources))
    return ""


@pytest.mark.check(
    "SEC-2",
    points=2,
    requires=["password_rotated"],
    why="With another salt every API key that was ever given out is worthless, and nobody can tell why.",
)
def test_salt_kept(secrets: Secrets, workloads: Workloads) -> None:
    """The salt of the API keys is the one the release was installed with."""
    variable, since = _variable(secrets, SALT), workloads.installed
    sources = _behind(secrets, variable)
    if turned := [one for one in sources if since is None or one.is_new_since(since)]:
        raise Miss(
            expected="the value of before: rotate what was seen, and nothing else",
            observed=f"another value, since {turned[0].changed.isoformat()}",
            where=turned[0].name,
            next=f"aws secretsmanager list-secret-version-ids --secret-id {turned[0].name}",
        )


@pytest.mark.check(
    "SEC-2",
    points=3,
    requires=["password_rotated"],
    why="Until the next sync, which may be an hour away, the cluster holds what was valid before.",
)
def test_secrets_follow_store(secrets: Secrets) -> None:
    """No Secret in the cluster is older than the values it is made of."""
    for name in secrets.read:
        supply, changed = secrets.supply(name), _time(secrets.facts[name]["changed"])
        if supply is None or supply.kind != "ExternalSecret":
            continue
        for source in _sources(secrets, supply, supply.remote):
            if source.changed > changed:
                raise Miss(
                    expected=f"a sync after {source.changed.isoformat()}, when {source.name} was changed",
                    observed=f"the Secret is of {changed.isoformat()}",
                    where=f"Secret {name}",
                    next=_kubectl(secrets, f"annotate externalsecret {supply.name} force-sync=$(date +%s) --overwrite"),
                )


@pytest.mark.check(
    "SEC-2",
    "ARCH-6",
    points=4,
    requires=["secrets_follow_store"],
    why="A pod reads its Secrets when it starts: with the old value it fails when it moves, at three in the morning.",
)
def test_pods_follow_secrets(secrets: Secrets, workloads: Workloads) -> None:
    """Every workload that reads a Secret is ready, and all its pods started after the Secret's last change."""
    for one, newest in _readers(secrets, workloads):
        if not one.is_ready:
            raise Miss(
                expected="every pod ready, one or more, all of the newest version",
                observed=f"{one.ready} of {one.wanted} ready",
                where=one.where,
                next=one.look,
            )
        for pod in workloads.pods(one):
            if _time(pod["metadata"]["creationTimestamp"]) < newest:
                raise Miss(
                    expected=f"a pod that started after {newest.isoformat()}, when its Secrets were changed",
                    observed=f"started {pod['metadata']['creationTimestamp']}",
                    where=f"pod {name_of(pod)}",
                    next=_kubectl(secrets, f"rollout restart {one.kind.lower()} {one.name}"),
                )


@pytest.mark.check(
    "SB-2",
    "S3-5",
    points=3,
    requires=["secrets_supplied"],
    why="A value that is also written into values, a ConfigMap or a pod will be seen again.",
)
def test_nothing_in_plain_text(release: Release, workloads: Workloads) -> None:
    """Release values, ConfigMaps, and environment and commands of pods hold no secret and no static AWS key."""
    for path, kind in release.record.leaks if release.record else ():
        _leak(kind, f"value {path} of the release", release.look)
    for name, entries in workloads.config_maps.items():
        for key, facts in entries.items():
            if kind := str(facts.get("leak", "")):
                look = f"kubectl -n {release.scope('namespace')} describe configmap {name}"
                _leak(kind, f"ConfigMap {name}, {key}", look)
    for one in workloads.all:
        for variable in _environment(one, workloads):
            kind = str(variable.facts.get("leak", "")) if not variable.secret else ""
            if variable.name in KEYS and (variable.value or variable.secret):
                kind = "a static AWS key"
            if kind:
                _leak(kind, f"{one.where}, variable {variable.name}", one.look)
        for name, kind in one.leaks:
            _leak(kind, f"{one.where}, command of container {name}", one.look)


def _readers(secrets: Secrets, workloads: Workloads) -> Iterator[tuple[Workload, datetime]]:
    """Yield the workloads of the application with the last change of what they read."""
    for one in {workload.name: workload for workload, _ in secrets.references}.values():
        read = [v for v in workloads.variables(one).values() if v.secret and secrets.holds(v)]
        if changes := [_time(secrets.facts[v.secret]["changed"]) for v in read]:
            yield one, max(changes)


def _environment(one: Workload, workloads: Workloads) -> list[Variable]:
    """Return the variables of a workload that may hold something; an optional key that nobody made holds nothing."""
    found = [v for container in one.all_containers for v in workloads.environment(container).values()]
    return [v for v in found if not v.secret or workloads.views.secrets.holds(v)]


def _miss_old(what: str, changed: datetime) -> None:
    raise Miss(
        expected="a value that was written after the release was installed",
        observed=f"last written {changed.isoformat()}",
        where=what,
        next="hallmark lab hint deploy-secrets",
    )


def _leak(kind: str, where: str, look: str) -> None:
    raise Miss(expected="secrets by reference only", observed=kind, where=where, next=look)
