"""Kinds of fault in the cluster: each causes its symptom and nothing else, and each way back is whole."""

import json
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault, GuardRefused, UsageError
from hallmark.faults import kinds, roles, runner
from hallmark.faults.definition import Fault
from hallmark.faults.journal import State
from hallmark.faults.kinds import workload_scaled
from hallmark.model import Answer, Call, Status
from hallmark.targets.cluster_writer import ClusterWriter

PARAMS = tomllib.loads(Path(__file__).with_name("params.toml").read_text())
BACKEND, INGEST = "apps/v1/deployments/langsmith-backend", "apps/v1/deployments/langsmith-ingest-queue"
CLICKHOUSE = "apps/v1/statefulsets/langsmith-clickhouse"


@pytest.fixture
def system(staged: Any) -> Any:
    """A fresh namespace is enough."""
    return staged


def fault(kind: str, **params: Any) -> Fault:
    """A fault that would last five minutes."""
    return Fault("lab", kind, timedelta(minutes=5), "symptom", params=params or PARAMS.get(kind, {}))


def pods(system: Any, component: str) -> list[tuple[str, str]]:
    """Phase and role of each pod of a component."""
    name = "app.kubernetes.io/component"
    return [(p, r) for labels, r, p, _ in system.stage.state()["pods"] if labels[name] == f"langsmith-{component}"]


def test_what_people_see_depends_on_the_component_and_how_often_it_runs() -> None:
    """It is said of those that were tried, without a pod; of others and of other numbers it is not."""
    for component, sight in workload_scaled.SEEN_WITHOUT.items():
        assert kinds.load("workload-scaled", {"component": component, "replicas": 0}).seen == sight
        assert kinds.load("workload-scaled", {"component": component, "replicas": 1}).seen is None
    assert kinds.load("workload-scaled", {"component": "backend", "replicas": 0}).seen is None


@pytest.mark.parametrize("kind", ["role-annotation-removed", "role-trust-moved"])
def test_what_people_see_of_a_lost_role_depends_on_the_component(kind: str) -> None:
    """The ingest queue writes what people send here, the backend reads it; without the others all comes back."""
    seen = {each: kinds.load(kind, {"component": each}).seen for each in roles.SEEN_WITHOUT}
    assert seen == roles.SEEN_WITHOUT
    assert {each.step for each in seen.values() if each} == {"large_read"}
    for component in ("platform-backend", "queue"):
        assert kinds.load(kind, {"component": component}).seen is None


def test_a_component_scaled_to_zero_has_no_pods(system: Any) -> None:
    """The one workload has no replicas; its claim, its template and the others are what they were."""
    before = system.stage.state()
    system.runner().inject(fault("workload-scaled"))
    after = system.stage.state()
    assert pods(system, "clickhouse") == []
    assert system.stage.get("v1/persistentvolumeclaims/data-langsmith-clickhouse-0")["spec"]["volumeName"]
    assert {k: v for k, v in after.items() if k not in {"pods", "workloads"}} == {
        k: v for k, v in before.items() if k not in {"pods", "workloads"}
    }
    system.revert()


def test_a_component_is_scaled_back_to_its_recorded_number(system: Any) -> None:
    """Two backends before, five during, and two again, although somebody tried seven."""
    system.runner().inject(fault("workload-scaled", component="backend", replicas=5))
    assert len(pods(system, "backend")) == 5
    system.stage.patch(BACKEND, {"spec": {"replicas": 7}})
    system.revert()
    assert len(pods(system, "backend")) == 2


def test_two_components_are_two_faults(system: Any) -> None:
    """Kind and target are the same, the parameters are not: each has a journal and a way back of its own."""
    before = system.state()
    one = system.runner().inject(fault("workload-scaled"))
    two = system.runner().inject(fault("workload-scaled", component="ingest-queue", replicas=0))
    assert [each.id for each in runner.active(system.home)] == [one.id, two.id]
    system.revert()
    assert system.state() == before


