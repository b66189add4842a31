"""The measurements: made against a server of their own, each beside its goal."""

import pytest

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
