"""ClickHouse runs again, as the one it was: same volume, same size, same way in; and nothing else has changed."""

from decimal import Decimal

import pytest

from hallmark.errors import Miss
from hallmark.views.cluster import namespace_of
from hallmark.views.ingresses import Ingresses
from hallmark.views.quantities import gibibytes, number
from hallmark.views.secrets import Secrets
from hallmark.views.volumes import EBS_DRIVER, Volumes, limit
from hallmark.views.workloads import APPLICATION, Workload, Workloads

CPU = 8
MEMORY = 32 * 10**9
"""32 GB: 32G and 32Gi both pass."""
QUIET_SECONDS = 300


def _clickhouse(workloads: Workloads) -> Workload:
    one = workloads.clickhouse
    if one is None:
        raise Miss(
            expected="the StatefulSet of ClickHouse",
            observed="none",
            where=workloads.scope("namespace"),
            next=f"kubectl -n {workloads.scope('namespace')} get statefulsets",
        )
    return one


@pytest.mark.check("ARCH-9", "CH-9", points=5, why="Without ClickHouse traces pile up in the queue and cannot be read.")
def test_clickhouse_runs(workloads: Workloads) -> None:
    """ClickHouse of the release is to have one pod, and has it, ready."""
    one = _clickhouse(workloads)
    if one.wanted != 1 or not one.is_ready:
        raise Miss(
            expected="one replica wanted, one ready",
            observed=f"{one.wanted} wanted, {one.ready} ready",
            where=one.where,
            next=one.look,
        )


@pytest.mark.check(
    "CH-3",
    points=5,
    requires=["clickhouse_runs"],
    why="A new volume is empty: the outage is over, and so is everything that was ever traced.",
)
def test_data_is_kept(workloads: Workloads, volumes: Volumes) -> None:
    """ClickHouse has the volume it was installed with."""
    one, installed = _clickhouse(workloads), workloads.installed
    if not volumes.claims or installed is None:
        raise Miss(expected="a claim mounted where the data is", observed="none", where=one.where, next=one.look)
    for claim in volumes.claims:
        if claim.phase != "Bound" or claim.driver != EBS_DRIVER:
            raise Miss(
                expected=f"a claim bound to a volume of {EBS_DRIVER}",
                observed=f"{claim.phase}, driver {claim.driver or 'none'}",
                where=f"PersistentVolumeClaim {claim.name}",
                next=claim.look,
            )
        if not volumes.came_with_the_release(claim):
            raise Miss(
                expected=f"a claim as old as the release, {installed:%Y-%m-%d %H:%M:%S}",
                observed=f"made {claim.created:%Y-%m-%d %H:%M:%S}" if claim.created else "of unknown age",
                where=f"PersistentVolumeClaim {claim.name}",
                next=claim.look,
            )


@pytest.mark.check(
    "CH-9",
    points=3,
    requires=["clickhouse_runs"],
    why="A second ClickHouse beside the first has half of the traces, and nobody knows which half.",
)
def test_no_other_clickhouse(workloads: Workloads) -> None:
    """Nothing in the cluster runs ClickHouse but the release's own."""
    one = _clickhouse(workloads)
    found = workloads.of_image("clickhouse-server")
    if others := [
        each for each in found if (each.kind, each.name, each.namespace) != (one.kind, one.name, one.namespace)
    ]:
        raise Miss(
            expected=f"{one.where} and no other",
            observed=", ".join(each.where for each in others),
            where=others[0].where,
            next=others[0].look,
        )
    for pod in workloads.loose("clickhouse-server"):
        raise Miss(
            expected=f"{one.where} and no other",
            observed=f"pod {pod}, of no workload",
            where=f"pod {pod}",
            next="kubectl get pods --all-namespaces -o wide",
        )


