"""A trace's way there and back: only what was read back as it was sent counts, and nothing is left behind."""

import runpy
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hallmark.model import Answer, Call, Status
from hallmark.targets.platform import PlatformSource
from hallmark.targets.profile import Profile

stand_in = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("platform_server.py"))))
STEPS = [
    "project", "small_run", "small_read", "outputs", "outputs_read", "large_run", "large_read", "feedback",
    "feedback_read", "query",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificate of the authority lies."""
    return tmp_path_factory.mktemp("platform")


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Any]:
    """A platform for all tests of this module."""
    with stand_in.running(folder) as found:
        yield found


@pytest.fixture
def platform(shared: Any) -> Any:
    """It, in order again and empty."""
    for each in (shared.switches, shared.projects, shared.runs, shared.judged, shared.reads, shared.requests):
        each.clear()
    shared.slow = 0
    return shared


def go(
    folder: Path,
    platform: Any,
    *,
    patience: float = 0.5,
    seconds: float = 30,
    deadline: int = 60,
    key: str = stand_in.KEY,
) -> Answer:
    """Send a trace there and back."""
    profile = Profile(host=stand_in.HOST, proxy=platform.proxy, ca=str(folder / "ca.pem"), deadline=deadline)
    return PlatformSource(profile, key, patience, seconds).answer(Call.of("platform", "round_trip"))


def last(answer: Answer) -> tuple[str, str, int]:
    """Return where the way ended: step, outcome, status."""
    step = answer.value["steps"][-1]
    return step["step"], step["outcome"], step["status"]


def test_a_trace_goes_there_and_back(folder: Path, platform: Any) -> None:
    """Every step, its status and how long it took; the project is gone afterwards."""
    answer = go(folder, platform, patience=30)

    assert (answer.status, answer.value["complete"]) == (Status.OBSERVED, True)
    assert [(one["step"], one["outcome"]) for one in answer.value["steps"]] == [(step, "ok") for step in STEPS]
    assert {one["status"] for one in answer.value["steps"]} == {200, 202}
    assert all(isinstance(one["milliseconds"], int) for one in answer.value["steps"])
    assert answer.value["cleanup"]["outcome"] == "ok"
    assert platform.projects == {}
    assert max(len(run["inputs"]["text"]) for run in platform.runs.values()) == 65536


def test_slow_ingestion_is_waited_for_and_counted(folder: Path, platform: Any) -> None:
    """Reads are eventually consistent."""
    platform.slow = 3

    answer = go(folder, platform, patience=30)

    read = answer.value["steps"][2]
    assert (answer.value["complete"], read["step"], read["tries"]) == (True, "small_read", 4)
    assert read["milliseconds"] >= 300


@pytest.mark.parametrize(("switch", "ended"), [
    ("page", ("project", "page", 200)),
    ("loop", ("project", "refused", 302)),
    ("huge", ("project", "page", 200)),
    ("awselb", ("project", "refused", 403)),
    ("wild_id", ("project", "page", 200)),
    ("forgets", ("small_read", "unseen", 404)),
    ("store_down", ("small_read", "refused", 503)),
    ("altered", ("small_read", "altered", 200)),
    ("unfinished", ("outputs_read", "unseen", 200)),
    ("firewall", ("large_run", "refused", 403)),
    ("small_only", ("large_read", "unseen", 404)),
    ("preview", ("large_read", "unseen", 200)),
    ("no_feedback", ("feedback_read", "unseen", 200)),
    ("unfiltered", ("query", "altered", 200)),
])  # fmt: skip
def test_what_looks_healthy_and_is_not_ends_the_way(
    folder: Path, platform: Any, switch: str, ended: tuple[str, str, int]
) -> None:
    """The first step that fails is the last one, and the project is deleted all the same."""
    platform.switches.add(switch)

    answer = go(folder, platform)

    assert (answer.status, answer.value["complete"], last(answer)) == (Status.OBSERVED, False, ended)
    steps = [one["step"] for one in answer.value["steps"]]
    assert steps == STEPS[: len(steps)]
    assert {one["outcome"] for one in answer.value["steps"][:-1]} <= {"ok"}
    if switch not in {"page", "loop", "huge", "awselb"}:
        assert platform.projects == {}


def test_who_refused_is_told(folder: Path, platform: Any) -> None:
    """A firewall's 403 is not the application's."""
    platform.switches.add("firewall")

    assert go(folder, platform).value["steps"][-1]["server"] == "awselb/2.0"


def test_a_wrong_key_ends_the_way_at_once(folder: Path, platform: Any) -> None:
    """Nothing was made, so nothing is looked for."""
    answer = go(folder, platform, key="lsv2_sk_of_somebody_else")

    assert (last(answer), answer.value["cleanup"]["outcome"]) == (("project", "refused", 401), "nothing")
    assert platform.requests == ["POST /api/v1/sessions"]


@pytest.mark.parametrize(("switch", "code"), [("reset", "unreachable"), ("silent", "timeout"), ("drip", "timeout")])
def test_no_reply_at_all_is_a_failure(folder: Path, platform: Any, switch: str, code: str) -> None:
    """Nothing was observed."""
    platform.switches.add(switch)

    answer = go(folder, platform, seconds=30 if switch == "reset" else 0.5)

    assert (answer.status, answer.code, answer.value) == (Status.FAILED, code, None)


def test_a_project_whose_making_was_not_confirmed_is_deleted(folder: Path, platform: Any) -> None:
    """The connection broke after it was made; it is found by its name."""
    platform.switches.add("half_created")

    assert go(folder, platform).status is Status.FAILED
    assert "DELETE" in platform.requests[-1]
    assert platform.projects == {}


def test_a_project_that_cannot_be_deleted_is_told(folder: Path, platform: Any) -> None:
    """The trace came back; what is left behind is said."""
    platform.switches.add("keeps")

    answer = go(folder, platform, patience=30)

    assert answer.value["complete"]
    assert (answer.value["cleanup"]["outcome"], answer.value["cleanup"]["status"]) == ("refused", 500)


def test_the_end_of_a_collection_is_not_the_platforms_failure(folder: Path, platform: Any) -> None:
    """Where no time is left to wait as long as it may take, it could not be told; there is time to clean up."""
    platform.switches.add("forgets")
    started = time.monotonic()

    answer = go(folder, platform, patience=60, seconds=3, deadline=2)

    assert last(answer)[:2] == ("small_read", "late")
    assert time.monotonic() - started < 30
    assert platform.projects == {}