@pytest.mark.parametrize("kind", ["workload-scaled", "node-group-capped"])
def test_a_workload_that_an_autoscaler_scales_is_left_alone(system: Any, kind: str) -> None:
    """The autoscaler would undo the fault, or the learner's repair."""
    for component in ("ingest-queue", "clickhouse"):
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"langsmith-{component}"}
        scaler = {"metadata": {"name": component}, "spec": {"scaleTargetRef": target, "maxReplicas": 9}}
        system.stage.create("autoscaling/v2/horizontalpodautoscalers", scaler)
    with pytest.raises(GuardRefused, match="is scaled by an autoscaler"):
        system.runner().inject(fault(kind))


def test_the_service_gets_an_address_and_gives_it_back(system: Any) -> None:
    """The type is changed, and with the type come and go ports and policies."""
    before = system.stage.get("v1/services/langsmith-backend")["spec"]
    system.runner().inject(fault("service-exposed"))
    exposed = system.stage.get("v1/services/langsmith-backend")
    assert (exposed["spec"]["type"], len(exposed["status"]["loadBalancer"]["ingress"])) == ("LoadBalancer", 1)
    system.revert()
    assert system.stage.get("v1/services/langsmith-backend")["spec"] == before


def test_a_missing_name_keeps_the_secret_away_and_pods_wait(system: Any) -> None:
    """One of two names is wrong, so the whole Secret is missing; pods that read another one run."""
    before = system.state()
    journal = system.runner().inject(fault("external-secret-key-missing"))
    external = system.stage.get("external-secrets.io/v1/externalsecrets/langsmith-config")
    assert external["status"]["conditions"][0]["reason"] == "SecretSyncedError"
    keys = [each["remoteRef"]["key"] for each in external["spec"]["data"]]
    assert keys == ["langsmith-config-other", "langsmith-config-first-renamed"]
    assert system.stage.state()["secrets"] == ["langsmith-postgres", "langsmith-stores"]
    assert {phase for phase, _ in pods(system, "backend")} == {"Pending"}
    assert [step.is_last for step in journal.steps] == [False, False, True]
    system.revert()
    assert system.state() == before


def test_a_secret_nobody_owns_keeps_what_it_holds_and_gets_its_owner_back(system: Any) -> None:
    """The operator makes nothing any more; the Secret stays as it is, without the operator's marks."""
    before = system.state()
    held = system.stage.get("v1/secrets/langsmith-config")["data"]
    system.runner().inject(fault("external-secret-switched-off"))
    system.stage.settle()
    secret = system.stage.get("v1/secrets/langsmith-config")
    assert secret["data"] == held
    assert {"ownerReferences", "labels"}.isdisjoint(secret["metadata"])
    assert system.stage.state()["owned"] == ["langsmith-postgres", "langsmith-stores"]
    system.revert()
    assert system.state() == before


def test_a_secret_that_nothing_makes_cannot_be_switched_off(system: Any) -> None:
    """Made by hand from the beginning."""
    system.stage.create("v1/secrets", {"metadata": {"name": "by-hand"}, "stringData": {"key": "value"}})
    with pytest.raises(UsageError, match="no ExternalSecret makes a Secret by-hand"):
        system.runner().inject(fault("external-secret-switched-off", secret="by-hand"))


def test_pods_without_a_role_get_it_back(system: Any) -> None:
    """The annotation goes and pods are made anew without a role; the way back restores it before it makes pods."""
    before = system.state()
    assert {role for _, role in pods(system, "backend")} == {"arn:aws:iam::111122223333:role/app"}
    system.runner().inject(fault("role-annotation-removed"))
    assert {role for _, role in pods(system, "backend")} == {""}
    assert system.stage.get("v1/serviceaccounts/langsmith-backend")["metadata"]["annotations"] == {"note": "kept"}
    system.revert()
    assert system.state() == before


def test_a_service_account_that_others_share_is_left_alone(system: Any) -> None:
    """Its annotation is theirs, too."""
    shared = {"spec": {"template": {"spec": {"serviceAccountName": "langsmith-backend"}}}}
    system.stage.patch(INGEST, shared)
    with pytest.raises(GuardRefused, match="share the service account langsmith-backend"):
        system.runner().inject(fault("role-annotation-removed"))


