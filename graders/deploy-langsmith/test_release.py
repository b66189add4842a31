"""The release: installed by Helm, complete, running, and the operator's own."""

import pytest

from hallmark.errors import Miss
from hallmark.views.cluster import Cluster
from hallmark.views.compute import Compute
from hallmark.views.edge import Edge
from hallmark.views.release import Release
from hallmark.views.secrets import Secrets
from hallmark.views.workloads import APPLICATION, Workloads

NEWEST_MINOR = 16
"""Minor version of the newest stable chart known to this version of Hallmark (0.16, August 2026)."""
OLDEST_MINOR = NEWEST_MINOR - 2
VENDOR = (".langchain.com", ".smith.langchain.com")
BEACON = "beacon.langchain.com"
"""Where the license is verified: the one host of the vendor that a self-hosted platform talks to."""


@pytest.mark.check(
    "ARCH-1",
    "MODE-1",
    points=5,
    why="What Helm does not know of, Helm can neither upgrade nor roll back.",
)
def test_release_deployed(release: Release) -> None:
    """A Helm release of the LangSmith chart is deployed."""
    record = release.record
    if record is None:
        raise Miss(
            expected=f"a Helm release {release.scope('release')} in namespace {release.scope('namespace')}",
            observed="none",
            where=release.scope("namespace"),
            next="helm list --all-namespaces --all",
        )
    if record.status != "deployed":
        raise Miss(
            expected="status deployed",
            observed=f"revision {record.revision} is {record.status}",
            where=f"release {record.name}",
            next=f"helm -n {record.namespace} history {record.name}",
        )
    if record.chart != "langsmith":
        raise Miss(
            expected="the chart langsmith", observed=record.chart, where=f"release {record.name}", next=release.look
        )


@pytest.mark.check(
    "CMP-1",
    points=1,
    requires=["release_deployed"],
    why="Facts about one cluster must not be taken for facts about another.",
)
def test_cluster_is_eks(cluster: Cluster, compute: Compute) -> None:
    """The cluster that was read is the EKS cluster of the target."""
    named = compute.cluster.get("version", "")
    served = ".".join(map(str, cluster.version))
    if compute.cluster.get("status") != "ACTIVE" or named != served:
        raise Miss(
            expected=f"EKS cluster {compute.scope('cluster')}, active, with the version its API server has",
            observed=f"EKS: {compute.cluster.get('status', 'no such cluster')} {named}; API server: {served}",
            where=compute.scope("cluster"),
            next="kubectl cluster-info && kubectl version",
        )


@pytest.mark.check(
    "ARCH-6",
    points=5,
    requires=["release_deployed"],
    why="With one service missing the platform looks healthy and loses part of what it is for.",
)
def test_application_ready(workloads: Workloads) -> None:
    """All seven application workloads run, each with all its pods ready."""
    if missing := [name for name in APPLICATION if name not in workloads.application]:
        raise Miss(
            expected="the seven workloads of the application",
            observed=f"no workload for {', '.join(missing)}",
            where=workloads.scope("namespace"),
            next=f"kubectl -n {workloads.scope('namespace')} get deployments,statefulsets",
        )
    for one in workloads.application.values():
        if not one.is_ready:
            raise Miss(
                expected="every pod ready, one or more, all of the newest version",
                observed=f"{one.ready} of {one.wanted} ready"
                + ("" if one.is_current else ", a rollout is not complete"),
                where=one.where,
                next=one.look,
            )


@pytest.mark.check(
    "MODE-1",
    points=2,
    requires=["application_ready"],
    why="A part that talks to the vendor's control plane is not self-hosted, and sends your data out.",
)
def test_host_is_own(workloads: Workloads, secrets: Secrets, edge: Edge) -> None:
    """The platform knows itself by your host, and no part of it belongs to the vendor's control plane."""
    for name in ("backend", "platform-backend"):
        one = workloads.application[name]
        public = workloads.variables(one).get("LANGSMITH_URL")
        own = _host(public.value) if public else ""
        if own != edge.host:
            raise Miss(
                expected=f"config.hostname {edge.host}",
                observed=own or "no hostname",
                where=one.where,
                next=f"helm -n {one.namespace} get values {workloads.scope('release')}",
            )
    for one in workloads.all:
        for variable in workloads.variables(one).values():
            leads = [str(url["host"]) for url in secrets.urls(variable)]
            if any(host.endswith(VENDOR) and host != BEACON for host in leads):
                raise Miss(
                    expected="no connection to the vendor's control plane",
                    observed=f"{variable.name} leads to {', '.join(leads)}",
                    where=one.where,
                    next=one.look,
                )


@pytest.mark.check(
    "SB-8",
    points=1,
    requires=["release_deployed"],
    why="Fixes are made for the newest minor lines only, and an upgrade over many of them is a project.",
)
def test_chart_recent(release: Release) -> None:
    """The chart is at most two minor lines old."""
    version = release.record.chart_version if release.record else ""
    major, minor = (int(part) if part.isdigit() else 0 for part in f"{version}.0".split(".")[:2])
    if (major, minor) < (0, OLDEST_MINOR):
        raise Miss(
            expected=f"chart 0.{OLDEST_MINOR} or later",
            observed=version,
            where=f"release {release.scope('release')}",
            next="helm search repo langchain/langsmith --versions",
        )


def _host(url: str) -> str:
    """Return the host of a public address; the chart writes it without scheme."""
    return url.lower().rpartition("://")[2].partition("/")[0].partition(":")[0]
