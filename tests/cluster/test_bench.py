"""The measurements: made against a server of their own, each beside its goal."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from rich.console import Console

from hallmark.cli import proof
from hallmark.grading import benchmark, plugin
from hallmark.grading.benchmark import Row
from hallmark.twin import bench as whole
from hallmark.twin.cluster import bench


def test_everything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """With few objects here: that it works, not how fast."""
    monkeypatch.setattr(bench, "OBJECTS", 20)
    monkeypatch.setattr(bench, "GETS", 20)

    measured = bench.measure()

    assert [(what, goal) for what, _, goal in measured] == [
        ("start to first answer", "<= 1.5 s"),
        ("creates, 8 clients", ">= 1000/s"),
        ("gets, 8 clients", ">= 2000/s"),
        ("watch delay, worst of 50", "<= 50 ms"),
        ("memory with 20 objects", "<= 150 MB"),
    ]
    assert all(float(value.split()[0].removesuffix("/s")) > 0 for _, value, _ in measured)


@pytest.mark.parametrize(
    ("target", "last"),
    [("twin", "first trace        9.0 s  <= 10 s"), ("aws", "2.0 times as fast as a call a check.")],
)
def test_the_command_shows_it_after_the_grade(monkeypatch: pytest.MonkeyPatch, target: str, last: str) -> None:
    """Two more tables, when the target is the twin."""
    profile = SimpleNamespace(target=target, scope=dict)
    app = SimpleNamespace(
        console=Console(),
        root=Path(),
        default_lab=lambda: SimpleNamespace(id="a"),
        profile=lambda _: profile,
        settings=lambda: profile,
        home=Path(),
        say=print,
    )
    rows = [Row("a grade", 1.0, 10, 10), Row("a call a check", 2.0, 20, 10), Row("the floor", 1.0, 10, 10)]
    monkeypatch.setattr(plugin, "checks", lambda *_: [])
    monkeypatch.setattr(benchmark, "measure", lambda *_: rows)
    monkeypatch.setattr(bench, "measure", lambda: [("creates, 8 clients", "1500/s", ">= 1000/s")])
    monkeypatch.setattr(whole, "measure", lambda *_: [("first trace", "9.0 s", "<= 10 s")])

    done = CliRunner().invoke(proof.bench, obj=app)

    assert done.output.splitlines()[0].split() == ["What", "Seconds", "Calls", "Against", "the", "floor"]
    assert ("creates, 8 clients            1500/s  >= 1000/s" in done.output) is (target == "twin")
    assert done.output.rstrip().endswith(last), done.output
