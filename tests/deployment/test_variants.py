"""Deployments that differ from the solution and are as good, and clusters that cannot show everything."""

from collections.abc import Mapping
from typing import Any

import pytest

from hallmark.errors import Exit
from hallmark.evidence.snapshot import Snapshot
from hallmark.grading import scoring
from hallmark.grading.judge import judge_all
from hallmark.model import Lab, Verdict

LAB = Lab("deploy-langsmith", "t", "deployment", "s", 1, 1, ("twin",), "baseline")


def _verdicts(deployment: Any, evidence: Snapshot) -> dict[str, Verdict]:
    results = judge_all(deployment.checks, evidence)
    return {name.partition("/")[2]: r.verdict for name, r in results.items() if r.verdict is not Verdict.PASS}


def test_a_cluster_that_cannot_have_a_metrics_server_does_not_pass(deployment: Any) -> None:
    """Without the aggregation layer the clause is neither met nor missed: the grade could not tell."""
    del deployment.served["apiregistration.k8s.io/v1"]
    results = judge_all(deployment.checks, deployment.evidence())
    card = scoring.score(LAB, results.values(), Snapshot())

    undecided = [result for result in results.values() if result.verdict is not Verdict.PASS]
    assert [(r.check.id, r.verdict) for r in undecided] == [("deploy-langsmith/metrics_served", Verdict.NOT_APPLICABLE)]
    assert "apiservices" in undecided[0].observed
    assert (scoring.passed(card), scoring.exit_code(card)) == (False, Exit.UNKNOWN)
    assert card.earned == card.possible - undecided[0].check.points


def test_a_metrics_server_that_could_be_there_and_is_not_is_a_miss(deployment: Any) -> None:
    """The API server has API services; nobody registered one for metrics."""
    deployment.objects["/apis/apiregistration.k8s.io/v1/apiservices"] = []
    del deployment.served["metrics.k8s.io/v1beta1"]

    assert _verdicts(deployment, deployment.evidence()) == {"metrics_served": Verdict.FAIL}


def test_a_foundation_without_a_release_fails_once(deployment: Any) -> None:
    """One root cause; everything else waits for it."""
    secrets = deployment.objects["/api/v1/namespaces/langsmith/secrets"]
    secrets[:] = [one for one in secrets if "helm" not in one["type"]]
    verdicts = _verdicts(deployment, deployment.evidence())

    assert {name for name, verdict in verdicts.items() if verdict is not Verdict.BLOCKED} == {"release_deployed"}
    assert len(verdicts) == len(deployment.checks)


def test_an_empty_cluster_passes_nothing(deployment: Any) -> None:
    """An API server that answers, with no object at all."""
    deployment.objects.clear()
    verdicts = _verdicts(deployment, deployment.evidence())

    assert len(verdicts) == len(deployment.checks)


@pytest.mark.parametrize(
    ("kind", "annotation"),
    [("NodePort", {}), ("LoadBalancer", {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"})],
)
def test_a_load_balancer_of_the_service_is_a_miss_even_inside(
    deployment: Any, kind: str, annotation: Mapping[str, str]
) -> None:
    """An internal one passes the firewall by as well; a port on private nodes does not leave the VPC."""
    services = deployment.objects["/api/v1/namespaces/langsmith/services"]
    frontend = next(one for one in services if one["metadata"]["name"] == "langsmith-frontend")
    frontend["spec"]["type"] = kind
    frontend["metadata"]["annotations"] = dict(annotation)
    wanted = {"no_other_entrance": Verdict.FAIL} if kind == "LoadBalancer" else {}

    assert _verdicts(deployment, deployment.evidence()) == wanted


def test_a_secret_in_any_place_of_the_cluster_is_found_and_not_kept(deployment: Any) -> None:
    """The literal is a miss; its value is nowhere in the evidence."""
    planted = "AKIAPLANTED7EXAMPLE0"
    deployments = deployment.objects["/apis/apps/v1/namespaces/langsmith/deployments"]
    queue = next(one for one in deployments if one["metadata"]["name"] == "langsmith-queue")
    queue["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "NOTE", "value": planted})
    evidence = deployment.evidence()

    assert _verdicts(deployment, evidence) == {"no_plaintext_secrets": Verdict.FAIL}
    assert planted not in evidence.to_json()
