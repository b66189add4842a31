"""The platform's view: what counts as an answer of the platform, and what could not be told."""

from typing import Any

import pytest

from hallmark.errors import Unobservable
from hallmark.evidence.redact import Redactor
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.platform import INFO, PROTECTED, SESSIONS, Platform

REPLY = {
    "status": 200,
    "content_type": "application/json",
    "server": "nginx",
    "location": "",
    "shape": "list",
    "selected": {},
    "milliseconds": 5,
}
HANDSHAKE = {
    "version": "TLSv1.3",
    "names": ["langsmith.hallmark.example"],
    "issuer": "O=Amazon",
    "not_after": "2026-12-31T00:00:00Z",
    "problem": "",
    "old": {"TLSv1": "refused", "TLSv1.1": "closed"},
    "milliseconds": 20,
}
DENIED = Answer(Status.DENIED, None, "denied", "no API key")
Answers = dict[Call, Answer]


def view(answers: Answers) -> Platform:
    """Make the view over these answers, redacted as a collection does it."""
    redact = Redactor({}).redact
    kept = {
        call.key: Answer(one.status, redact(one.value), one.code, one.message, one.milliseconds)
        for call, one in answers.items()
    }
    return Views(Snapshot(kept, {"host": "langsmith.hallmark.example"}, "2026-12-01T00:00:00Z")).platform


def asked(operation: str, value: Any, **params: str) -> Answers:
    """One observed answer."""
    return {Call.of("platform", operation, **params): Answer(Status.OBSERVED, value)}


def step(name: str, outcome: str = "ok", status: int = 200, server: str = "nginx") -> dict[str, Any]:
    """One step of a trace's way."""
    return {"step": name, "outcome": outcome, "status": status, "server": server, "milliseconds": 60_000, "tries": 1}


def trip(*steps: dict[str, Any], cleanup: str = "ok") -> Platform:
    """Make the view over a way there and back."""
    complete = all(one["outcome"] == "ok" for one in steps)
    cleaned = {"outcome": cleanup, "status": 200, "milliseconds": 1}
    return view(asked("round_trip", {"steps": list(steps), "complete": complete, "cleanup": cleaned}))


def test_a_handshake_is_read_whole() -> None:
    """Nothing of it looks like a secret to the redaction."""
    found = view(asked("handshake", HANDSHAKE)).handshake

    assert (found.version, found.is_modern, found.problem, found.spoken) == ("TLSv1.3", True, "", [])
    assert (found.names, found.issuer) == (("langsmith.hallmark.example",), "O=Amazon")


@pytest.mark.parametrize(("became", "spoken"), [("refused", []), ("closed", []), ("accepted", ["TLSv1.1"])])
def test_old_versions_that_are_spoken(became: str, spoken: list[str]) -> None:
    """A refusal may be an alert or a closed connection."""
    raw = HANDSHAKE | {"old": {"TLSv1": "refused", "TLSv1.1": became}}

    assert view(asked("handshake", raw)).handshake.spoken == spoken


def test_an_offer_without_an_answer_is_no_refusal() -> None:
    """Silence decides nothing."""
    found = view(asked("handshake", HANDSHAKE | {"old": {"TLSv1": "silent"}})).handshake

    with pytest.raises(Unobservable) as caught:
        _ = found.spoken
    assert caught.value.code == "timeout"


@pytest.mark.parametrize("version", ["", "TLSv1.1", "SSLv3"])
def test_no_tls_is_not_modern(version: str) -> None:
    """Only 1.2 and 1.3 are."""
    assert not view(asked("handshake", HANDSHAKE | {"version": version})).handshake.is_modern


@pytest.mark.parametrize(("changed", "is_data", "is_refusal"), [
    ({}, True, False),
    ({"shape": "", "content_type": "text/html"}, False, False),
    ({"status": 401}, False, True),
    ({"status": 403}, False, True),
    ({"status": 403, "server": "awselb/2.0", "content_type": "text/html"}, False, False),
    ({"status": 403, "server": "awselb/2.0", "content_type": "application/json"}, False, False),
    ({"status": 403, "content_type": "text/html; charset=utf-8"}, False, False),
    ({"status": 302, "location": "https://langsmith.hallmark.example/login", "shape": ""}, False, False),
    ({"status": 404}, False, False),
    ({"status": 503, "server": "awselb/2.0"}, False, False),
])  # fmt: skip
def test_what_counts_as_an_answer_of_the_platform(changed: dict[str, Any], is_data: bool, is_refusal: bool) -> None:  # noqa: FBT001  (expected values)
    """Data are data, and a refusal is the platform's own: not a page, not the firewall's."""
    found = view(asked("get", REPLY | changed, path=SESSIONS)).anonymous

    assert (found.is_data, found.is_refusal) == (is_data, is_refusal)
    assert found.words.startswith(str(found.status))


def test_port_80_may_be_closed() -> None:
    """Nobody listens: an observation."""
    closed = {Call.of("platform", "redirect"): Answer(Status.ABSENT, None, "NotFound", "nothing listens")}
    moved = {"status": 301, "location": "https://langsmith.hallmark.example/", "server": "awselb/2.0"}

    assert view(closed).redirect is None
    found = view(asked("redirect", moved)).redirect
    assert found is not None
    assert (found.status, found.location) == (301, "https://langsmith.hallmark.example/")


