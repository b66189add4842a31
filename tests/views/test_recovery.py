"""Recovered means recovered: each sign alone decides, and what could not be told is never taken for good."""

from collections.abc import Callable
from typing import Any

import pytest

from hallmark.evidence.collect import Growing, Pending
from hallmark.evidence.snapshot import Evidence, Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.targets.platform_watch import Watch
from hallmark.views.all import Views
from hallmark.views.platform import INFO, SESSIONS
from hallmark.views.recovery import LARGE, SMALL, TRIPS, WINDOW, Recovery, Sign

NOW = "2026-12-01T12:00:00Z"
SCOPE = {"namespace": "n", "release": "langsmith", "host": "langsmith.hallmark.example", "cluster": "c"}
ROUND = Call.of("platform", "round_trips", times=TRIPS, seconds=WINDOW)
QUEUES = Call.of("kubernetes", "queues", namespace="n", name="langsmith-platform-backend", port="1986")
HEALTH = Call.of("elbv2", "describe_target_health", TargetGroupArn="tg")
DENIED = Answer(Status.DENIED, None, "denied", "HTTP 403")
Answers = dict[str, Answer]
CHART = {"name": "langsmith", "version": "0.16.0", "appVersion": "0.16"}
RELEASE = {"name": "langsmith", "namespace": "n", "status": "deployed", "revision": 1, "chart": CHART, "values": {},
           "leaks": {}}  # fmt: skip


def lists(resource: str, *items: dict[str, Any], group: str = "", namespace: str = "") -> Answers:
    """One list of objects."""
    place = {"group": group, "namespace": namespace}
    call = Call.of("kubernetes", "list", version="v1", resource=resource, **{k: v for k, v in place.items() if v})
    return {call.key: Answer(Status.OBSERVED, {"items": list(items)})}


def seen(service: str, operation: str, value: Any, **params: Any) -> Answers:
    """One observed answer."""
    return {Call.of(service, operation, **params).key: Answer(Status.OBSERVED, value)}


def step(name: str, outcome: str = "ok", status: int = 200) -> dict[str, Any]:
    """One step of a trace's way."""
    return {"step": name, "outcome": outcome, "status": status, "server": "nginx", "milliseconds": 9, "tries": 1}


def trips(*failing: dict[str, Any], last: float = WINDOW) -> Answer:
    """Ways there and back over a window, of which the last ends as told."""
    names = ("project", "small_run", "small_read", "outputs", "outputs_read", *LARGE, "feedback", "query")
    whole = {"steps": [step(name) for name in names], "complete": True, "cleanup": {"outcome": "ok"}}
    broken = {**whole, "steps": list(failing), "complete": False}
    found = [{**whole, "after": turn * last / (TRIPS - 1)} for turn in range(TRIPS)]
    return Answer(Status.OBSERVED, {"trips": [*found[:-1], {**broken, "after": last}] if failing else found})


def workload(ready: int = 2, observed: int = 3) -> dict[str, Any]:
    """Platform-backend, two replicas."""
    labels = {"app.kubernetes.io/component": "langsmith-platform-backend"}
    metadata = {"name": "langsmith-platform-backend", "namespace": "n", "generation": 3,
                "labels": {"app.kubernetes.io/instance": "langsmith"}}  # fmt: skip
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "one"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    status = {"readyReplicas": ready, "updatedReplicas": 2, "replicas": 2, "observedGeneration": observed}
    return {"kind": "Deployment", "metadata": metadata, "spec": spec, "status": status}


def pod(ended: str = "") -> dict[str, Any]:
    """One of its pods, perhaps with a container that ended."""
    last = {"terminated": {"reason": "OOMKilled", "finishedAt": ended}} if ended else {}
    containers = [{"name": "one", "lastState": last}]
    labels = workload()["spec"]["template"]["metadata"]["labels"]
    return {"metadata": {"name": "p", "namespace": "n", "labels": labels}, "status": {"containerStatuses": containers}}


