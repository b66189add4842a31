"""A short soak of a whole twin: something breaks and comes back under load, and every accepted run is there."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("soak")]


def test_a_fault_under_load_loses_no_accepted_run(clone: Callable[[], Any]) -> None:
    """A few seconds of load, one fault; the report counts, and nothing stays broken."""
    project = clone()
    done = project.run("soak", "--minutes", "0.2", "--rate", "5", "--only", "ingestion-stopped")

    assert done.returncode == 0, done.stderr
    assert "ingestion-stopped: there." in done.stderr
    assert "PROMISED" not in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [int(words[2]) > 0 for words in rows if words[0] == "ingestion-stopped"] == [True]
    assert "No fault is active." in project.run("fault", "list").stdout


def test_an_unknown_kind_of_fault_is_named(clone: Callable[[], Any]) -> None:
    """Before a twin is started."""
    project = clone()
    done = project.run("soak", "--only", "nonsense")

    assert done.returncode == 2
    assert "no kind of fault 'nonsense'" in done.stderr
    assert not project.twin.status().running
