"""Platforms that look healthy and are not: green targets, a page instead of data, 202 and nothing kept.

Each is made on the twin, and graded by the command a learner uses. None passes, and what is named first leads there.
"""

import json
import os
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hallmark.cli.hands import Hands
from hallmark.targets.aws import AwsSource
from hallmark.targets.profile import Profile

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("sharp-edges")]
Wait = Callable[..., Any]
LAB = "deploy-langsmith"
HTML, JSON = "text/html", "application/json"
INGRESS = "langsmith-ingress"
UNUSED = "routing.http2.enabled"
"""An attribute that no check reads."""


@dataclass(frozen=True)
class Graded:
    """What a grade said.

    Attributes:
        code: Its exit code.
        first: The first root cause: id of the check, what was found, where.
        verdicts: Verdict of each check.
        trip: The steps of the trace that were taken, with their outcomes.
        text: The scorecard as it was printed.
    """

    code: int
    first: str
    verdicts: dict[str, str]
    trip: dict[str, str]
    text: str


def grade(person: Any) -> Graded:
    """Grade on the twin, with a key in the environment that is for another platform."""
    home = person.twin._state.parent
    where = {"HALLMARK_ROOT": str(person.twin._root), "HALLMARK_HOME": str(home)}
    command = (sys.executable, "-c", "from hallmark.cli import main; main()", "grade", LAB)
    done = person.run(*command, LANGSMITH_API_KEY="lsv2_pt_of_another_platform_0123456789", **where)
    assert "Traceback" not in done.stderr, done.stderr
    folder = home / "grades" / LAB
    results = json.loads((folder / "scorecard.json").read_text())["results"]
    first = next((one for one in results if one["verdict"] in {"FAIL", "ERROR"}), None)
    return Graded(
        done.returncode,
        f"{first['check']['id'].partition('/')[2]}: {first['observed']} at {first['where']}" if first else "",
        {one["check"]["id"].partition("/")[2]: one["verdict"] for one in results},
        _trip(folder / "evidence.json"),
        done.stdout,
    )


def _trip(evidence: Path) -> dict[str, str]:
    value = json.loads(evidence.read_text())["answers"]["platform.round_trip{}"]["value"]
    return {one["step"]: one["outcome"] for one in (value or {"steps": []})["steps"]}


@pytest.fixture
def platform(person: Any) -> Any:
    """Whoever works on a platform that is in order, to the last pod and the first log line."""
    person.restart("deployment/langsmith-queue")  # nobody uses it, so nobody says anything: a new pod introduces itself
    profile = Profile(endpoint=person.twin.endpoint, account=person.twin.account)
    hands = Hands(AwsSource(profile), {**os.environ, **person.twin.environment()})
    solved = runpy.run_path(str(person.twin._root / "solutions" / LAB / "solve.py"))["solve"]
    solved(hands, profile.scope())
    return person


def _settle(person: Any, wait_for: Wait) -> None:
    """Wait until the load balancer controller is at work: what it finds when it starts, it puts in order."""
    name = "alb.ingress.kubernetes.io/load-balancer-attributes"
    given = person.get("ingress", INGRESS)["metadata"]["annotations"][name]
    person.kubectl("annotate", "ingress", INGRESS, "--overwrite", f"{name}={given},{UNUSED}=false")

    def attributes() -> dict[str, str]:
        found = person.aws("elbv2").describe_load_balancer_attributes(LoadBalancerArn=person.balancer)["Attributes"]
        return {one["Key"]: one["Value"] for one in found}

    wait_for(lambda: attributes().get(UNUSED) == "false")


def _answer_instead(person: Any, kind: str, body: str, *paths: str) -> None:
    """Let the load balancer answer by itself, as whoever else would: 200."""
    elbv2 = person.aws("elbv2")
    listeners = elbv2.describe_listeners(LoadBalancerArn=person.balancer)["Listeners"]
    listener = next(one["ListenerArn"] for one in listeners if one["Port"] == 443)
    rules = [one for one in elbv2.describe_rules(ListenerArn=listener)["Rules"] if not one["IsDefault"]]
    later = [{"RuleArn": one["RuleArn"], "Priority": int(one["Priority"]) + 1} for one in rules]
    elbv2.set_rule_priorities(RulePriorities=later)
    answer = {"StatusCode": "200", "ContentType": kind, "MessageBody": body}
    elbv2.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": list(paths)}}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": answer}],
    )


def test_a_platform_in_order_passes(platform: Any) -> None:
    """Otherwise nothing below would prove anything. The key of the environment is not used."""
    graded = grade(platform)

    assert (graded.code, graded.first) == (0, "")
    assert set(graded.trip.values()) == {"ok"}
    assert len(graded.trip) == 10


def test_the_api_is_dead_and_the_edge_is_up(platform: Any, wait_for: Wait) -> None:
    """Its Deployments have no pods; nginx and the load balancer answer as ever."""
    platform.kubectl("scale", "deployment/langsmith-backend", "deployment/langsmith-platform-backend", "--replicas=0")
    wait_for(lambda: not platform.pods("backend") + platform.pods("platform-backend"))

    graded = grade(platform)

    assert graded.code == 1
    assert "backend" in graded.first
    assert graded.verdicts["platform_answers"] != "PASS"


def test_a_page_answers_for_the_api(platform: Any, wait_for: Wait) -> None:
    """200 for `/ok` and for every path of the API: it is the single-page application that answers."""
    _settle(platform, wait_for)
    _answer_instead(platform, HTML, "<!doctype html><title>LangSmith</title>", "/ok", "/api/*")

    graded = grade(platform)

    assert graded.code == 1
    assert graded.first.startswith("platform_answers: 200, text/html")


def test_ingestion_accepts_and_nothing_is_stored(platform: Any, wait_for: Wait) -> None:
    """Every trace is accepted with 202."""
    platform.kubectl("scale", "deployment/langsmith-ingest-queue", "--replicas=0")
    wait_for(lambda: not platform.pods("ingest-queue"))

    graded = grade(platform)

    assert graded.code == 1
    assert "ingest-queue" in graded.first
    assert (graded.trip["small_run"], graded.trip["small_read"]) == ("ok", "unseen")


def test_only_small_traces_pass(platform: Any) -> None:
    """The role of the pods may do nothing any more."""
    iam = platform.aws("iam")
    role = next(one["RoleName"] for one in iam.list_roles()["Roles"] if one["RoleName"].endswith("-langsmith"))
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)

    graded = grade(platform)

    assert graded.code == 1
    assert graded.first.startswith("large_trace_comes_back: large_read: accepted, and still without what was sent")
    assert "logs deployment/langsmith-ingest-queue" in graded.text
    assert (graded.trip["small_read"], graded.trip["large_run"]) == ("ok", "ok")


def test_nobody_is_asked_for_a_key(platform: Any, wait_for: Wait) -> None:
    """No chart switches authentication off. What it would look like from outside: projects for everybody."""
    _settle(platform, wait_for)
    _answer_instead(platform, JSON, "[]", "/api/v1/sessions")

    graded = grade(platform)

    assert graded.code == 1
    assert graded.first.startswith("anonymous_refused: 200, application/json")