def healthy() -> Answers:
    """Evidence of a platform that has recovered."""
    service = {"metadata": {"name": "langsmith-platform-backend", "namespace": "n"},
               "spec": {"selector": workload()["spec"]["selector"]["matchLabels"],
                        "ports": [{"port": 1986}]}}  # fmt: skip
    reply = {"status": 200, "content_type": "application/json", "server": "nginx", "location": "", "milliseconds": 1}
    tags = [
        {"Key": "elbv2.k8s.aws/cluster", "Value": "c"},
        {"Key": "ingress.k8s.aws/resource", "Value": "LoadBalancer"},
    ]
    balancer = {"LoadBalancerArn": "lb", "LoadBalancerName": "lb", "Type": "application", "Scheme": "internet-facing",
                "State": {"Code": "active"}, "VpcId": "vpc", "DNSName": "lb.example", "AvailabilityZones": [],
                "SecurityGroups": []}  # fmt: skip
    described = {"TagDescriptions": [{"ResourceArn": "lb", "Tags": tags}]}
    external = {"metadata": {"name": "e", "namespace": "n"}, "spec": {"data": []}, "status": {"conditions": []}}
    return {
        **lists("deployments", workload(), group="apps"), **lists("statefulsets", group="apps"),
        **lists("daemonsets", group="apps"), **lists("pods", pod()), **lists("services", service),
        **lists("externalsecrets", external, group="external-secrets.io", namespace="n"),
        **seen("kubernetes", "release", RELEASE, namespace="n", name="langsmith"),
        **seen("kubernetes", "discovery", {"resources": {"external-secrets.io/v1": ["externalsecrets"]}}),
        **seen("kubernetes", "secrets", {"items": []}, namespace="n"),
        **seen("elbv2", "describe_load_balancers", {"LoadBalancers": [balancer]}),
        **seen("elb", "describe_load_balancers", {"LoadBalancerDescriptions": []}),
        **seen("elbv2", "describe_tags", described, ResourceArns=["lb"]),
        **seen("elbv2", "describe_target_groups", {"TargetGroups": [{"TargetGroupArn": "tg"}]}, LoadBalancerArn="lb"),
        HEALTH.key: targets("healthy", "healthy"),
        **seen("platform", "get", {**reply, "shape": "object", "selected": {"version": "1"}}, path=INFO),
        **seen("platform", "authorized", {**reply, "shape": "list", "selected": {}}, path=SESSIONS),
        ROUND.key: trips(),
        QUEUES.key: readings(3, 9, 4, 1),
    }  # fmt: skip


def targets(*states: str) -> Answer:
    """Targets of the load balancer."""
    return Answer(Status.OBSERVED, {"TargetHealthDescriptions": [{"TargetHealth": {"State": one}} for one in states]})


def readings(*counts: int) -> Answer:
    """How many entries waited each time."""
    return Answer(Status.OBSERVED, {"readings": [{"ingestion_queue": count} for count in counts]})


def signs(answers: Answers, is_there: Callable[[Evidence], bool] = lambda _: False) -> dict[str, Sign]:
    """The nine signs over some evidence."""
    return {one.name: one for one in Views(Snapshot(answers, SCOPE, NOW)).recovery.signs(is_there)}


def test_a_recovered_platform_has_all_nine_signs() -> None:
    """Each holds, and says what was observed."""
    found = signs(healthy())
    assert list(found) == [f"R{number}" for number in range(1, 10)]
    assert {name: one.observed for name, one in found.items() if not one.holds} == {}


UNSEEN = step("small_read", "unseen", 404)
BROKEN: dict[str, tuple[str, Answers]] = {
    "a pod that is not ready": ("R1", lists("deployments", workload(ready=1), group="apps")),
    "a version nobody has looked at": ("R1", lists("deployments", workload(observed=2), group="apps")),
    "a restart a minute ago": ("R2", lists("pods", pod("2026-12-01T11:59:00Z"))),
    "a target that is not healthy": ("R3", {HEALTH.key: targets("healthy", "unhealthy")}),
    "no target at all": ("R3", {HEALTH.key: targets()}),
    "nothing but targets that go": ("R3", {HEALTH.key: targets("draining")}),
    "the third of three traces unseen": ("R6", {ROUND.key: trips(step("project"), step("small_run"), UNSEEN)}),
    "a queue above its baseline": ("R7", {QUEUES.key: readings(90, 80, 70, 60)}),
    "a queue that rises": ("R7", {QUEUES.key: readings(1, 2, 3, 4)}),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_one_thing_that_is_wrong_is_one_sign_that_is_missing(case: str) -> None:
    """And the others are not touched by it, but for what cannot be told any more."""
    name, change = BROKEN[case]
    found = signs({**healthy(), **change})
    assert found[name].holds is False
    assert {other for other, one in found.items() if one.holds is False} == {name}


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        ({"shape": "", "content_type": "text/html", "selected": {}}, "R4"),
        ({"shape": "object", "selected": {}}, "R4"),
    ],
)
def test_a_page_or_data_without_a_version_is_no_information(answers: dict[str, Any], name: str) -> None:
    """A single-page application answers 200 to everything."""
    call = Call.of("platform", "get", path=INFO).key
    everything = healthy()
    changed = {call: Answer(Status.OBSERVED, {**everything[call].value, **answers})}
    assert signs({**everything, **changed})[name].holds is False


