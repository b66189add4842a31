"""A command killed in the middle on a whole twin, for every kind of fault: `hallmark revert` brings all of it back."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from hallmark.faults import by_hand, journal, kinds, state
from hallmark.faults.journal import Journal
from hallmark.faults.reader import Reader
from hallmark.faults.target import Target
from hallmark.waiting import until

USUAL = by_hand.usual(Path(__file__).parents[2])
SETTLES_WITHIN = 120.0
pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("killed-on-twin")]


@pytest.mark.parametrize("name", kinds.names())
def test_an_inject_that_is_killed_is_reverted(twin: Any, name: str) -> None:
    """SIGKILL once the last call may have been made, when most is broken; whole again means as recorded before."""
    kind = kinds.load(name, USUAL.get(name, {}))
    read = Reader(Target(twin.profile), twin.profile.scope())
    before = state.take(kind, read)
    settings = [f"--set={each}={value}" for each, value in USUAL.get(name, {}).items()]
    with twin.begun("fault", "inject", name, *settings, until_active=_is_made) as process:
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    assert "Reverted" in twin.hallmark("revert")
    twin.recover()
    until(lambda: state.differing(kind, read, before) == [], SETTLES_WITHIN, 1)
    assert state.differing(kind, read, before) == []


def _is_made(fault: Journal) -> bool:
    return fault.state is journal.State.INJECTING and all(step.started for step in fault.steps)
