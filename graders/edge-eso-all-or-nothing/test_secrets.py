"""Every Secret is made again by its operator, out of the store, whole; and nothing has taken its place."""

import pytest

from hallmark.errors import Miss
from hallmark.views.cluster import name_of
from hallmark.views.release import Release
from hallmark.views.secrets import Secrets, Supply
from hallmark.views.workloads import APPLICATION, Workload, Workloads

KEYS = ("langsmith_license_key", "api_key_salt", "jwt_secret", "initial_org_admin_password")
"""What the application's Secret holds with basic authentication (LangSmith chart 0.16, `config.existingSecretName`)."""
LICENSE = "LANGSMITH_LICENSE_KEY"
"""The variable that says which Secret is the application's."""


def _external(secrets: Secrets) -> list[Supply]:
    found = [supply for supply in secrets.supplies if supply.kind == "ExternalSecret"]
    if not found:
        raise Miss(
            expected="ExternalSecrets that feed the application", observed="none", where=secrets.scope("namespace"),
            next=_list(secrets),
        )  # fmt: skip
    return found


def _list(secrets: Secrets) -> str:
    return f"kubectl -n {secrets.scope('namespace')} get externalsecrets"


def _describe(secrets: Secrets, kind: str, name: str) -> str:
    return f"kubectl -n {secrets.scope('namespace')} describe {kind} {name}"


def _is_owned(secrets: Secrets, name: str) -> bool:
    """Whether an ExternalSecret made a Secret and keeps it: with another creation policy nobody does both."""
    owners = secrets.facts.get(name, {}).get("metadata", {}).get("ownerReferences", [])
    return any(owner["kind"] == "ExternalSecret" for owner in owners)


@pytest.mark.check(
    "SEC-1",
    points=5,
    why="One name that the store does not hold keeps back all keys of the Secret, also those nobody touched.",
)
def test_names_exist(secrets: Secrets) -> None:
    """Every name that an ExternalSecret asks for is in its store."""
    for supply in _external(secrets):
        missing = secrets.missing_names(supply)
        if missing or not supply.remote:
            raise Miss(
                expected="names that its store holds",
                observed=f"no {', '.join(missing)}" if missing else "it asks for nothing",
                where=f"ExternalSecret {supply.name}",
                next="aws secretsmanager list-secrets --query 'SecretList[].Name'",
            )


@pytest.mark.check(
    "SEC-2",
    points=5,
    requires=["names_exist"],
    why="A Secret that nobody keeps is right until the next rotation, and wrong from then on without a word.",
)
def test_secrets_are_synced(secrets: Secrets) -> None:
    """Every ExternalSecret is ready and goes on looking, and every Secret the application reads is owned by one."""
    for supply in _external(secrets):
        if not supply.is_ready or supply.is_once:
            raise Miss(
                expected="Ready, and a refresh policy and an interval with which it looks again",
                observed=supply.reason or "it read the store once",
                where=f"ExternalSecret {supply.name}",
                next=_describe(secrets, "externalsecret", supply.name),
            )
    for name in secrets.read:
        if not _is_owned(secrets, name):
            raise Miss(
                expected="a Secret that an ExternalSecret owns (creationPolicy Owner)",
                observed="nobody owns it" if name in secrets.facts else "no such Secret",
                where=f"Secret {name}",
                next=_describe(secrets, "secret", name),
            )


@pytest.mark.check(
    "SEC-3",
    points=4,
    requires=["secrets_are_synced"],
    why="A key that is left out is missed weeks later: the first password is read by the next upgrade's job only.",
)
def test_keys_are_complete(secrets: Secrets) -> None:
    """No key was given up: each Secret has every key that is read of it, and the first administrator's password."""
    own = _own(secrets)
    wanted = {(own, key) for key in KEYS} | {(v.secret, v.key) for _, v in secrets.references if not v.is_optional}
    for name, key in sorted(wanted):
        facts = secrets.keys(name).get(key)
        if facts is None or facts["empty"]:
            raise Miss(
                expected=f"key {key} with a value",
                observed="no such key" if facts is None else "an empty value",
                where=f"Secret {name}",
                next=_describe(secrets, "secret", name),
            )


