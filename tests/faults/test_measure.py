"""Measuring says what is not as it is to be: a sign that does not hold, an end that is not the beginning."""

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault
from hallmark.faults import by_hand, figures, journal, kinds, measure, state
from hallmark.faults.figures import Measured
from hallmark.faults.measure import Onlookers, Stopwatch
from hallmark.faults.reader import Reader
from hallmark.faults.runner import Runner
from hallmark.model import Answer, Call, Status

KIND, PARAMETERS = "redis-evicting", "lab-redis7"
PARAMS = tomllib.loads(Path(__file__).with_name("params.toml").read_text())
R1 = "R1: langsmith-backend: 0 of 2 ready"


class Crowd:
    """People for whom everything goes well."""

    def answer(self, call: Call) -> Answer:
        """A handshake that is accepted, a trace that goes round."""
        whole = {"handshake": {"problem": ""}, "round_trip": {"complete": True, "steps": []}}
        return Answer(Status.OBSERVED, whole[call.operation])


def in_turn(*answers: Sequence[str]) -> Callable[[kinds.Kind], Sequence[str]]:
    """Signs that are missing at each look; the last answer stays."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def stopwatch(
    system: Any, signs: Callable[[kinds.Kind], Sequence[str]], say: Callable[[str], None] = lambda _: None
) -> Stopwatch:
    """What measures a system of this folder."""
    return Stopwatch(system.profile, system.home, Onlookers(Crowd(), signs), say)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what will not come."""
    monkeypatch.setattr(measure, "RECOVERS_WITHIN", 5.0)


def test_three_times_in_a_row_with_the_same_end(system: Any) -> None:
    """Each turn is a fault of its own; the figures are there, nothing is left."""
    said: list[str] = []
    before = system.state()
    found = stopwatch(system, in_turn(()), said.append).measure(by_hand.fault(KIND, {}), 3)
    assert (found.times, found.problem) == (3, "")
    assert 0 < found.recovery <= found.recovered
    assert sum("recovered after" in line for line in said) == 3
    assert system.state() == before
    assert said.count(f"{KIND}: injecting") == 3
    assert journal.active(system.home) == []


@pytest.mark.usefixtures("hurried")
def test_a_sign_that_does_not_hold_is_reported(system: Any) -> None:
    """Traces go round, and still it is not recovered; it is not measured again, and it has no figure."""
    found = stopwatch(system, in_turn((), (), [R1])).measure(by_hand.fault(KIND, {}), 3)
    assert (found.times, R1 in found.problem) == (2, True)
    assert journal.active(system.home) == []


def test_a_sign_that_holds_late_is_waited_for(system: Any) -> None:
    """What crashed needs its five minutes."""
    found = stopwatch(system, in_turn((), [R1], [R1], ())).measure(by_hand.fault(KIND, {}))
    assert found.problem == ""
    assert found.recovered > found.recovery + 1


@pytest.mark.usefixtures("hurried")
def test_an_end_that_is_not_the_beginning_is_reported(system: Any) -> None:
    """Somebody changes what the kind says must stay as it is, once the fault is reverted."""

    def say(line: str) -> None:
        if "traces go round" in line:
            parameter = {"ParameterName": "timeout", "ParameterValue": "20"}
            system.aws.client("elasticache").modify_cache_parameter_group(
                CacheParameterGroupName=PARAMETERS, ParameterNameValues=[parameter]
            )

    found = stopwatch(system, in_turn(()), say).measure(by_hand.fault(KIND, {}), 3)
    assert (found.times, found.recovered) == (1, 0.0)
    assert "not as before: unaffected: its other parameters" in found.problem


@pytest.mark.usefixtures("hurried")
def test_after_a_fault_that_could_not_be_injected_signs_are_looked_at_again(
    system: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was undone, and nobody has proved yet that it was undone whole."""
    monkeypatch.setattr(Runner, "inject", _refused)
    watch = stopwatch(system, in_turn((), [R1]))
    assert watch.measure(by_hand.fault(KIND, {}), 3).problem == "it was refused"
    with pytest.raises(EnvironmentFault, match="not healthy before"):
        watch.measure(by_hand.fault(KIND, {}))


@pytest.mark.usefixtures("hurried")
def test_what_is_not_healthy_is_not_broken(system: Any) -> None:
    """Before the first call all signs hold."""
    with pytest.raises(EnvironmentFault, match=f"not healthy before {KIND}: {R1}"):
        stopwatch(system, in_turn([R1])).measure(by_hand.fault(KIND, {}))
    assert not (system.home / journal.FOLDER).exists()


@pytest.mark.parametrize("name", kinds.names())
def test_the_state_tells_that_the_fault_is_there_and_that_it_is_gone(system: Any, name: str) -> None:
    """Another while it is there, and the same again afterwards."""
    kind = kinds.load(name, PARAMS.get(name, {}))
    read = Reader(system.runner()._target, system.profile.scope())
    before = state.take(kind, read)
    system.runner().inject(by_hand.fault(name, PARAMS.get(name, {})))
    assert state.differing(kind, read, before) != []
    system.revert()
    assert state.differing(kind, read, before) == []


def _refused(*_: Any) -> None:
    raise EnvironmentFault("it was refused")


def test_the_worst_of_all_turns_is_kept() -> None:
    """Of each figure; that people saw different things is a problem."""
    one, other = Measured("k", "502", 1.0, 9.0, 30.0), Measured("k", "502", 3.0, 2.0, 40.0)
    assert figures.worst([one, other]) == Measured("k", "502", 3.0, 9.0, 40.0, 2)
    assert figures.worst([one, Measured("k", "500", 1.0, 1.0, 1.0)]).problem == "people saw '500' and '502'"
