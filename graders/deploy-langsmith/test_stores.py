"""The data stores as the application is told of them: those of the foundation, and no others."""

from collections.abc import Mapping
from typing import Any

import pytest

from hallmark.errors import Miss
from hallmark.views.cluster import namespace_of
from hallmark.views.data import Data
from hallmark.views.ingresses import Ingresses
from hallmark.views.secrets import Secrets
from hallmark.views.workloads import Variable, Workload, Workloads

CLICKHOUSE = ("HOST", "PORT", "NATIVE_PORT", "USER", "PASSWORD", "DB", "TLS")


@pytest.mark.check(
    "ARCH-7",
    points=4,
    requires=["application_ready"],
    why="A database in the cluster has no backups and goes with its node; another one is not the one you keep.",
)
def test_postgres_is_rds(workloads: Workloads, secrets: Secrets, data: Data) -> None:
    """Every part of the application that uses PostgreSQL is told the RDS endpoint."""
    known = {host for database in data.databases if not database.is_replica for host in database.endpoints}
    for one in _told(workloads, "POSTGRES_DATABASE_URI"):
        urls = secrets.urls(workloads.variables(one)["POSTGRES_DATABASE_URI"])
        _require_known(one, "POSTGRES_DATABASE_URI", urls, known)


@pytest.mark.check(
    "ARCH-8",
    points=4,
    requires=["application_ready"],
    why="A Redis in the cluster loses every queued trace with its pod.",
)
def test_redis_is_elasticache(workloads: Workloads, secrets: Secrets, data: Data) -> None:
    """Every part of the application that uses Redis is told the ElastiCache endpoint, with TLS where it asks for it."""
    known = {host: cache for cache in data.caches for host in cache.endpoints}
    for one in _told(workloads, "REDIS_DATABASE_URI", "REDIS_CLUSTER_DATABASE_URIS"):
        name, urls = _redis(workloads.variables(one), secrets)
        _require_known(one, name, urls, set(known))
        demanding = [url for url in urls if known[url["host"]].demands_tls]
        if plain := [url["scheme"] for url in demanding if url["scheme"] != "rediss"]:
            raise Miss(
                expected="a URL with scheme rediss: the cache refuses connections without TLS",
                observed=f"scheme {plain[0] or 'none'}",
                where=f"{one.where}, {name}",
                next=one.look,
            )


@pytest.mark.check(
    "ARCH-9",
    "CH-8",
    points=3,
    requires=["application_ready"],
    why="A wrong ClickHouse host is not noticed when traces are accepted, only when they never appear.",
)
def test_clickhouse_told(workloads: Workloads, secrets: Secrets, ingresses: Ingresses) -> str:
    """The application is told of a ClickHouse: the one of the release, or one outside the cluster."""
    for one in _told(workloads, "CLICKHOUSE_HOST"):
        variables = workloads.variables(one)
        if missing := [n for n in CLICKHOUSE if not _has(variables.get(f"CLICKHOUSE_{n}"), secrets)]:
            _miss(one, "host, ports, user, password, database and TLS", f"no CLICKHOUSE_{missing[0]}")
        host = secrets.text(variables["CLICKHOUSE_HOST"])
        inside = workloads.clickhouse
        if inside is None and not _is_outside(host, one, ingresses):
            _miss(one, "a ClickHouse in the release, or a host outside the cluster", f"host {host}, which is neither")
        if inside is not None and not _leads_to(host, inside, ingresses):
            _miss(one, f"the Service in front of {inside.where}", f"host {host}")
    return (
        "ClickHouse runs in the cluster: accepted, a managed one is recommended (CH-8)." if workloads.clickhouse else ""
    )


def _told(workloads: Workloads, *names: str) -> list[Workload]:
    """Return the workloads that have one of the variables; the application is nothing without them."""
    told = [one for one in workloads.application.values() if set(names) & set(workloads.variables(one))]
    if not told:
        raise Miss(
            expected=f"the application with {' or '.join(names)}",
            observed="no workload has it",
            where=workloads.scope("namespace"),
            next=f"helm -n {workloads.scope('namespace')} get values {workloads.scope('release')}",
        )
    return told


def _redis(variables: Mapping[str, Variable], secrets: Secrets) -> tuple[str, list[Mapping[str, Any]]]:
    name = "REDIS_DATABASE_URI" if "REDIS_DATABASE_URI" in variables else "REDIS_CLUSTER_DATABASE_URIS"
    return name, secrets.urls(variables[name])


def _require_known(one: Workload, name: str, urls: list[Mapping[str, Any]], known: set[str]) -> None:
    hosts = [str(url["host"]) for url in urls]
    if not hosts or not set(hosts) <= known:
        raise Miss(
            expected=f"the endpoint of the foundation: {', '.join(sorted(known)) or 'there is none'}",
            observed=f"host {', '.join(hosts)}" if hosts else "no URL that can be read",
            where=f"{one.where}, {name}",
            next=one.look,
        )


def _miss(one: Workload, expected: str, observed: str) -> None:
    raise Miss(expected=expected, observed=observed, where=one.where, next=one.look)


def _has(variable: Variable | None, secrets: Secrets) -> bool:
    if variable is None:
        return False
    return secrets.holds(variable) if variable.secret else bool(variable.value)


def _leads_to(host: str, inside: Workload, ingresses: Ingresses) -> bool:
    """Whether *host* is the name of a Service in front of *inside*, in any of the forms cluster DNS knows."""
    services = {f"{service['metadata']['name']}.{namespace_of(service)}" for service in ingresses.services_of(inside)}
    name, _, rest = host.partition(".")
    namespace = rest.partition(".")[0] or inside.namespace
    return f"{name}.{namespace}" in services


def _is_outside(host: str, one: Workload, ingresses: Ingresses) -> bool:
    """Whether *host* cannot be in the cluster: it has a domain that is not the cluster's, or it is an address."""
    cluster = ingresses.views.cluster
    services = {f"{s['metadata']['name']}.{namespace_of(s)}" for s in cluster.services}
    name, _, rest = host.partition(".")
    if host.lower() in cluster.addresses:
        return False
    return bool(rest) and ".svc" not in f".{rest}" and f"{name}.{rest or one.namespace}" not in services
