"""The guard of the cluster refuses what is not plainly a lab's, whatever the account's own marks say."""

from datetime import timedelta
from typing import Any

import pytest

from hallmark.errors import GuardRefused
from hallmark.faults import cluster_guard
from hallmark.faults.definition import Fault
from hallmark.faults.journal import Step
from hallmark.faults.reader import Reader
from hallmark.faults.target import Target
from hallmark.model import Answer, Call, Status
from hallmark.targets.profile import Profile

SCALED = Fault(
    "lab", "workload-scaled", timedelta(minutes=5), "symptom", params={"component": "clickhouse", "replicas": 0}
)
FOREIGN: dict[str, Call] = {
    "a workload without the label": Call.of(
        "kubernetes", "scale", resource="deployments", namespace="{here}", name="other", replicas=0
    ),
    "a workload of another namespace": Call.of(
        "kubernetes", "restart", resource="deployments", namespace="kube-system", name="langsmith-backend", at=None
    ),
    "a service account without the label": Call.of(
        "kubernetes", "set_role", namespace="{here}", name="default", role=None
    ),
    "a Service of another namespace": Call.of(
        "kubernetes", "set_service_type", namespace="default", name="kubernetes", type="LoadBalancer"
    ),
    "an ExternalSecret whose Secret nobody reads": Call.of(
        "kubernetes", "set_remote_key", version="v1", namespace="{here}", name="langsmith-postgres",
        secret_key="connection_url", remote_key="x",
    ),
    "a Secret nobody reads": Call.of(
        "kubernetes", "delete_derived_secret", namespace="{here}", name="langsmith-postgres"
    ),
    "a node group of another cluster": Call.of(
        "eks", "update_nodegroup_config", clusterName="other-eks", nodegroupName="general", scalingConfig={"maxSize": 1}
    ),
    "a volume of nobody's claim": Call.of("ec2", "modify_volume", VolumeId="vol-0123456789abcdef0", Iops=3000),
}  # fmt: skip


@pytest.fixture
def system(staged: Any) -> Any:
    """A fresh namespace is enough."""
    return staged


def require(system: Any, call: Call, profile: Profile | None = None) -> None:
    """Hold one call against the guard."""
    here = profile or system.profile
    arguments = {k: system.profile.namespace if v == "{here}" else v for k, v in call.arguments.items()}
    step = Step("do", "undo", "something", do=(made := Call.of(call.service, call.operation, **arguments)), undo=made)
    cluster_guard.require_lab(here, Reader(Target(here, system.aws), here.scope()), [step])


@pytest.mark.parametrize("case", FOREIGN)
def test_what_is_not_of_the_release_is_refused(system: Any, case: str) -> None:
    """An object has to carry the release's label in its namespace, or be what the release reads."""
    other = {"metadata": {"name": "other"}, "spec": system.stage.get("apps/v1/deployments/langsmith-backend")["spec"]}
    system.stage.create("apps/v1/deployments", other)
    with pytest.raises(GuardRefused, match="would change what is not of langsmith"):
        require(system, FOREIGN[case])


def test_what_is_of_the_release_is_accepted(system: Any) -> None:
    """The same writes, to what is its own."""
    here = system.profile.namespace
    require(system, Call.of("kubernetes", "set_role", namespace=here, name="langsmith-backend", role=None))
    require(
        system, Call.of("kubernetes", "set_service_type", namespace=here, name="langsmith-backend", type="ClusterIP")
    )
    require(system, Call.of("kubernetes", "delete_derived_secret", namespace=here, name="langsmith-config"))
    require(system, Call.of("ec2", "modify_volume", VolumeId=system.volume, Iops=3000))


@pytest.mark.parametrize("labels", [{"hallmark.dev/lab": None}, {"hallmark.dev/lab": ""}])
def test_a_namespace_without_the_mark_is_refused(system: Any, labels: dict[str, Any]) -> None:
    """The kubeconfig may lead to another cluster than the one whose tags were read. Nothing is written or recorded."""
    system.stage.label(labels)
    before = system.state()
    with pytest.raises(GuardRefused, match=r"has no label hallmark\.dev/lab"):
        system.runner().inject(SCALED)
    assert system.state() == before
    assert not list(system.home.rglob("*.json"))


def test_a_fault_of_aws_alone_needs_no_cluster(system: Any) -> None:
    """Labs that touch nothing in the cluster run without one."""
    system.stage.label({"hallmark.dev/lab": None})
    plan = system.runner().plan(Fault("lab", "database-security-group", timedelta(minutes=5), "symptom"))
    assert len(plan.steps) == 2


@pytest.mark.parametrize(
    "setting", [{"namespace": "langsmith-prod"}, {"release": "live"}, {"context": "eu-production"}]
)
def test_a_name_that_looks_like_production_is_refused(system: Any, setting: dict[str, str]) -> None:
    """Namespace, release and context."""
    profile = Profile(**{**vars(system.profile), **setting})
    with pytest.raises(GuardRefused, match="looks like production"):
        require(system, Call.of("kubernetes", "set_role", namespace="x", name="x", role=None), profile)


@pytest.mark.parametrize("operation", ["get", "list"])
@pytest.mark.parametrize("status", [Status.DENIED, Status.FAILED])
def test_what_cannot_be_read_counts_as_unmarked(system: Any, operation: str, status: Status) -> None:
    """Fail closed: a denied or failed answer refuses the fault."""

    class Blind(Target):
        def answer(self, call: Call) -> Answer:
            hidden = Answer(status, None, "denied", f"{call.operation}: {status}")
            return hidden if call.operation == operation else super().answer(call)

    profile = system.profile
    call = Call.of("kubernetes", "set_role", namespace=profile.namespace, name="langsmith-backend", role=None)
    step = Step("do", "undo", "something", do=call, undo=call)
    with pytest.raises(GuardRefused, match="cannot see whether the target is a lab"):
        cluster_guard.require_lab(profile, Reader(Blind(profile, system.aws), profile.scope()), [step])