def test_information_is_asked_for_with_the_key_where_nobody_else_gets_it() -> None:
    """The chart can close the page to the public."""
    told = REPLY | {"shape": "object", "selected": {"version": "0.16.45", "valid_until": "2099-01-01T00:00:00Z"}}
    refused = REPLY | {"status": 401, "shape": "object"}

    public = view(asked("get", told, path=INFO))
    closed = view(asked("get", refused, path=INFO) | asked("authorized", told, path=INFO))

    assert public.info.selected == closed.info.selected == {"version": "0.16.45", "valid_until": "2099-01-01T00:00:00Z"}


def test_everything_that_must_be_protected_is_asked_for() -> None:
    """In its order."""
    answers: Answers = {}
    for operation, path in PROTECTED:
        answers |= asked(operation, REPLY | {"status": 401}, path=path)

    assert [one.path for one in view(answers).protected] == [path for _, path in PROTECTED]


def test_without_a_key_nothing_is_concluded() -> None:
    """Neither about who is let in nor about traces."""
    platform = view({
        Call.of("platform", "authorized", path=SESSIONS): DENIED, Call.of("platform", "round_trip"): DENIED,
    })  # fmt: skip

    for look in (lambda: platform.authorized, lambda: platform.round_trip):
        with pytest.raises(Unobservable) as caught:
            look()
        assert (caught.value.code, caught.value.message) == ("denied", "no API key")


def test_a_way_without_failure() -> None:
    """All steps that are asked about went well."""
    found = trip(step("project"), step("small_run")).round_trip

    assert (found.complete, found.is_clean, found.failure("project", "small_run")) == (True, True, None)
    assert found.milliseconds("small_run") == 60_000


@pytest.mark.parametrize(("outcome", "status", "server", "words"), [
    ("refused", 403, "awselb/2.0", "small_run: refused with status 403 by the load balancer"),
    ("refused", 503, "nginx", "small_run: refused with status 503"),
    ("page", 200, "nginx", "small_run: status 200, but no data"),
    ("unseen", 404, "nginx", "small_run: accepted, and still not there after 60 s (status 404)"),
    ("altered", 200, "nginx", "small_run: came back other than it was sent"),
])  # fmt: skip
def test_the_step_that_failed_is_told_in_words(outcome: str, status: int, server: str, words: str) -> None:
    """Who said no, and what is missing."""
    failed = trip(step("project"), step("small_run", outcome, status, server)).round_trip.failure(
        "project", "small_run"
    )

    assert failed is not None
    assert failed.words == words


def test_a_trace_without_what_was_sent_is_told_from_one_that_is_not_there() -> None:
    """200 says that the row is there: who looks for the payload asks somebody else."""
    steps = step("large_run"), step("large_read", "unseen", 200)
    failed = trip(*steps).round_trip.failure("large_run", "large_read")

    assert failed is not None
    assert failed.words == "large_read: accepted, and still without what was sent after 60 s (status 200)"


@pytest.mark.parametrize(("outcome", "code"), [
    ("timeout", "timeout"), ("late", "timeout"), ("unreachable", "unreachable"), ("malformed", "malformed"),
])  # fmt: skip
def test_a_step_without_an_answer_decides_nothing(outcome: str, code: str) -> None:
    """It is not the platform's failure that nobody could tell."""
    found = trip(step("project"), step("small_run", outcome, 0)).round_trip

    with pytest.raises(Unobservable) as caught:
        found.failure("project", "small_run")
    assert caught.value.code == code


@pytest.mark.parametrize("steps", [[], [step("project", "refused", 500)]])
def test_a_step_that_was_not_taken_decides_nothing(steps: list[dict[str, Any]]) -> None:
    """Its failure would be another step's."""
    found = trip(*steps).round_trip

    with pytest.raises(Unobservable, match="was not tried"):
        found.failure("small_run")


@pytest.mark.parametrize(
    ("cleanup", "is_clean"), [("ok", True), ("nothing", True), ("refused", False), ("timeout", False)]
)
def test_what_is_left_behind_is_known(cleanup: str, is_clean: bool) -> None:  # noqa: FBT001  (expected values)
    """A project that could not be deleted."""
    assert trip(step("project"), cleanup=cleanup).round_trip.is_clean is is_clean


@pytest.mark.parametrize(("moment", "days"), [
    ("2026-12-02T00:00:00Z", 1), ("2026-12-01T12:00:00", 0.5), ("2026-11-30T00:00:00+00:00", -1), ("2026-12-31", 30),
])  # fmt: skip
def test_days_are_counted_from_the_evidence(moment: str, days: float) -> None:
    """Not from the clock of whoever grades."""
    assert view({}).days_left(moment) == days


@pytest.mark.parametrize("moment", ["", "soon"])
def test_what_is_no_time_decides_nothing(moment: str) -> None:
    """An end nobody can read is no end in the future."""
    with pytest.raises(Unobservable, match="not a point in time"):
        view({}).days_left(moment)