@pytest.mark.check(
    "ARCH-9",
    points=3,
    requires=["clickhouse_runs"],
    why="A way around the broken part leaves it broken for the next one who trusts it.",
)
def test_application_asks_it(workloads: Workloads, secrets: Secrets, ingresses: Ingresses) -> None:
    """Every workload that is told of a ClickHouse is told of this one."""
    one = _clickhouse(workloads)
    names = {f"{service['metadata']['name']}.{namespace_of(service)}" for service in ingresses.services_of(one)}
    told = [(each, workloads.variables(each).get("CLICKHOUSE_HOST")) for each in workloads.application.values()]
    asking = [(each, variable) for each, variable in told if variable]
    if not asking:
        raise Miss(expected="the application with CLICKHOUSE_HOST", observed="no workload has it", where=one.where)
    for each, variable in asking:
        host = secrets.text(variable)
        name, _, rest = host.partition(".")
        if f"{name}.{rest.partition('.')[0] or one.namespace}" not in names:
            raise Miss(expected=f"the Service in front of {one.where}", observed=host, where=each.where, next=each.look)


@pytest.mark.check(
    "CH-1",
    "CH-2",
    points=2,
    requires=["clickhouse_runs"],
    why="A smaller one starts anywhere and fails under the load that has piled up.",
)
def test_clickhouse_is_as_large(workloads: Workloads) -> None:
    """ClickHouse may still use 8 CPU and 32 GB."""
    one = _clickhouse(workloads)
    cpu, memory = limit(one, "cpu"), limit(one, "memory")
    if number(cpu or 0) < CPU or number(memory or 0) < Decimal(MEMORY):
        raise Miss(
            expected=f"{CPU} CPU and 32 GB",
            observed=f"{cpu or 'no'} CPU and {gibibytes(number(memory)) if memory else 'no memory'}",
            where=one.where,
            next=one.look,
        )


@pytest.mark.check(
    "ARCH-6",
    points=3,
    requires=["clickhouse_runs"],
    why="Recovered is what runs as a whole: each part with all its pods, of the newest version.",
)
def test_application_ready(workloads: Workloads) -> None:
    """All seven application workloads run, each with all its pods ready."""
    for name in APPLICATION:
        one = workloads.application.get(name)
        if one is None or not one.is_ready:
            raise Miss(
                expected=f"{name} with every pod ready, one or more",
                observed=f"{one.ready} of {one.wanted} ready" if one else "no such workload",
                where=one.where if one else workloads.scope("namespace"),
                next=f"kubectl -n {workloads.scope('namespace')} get deployments",
            )


@pytest.mark.check(
    "ARCH-6",
    points=1,
    requires=["application_ready"],
    why="What has just been restarted has not proven yet that it stays up.",
)
def test_nothing_restarts(workloads: Workloads) -> None:
    """No container of the release has ended in the last five minutes."""
    if not any(workloads.pods(one) for one in workloads.all):
        raise Miss(expected="pods of the release", observed="none", where=workloads.scope("namespace"))
    for ending in workloads.endings:
        if ending.seconds_ago < QUIET_SECONDS:
            raise Miss(
                expected="five minutes without a restart",
                observed=f"{ending.container}: {ending.reason or 'ended'} {ending.seconds_ago:.0f} s ago",
                where=f"pod {ending.pod}",
                next=f"kubectl -n {workloads.scope('namespace')} get pods",
            )


@pytest.mark.check(
    "SEC-2",
    points=2,
    requires=["clickhouse_runs"],
    why="A Secret that nothing feeds any more is right today and wrong after the next rotation.",
)
def test_secrets_are_supplied(workloads: Workloads, secrets: Secrets) -> None:
    """Every Secret that ClickHouse and the application read is kept filled from outside, and that works."""
    if not secrets.read:
        raise Miss(expected="Secrets that the application reads", observed="none", where=workloads.scope("namespace"))
    for name in secrets.read:
        supply = secrets.supply(name)
        if supply is None or not supply.is_ready:
            raise Miss(
                expected="an ExternalSecret, or another supply, that is ready",
                observed=f"{supply.kind} {supply.name}: {supply.reason}" if supply else "nothing fills it",
                where=f"Secret {name}",
                next=f"kubectl -n {workloads.scope('namespace')} get externalsecrets",
            )