@pytest.mark.check(
    "SEC-3",
    points=3,
    requires=["keys_are_complete"],
    why="Any name that exists makes the Secret ready. It takes the right one to put the right value in.",
)
def test_values_are_their_own(secrets: Secrets, workloads: Workloads) -> str:
    """No two keys hold the same value: each name is that of its own secret."""
    own = _own(secrets)
    held = {(name, key): facts["digest"] for name in secrets.facts for key, facts in secrets.keys(name).items()}
    for key in KEYS:
        twins = [f"{name} {other}" for (name, other), digest in sorted(held.items())
                 if digest == held[own, key] and (name, other) != (own, key)]  # fmt: skip
        if twins:
            raise Miss(
                expected=f"a value of its own for {key}",
                observed=f"the same as {', '.join(twins)}",
                where=f"Secret {own}",
                next=f"kubectl -n {secrets.scope('namespace')} get externalsecrets -o yaml",
            )
    young = ", ".join(_young(secrets, workloads, own))
    return f"Younger than the release, and not read here: see that it holds the value meant ({young})." if young else ""


@pytest.mark.check(
    "SB-2",
    points=3,
    requires=["secrets_are_synced"],
    why="Whoever may read a ConfigMap, a pod or the release has every secret that is written into it.",
)
def test_nothing_is_in_plain_text(release: Release, workloads: Workloads) -> None:
    """No secret was written into values, ConfigMaps or the environment of pods."""
    if not workloads.all:
        raise Miss(expected="workloads of the release", observed="none", where=release.scope("release"))
    for path, kind in release.record.leaks if release.record else ():
        raise Miss(expected="no secret", observed=kind, where=f"value {path} of the release", next=release.look)
    found = {f"ConfigMap {name}, {key}": facts for name, entries in workloads.config_maps.items()
             for key, facts in entries.items()}  # fmt: skip
    for one in workloads.all:
        found |= {f"{one.where}, variable {name}": facts for name, facts in _literals(one, workloads).items()}
    for where, facts in found.items():
        if kind := facts.get("leak"):
            raise Miss(expected="no secret", observed=str(kind), where=where, next=release.look)


@pytest.mark.check(
    "ARCH-6",
    points=3,
    why="While one pod waits, the next one that has to move waits as well.",
)
def test_workloads_are_back(workloads: Workloads) -> None:
    """Every workload of the release runs what it is to run, all of the newest version, and no pod waits."""
    if missing := [name for name in APPLICATION if name not in workloads.application]:
        raise Miss(
            expected="the seven workloads of the application",
            observed=f"no workload for {', '.join(missing)}",
            where=workloads.scope("namespace"),
            next=f"kubectl -n {workloads.scope('namespace')} get deployments",
        )
    for one in workloads.all:
        waiting = [name_of(pod) for pod in workloads.pods(one) if pod not in workloads.ready_pods(one)]
        if waiting or not one.is_ready:
            raise Miss(
                expected="every pod ready, one or more, all of the newest version",
                observed=f"{one.ready} of {one.wanted} ready" + (f", {', '.join(waiting)} waits" if waiting else ""),
                where=one.where,
                next=one.look,
            )


def _own(secrets: Secrets) -> str:
    """Return the name of the application's own Secret: the one the license comes from."""
    named = sorted({variable.secret for _, variable in secrets.references if variable.name == LICENSE})
    if len(named) != 1:
        raise Miss(
            expected="one Secret that all components take the license from",
            observed=", ".join(named) or "none",
            where=secrets.scope("namespace"),
            next=_list(secrets),
        )
    return named[0]


def _young(secrets: Secrets, workloads: Workloads, own: str) -> list[str]:
    """Return the names in the store behind a Secret that were made after the release was: by whom, with what?"""
    supply, installed = secrets.supply(own), workloads.installed
    held = secrets.sources(supply) if supply else {}
    names = supply.remote if supply else ()
    return [name for name in names if installed and name in held and held[name].made > installed]


def _literals(one: Workload, workloads: Workloads) -> dict[str, dict[str, object]]:
    variables = [v for container in one.all_containers for v in workloads.environment(container).values()]
    return {variable.name: dict(variable.facts) for variable in variables if not variable.secret}