def test_a_component_without_a_role_has_none_to_take_away(system: Any) -> None:
    """There is no steady state to disturb."""
    with pytest.raises(UsageError, match="shows the symptom of role-annotation-removed already"):
        system.runner().inject(fault("role-annotation-removed", component="ingest-queue"))


def test_the_volume_has_the_figures_of_a_default_one(system: Any) -> None:
    """Operations and throughput are those of gp3, and come back; size and type stay."""
    system.runner().inject(fault("volume-throttled"))
    assert system.hardware()["figures"] == (3000, 125)
    system.revert()
    assert system.hardware()["figures"] == (7000, 1000)


def test_the_node_group_is_full_and_pods_wait(system: Any) -> None:
    """The largest size is the present one, and three pods more than fit are asked for."""
    journal = system.runner().inject(fault("node-group-capped"))
    assert system.hardware()["sizes"] == {"minSize": 1, "maxSize": 1, "desiredSize": 1}
    assert sorted(phase for phase, _ in pods(system, "ingest-queue")) == ["Pending"] * 3 + ["Running"] * 3
    assert journal.steps[-1].do.arguments["replicas"] == 6
    system.revert()
    assert system.hardware()["sizes"] == {"minSize": 1, "maxSize": 3, "desiredSize": 1}


def test_a_repair_made_meanwhile_counts_as_reverted(system: Any) -> None:
    """Every inverse finds things as they are to be."""
    injected = system.runner().inject(fault("external-secret-key-missing"))
    for step in injected.steps:
        ClusterWriter(system.profile).write(step.undo)
    (done,) = runner.revert(system.home, system.profile)
    assert [step.outcome for step in done.steps] == ["already so"] * 3


def test_a_release_uninstalled_meanwhile_counts_as_reverted(system: Any) -> None:
    """What is gone cannot be restored, and is not left on the books for ever."""
    system.runner().inject(fault("workload-scaled"))
    system.stage.delete(CLICKHOUSE)
    (done,) = runner.revert(system.home, system.profile)
    assert [step.outcome for step in done.steps] == ["gone"]


def test_a_component_that_is_not_there_is_refused(system: Any) -> None:
    """The message names it."""
    with pytest.raises(UsageError, match="the release langsmith has no playground"):
        system.runner().inject(fault("workload-scaled", component="playground", replicas=0))


def test_a_second_symptom_is_a_failure(system: Any) -> None:
    """Somebody changes a neighbour meanwhile: the engine says which, and takes its own change back."""

    class Clumsy(ClusterWriter):
        def write(self, call: Call) -> Any:
            system.stage.patch(INGEST, {"spec": {"replicas": 2}})
            return super().write(call)

    target = type(system.runner()._target)(system.profile, system.aws, Clumsy(system.profile), stage=system.stage)
    with pytest.raises(EnvironmentFault, match="also changed Deployment langsmith-ingest-queue"):
        system.runner(target).inject(fault("workload-scaled"))
    assert system.stage.get(CLICKHOUSE)["spec"]["replicas"] == 1
    assert runner.active(system.home) == []


def test_one_look_that_fails_is_no_failure(system: Any) -> None:
    """The server is too busy for the first look after the change: the engine looks again."""

    class Busy(ClusterWriter):
        left = 0

        def write(self, call: Call) -> Any:
            self.left = 1
            return super().write(call)

        def answer(self, call: Call) -> Answer:
            if self.left:
                self.left -= 1
                return Answer(Status.FAILED, None, "throttled", "HTTP 429")
            return super().answer(call)

    target = type(system.runner()._target)(system.profile, system.aws, Busy(system.profile), stage=system.stage)
    assert system.runner(target).inject(fault("workload-scaled")).state is State.INJECTED


def test_no_secret_of_the_cluster_is_in_a_journal(system: Any) -> None:
    """Values of Secrets are in no file the engine writes, names of keys may be."""
    system.runner().inject(fault("external-secret-key-missing"))
    text = "\n".join(file.read_text() for file in system.home.rglob("*.json"))
    system.revert()
    assert "langsmith_license_key" in text
    assert "a-planted-value" not in text
    assert json.dumps(system.stage.get("v1/secrets/langsmith-config")["data"])[2:-2] not in text
