"""A lab that breaks something is started like a fault by hand: people look before and after, if there is a way in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hallmark import catalog
from hallmark.cli import lab
from hallmark.cli.app import App
from hallmark.errors import EnvironmentFault
from hallmark.faults import runner
from hallmark.faults.kinds import web_acl_without_rate_limit
from hallmark.model import Answer, Call, Status
from hallmark.targets.platform import KEYS
from hallmark.targets.profile import Profile

ROOT = Path(__file__).parents[2]
LAB = "edge-waf-rate-limit"


@dataclass
class People:
    """Large traces are refused by the firewall while a condition holds."""

    is_refused: Callable[[], bool]
    looks: list[bool] = field(default_factory=list)

    def answer(self, call: Call) -> Answer:
        """A handshake that is accepted, and a trace's way."""
        if call.operation == "handshake":
            return Answer(Status.OBSERVED, {"problem": ""})
        self.looks.append(self.is_refused())
        step = {"step": "large_run", "outcome": "refused", "status": 403, "server": "awselb/2.0"}
        return Answer(Status.OBSERVED, {"complete": not self.looks[-1], "steps": [step]})


def start(system: Any, people: People | None) -> None:
    """Begin the lab on a system of this folder, as the command does; its journal is in the system's folder."""
    app: Any = SimpleNamespace(
        root=ROOT,
        home=system.home,
        settings=lambda: Profile(target="aws"),
        profile=lambda _: system.profile,
        people=lambda _: people,
    )
    lab._begin(app, catalog.lab(ROOT, LAB))


def rules(system: Any) -> int:
    """How many rules the web ACL has."""
    return len(system.web_acl()["Rules"])


def test_people_look_before_and_after(system: Any) -> None:
    """They get through before, and see what is documented after."""
    before = rules(system)
    people = People(lambda: rules(system) < before)
    start(system, people)
    assert (people.looks[0], people.looks[-1]) == (False, True)
    assert len(runner.active(system.home)) == 1


def test_a_lab_whose_symptom_nobody_sees_does_not_start(system: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is reverted."""
    monkeypatch.setattr(runner, "PROOF_SECONDS", 1.0)
    monkeypatch.setattr(web_acl_without_rate_limit, "SHOWS_WITHIN", 0.0)
    before = system.web_acl()
    with pytest.raises(EnvironmentFault, match="people see"):
        start(system, People(lambda: False))
    assert runner.active(system.home) == []
    assert system.web_acl() == before


def test_without_anybody_who_looks_it_starts(system: Any) -> None:
    """AWS alone proves the symptom."""
    start(system, None)
    assert len(runner.active(system.home)) == 1


@pytest.mark.parametrize(("is_watched", "asked"), [(True, 3), (False, 0)])
def test_people_wait_for_the_platform_that_was_brought_back(is_watched: bool, asked: int) -> None:  # noqa: FBT001
    """Where people will look, it has to let them in first."""
    keys, done = ["", "", "key"], list[str]()

    def reset(_: object, start: str) -> None:
        done.append(f"{start} after {3 - len(keys)} keys")

    twin = SimpleNamespace(reset=reset, entrance=lambda: "a way in")
    app: Any = SimpleNamespace(twin=twin, say=print, twin_key=lambda: keys.pop(0))
    lab._reset(app, "deployed", is_watched=is_watched)
    assert (done, 3 - len(keys)) == (["deployed after 0 keys"], asked)


def test_it_is_told_in_one_line_that_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an API key; with one nothing is told."""
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    assert App.of({}).people(Profile(target="aws")) is None
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines()), KEYS[0] in told.err) == ("", 1, True)
    monkeypatch.setenv(KEYS[0], "lsv2_pt_planted")
    assert App.of({}).people(Profile(target="aws")) is not None
    assert capsys.readouterr().err == ""