def test_a_large_payload_that_comes_back_changed_is_no_recovery() -> None:
    """Small traces are fine: the bucket is not."""
    steps = [*map(step, SMALL[:-1]), step("large_run"), step("large_read", "altered")]
    found = signs({**healthy(), ROUND.key: trips(*steps)})
    assert found["R8"].holds is False
    assert found["R6"].holds is None  # the way ended before its query


def test_an_old_restart_and_a_target_that_leaves_are_no_matter() -> None:
    """Five minutes are over; a draining target gets no requests."""
    found = signs(
        {**healthy(), **lists("pods", pod("2026-12-01T11:50:00Z")), HEALTH.key: targets("healthy", "draining")}
    )
    assert (found["R2"].holds, found["R3"].holds) == (True, True)


@pytest.mark.parametrize(("call", "names"), [(QUEUES, {"R7"}), (ROUND, {"R6", "R8"}), (HEALTH, {"R3"})])
def test_what_may_not_be_looked_at_could_not_be_told(call: Call, names: set[str]) -> None:
    """It says so, and does not hold."""
    found = signs({**healthy(), call.key: DENIED})
    assert {name for name, one in found.items() if one.holds is None} == names
    assert all(found[name].observed == "could not tell: HTTP 403" for name in names)


def test_traces_over_too_short_a_time_decide_nothing() -> None:
    """Three in one second are no window."""
    assert signs({**healthy(), ROUND.key: trips(last=1.0)})["R6"].holds is None


def test_a_way_around_the_fault_is_no_recovery() -> None:
    """Everything works, and the change is still there."""
    found = signs(healthy(), lambda _: True)
    assert found["R9"].observed == "the change is still there"
    assert {name for name, one in found.items() if not one.holds} == {"R9"}


def test_a_baseline_of_the_platforms_own_counts() -> None:
    """Where 90 always wait, 60 are calm; where none ever wait, one is too many."""
    view = Views(Snapshot({**healthy(), QUEUES.key: readings(90, 80, 70, 60)}, SCOPE, NOW)).recovery
    assert view.queues({"ingestion_queue": 90})[0]
    assert not view.queues({"ingestion_queue": 0})[0]


def test_what_takes_long_is_asked_for_first_and_together() -> None:
    """A collection need not wait for the traces before it asks the rest."""
    growing = Growing(SCOPE, NOW)
    with pytest.raises(Pending) as pending:
        Views(growing).recovery.signs(lambda _: False)
    assert ROUND in pending.value.calls
    assert isinstance(Views(growing).recovery, Recovery)


class Clockwork:
    """A platform that answers each trace's way at once, or not at all."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Call] = []

    def answer(self, call: Call) -> Answer:
        """Give the next answer."""
        self.asked.append(call)
        return self.answers.pop(0)


def whole() -> Answer:
    """A trace that went round."""
    return Answer(Status.OBSERVED, {"steps": [step("project")], "complete": True, "cleanup": {"outcome": "ok"}})


def test_ways_are_begun_evenly_over_the_window() -> None:
    """The first at once, the last when the window ends."""
    found = Watch(Clockwork(whole(), whole(), whole())).answer(Call.of("platform", "round_trips", times=3, seconds=0.2))
    after = [one["after"] for one in found.value["trips"]]
    assert after == sorted(after)
    assert (after[0], after[-1] >= 0.2) == (0.0, True)


def test_a_way_without_an_answer_leaves_the_window_unanswered() -> None:
    """Nobody can say that it was calm."""
    silent = Answer(Status.FAILED, None, "timeout", "no answer")
    found = Watch(Clockwork(whole(), silent)).answer(Call.of("platform", "round_trips", times=3, seconds=0.0))
    assert (found.status, found.code, found.value) == (Status.FAILED, "timeout", None)


def test_everything_else_is_passed_on() -> None:
    """The watch answers one question."""
    platform = Clockwork(whole())
    assert Watch(platform).answer(Call.of("platform", "handshake")).status is Status.OBSERVED
    assert [one.operation for one in platform.asked] == ["handshake"]
