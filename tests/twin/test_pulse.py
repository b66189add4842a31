"""Whoever follows the emulated AWS looks often after a change, and seldom while it rests."""

import os
import time
from pathlib import Path

from hallmark.twin import pulse
from hallmark.twin.clients import Clients
from hallmark.twin.pulse import FILE, RESTLESS, Pulse


def rest(state: Path) -> None:
    """Have the last change be long ago."""
    long_ago = time.time() - RESTLESS - 1
    os.utime(state / FILE, (long_ago, long_ago))


def test_after_a_change_every_look_is_due(tmp_path: Path) -> None:
    """For a while: what was begun goes on by itself."""
    pulse.beat(tmp_path)
    follower = Pulse(tmp_path)

    assert [follower.is_due(), follower.is_due()] == [True, True]


def test_while_nothing_happens_few_looks_are_due(tmp_path: Path) -> None:
    """The first; then one now and then; and at once when something happens."""
    pulse.beat(tmp_path)
    rest(tmp_path)
    follower, eager = Pulse(tmp_path), Pulse(tmp_path, seldom=0.0)

    assert [follower.is_due(), follower.is_due(), eager.is_due(), eager.is_due()] == [True, False, True, True]
    pulse.beat(tmp_path)
    assert follower.is_due()


def test_where_nothing_tells_every_look_is_due(tmp_path: Path) -> None:
    """An emulated AWS of somebody else."""
    follower = Pulse(tmp_path)

    assert [follower.is_due(), follower.is_due()] == [True, True]


def test_the_server_tells_of_changes_alone(tmp_path: Path, serve: object) -> None:
    """A question is none, and log events are none."""
    with serve(tmp_path, "--no-autosave") as running:  # type: ignore[operator]
        aws = Clients(running.endpoint, "111122223333", "us-east-1")
        aws("logs").create_log_group(logGroupName="/lab")
        aws("logs").create_log_stream(logGroupName="/lab", logStreamName="one")
        rest(tmp_path)
        before = (tmp_path / FILE).stat().st_mtime
        aws("ec2").describe_instances()
        event = {"timestamp": int(time.time() * 1000), "message": "x"}
        aws("logs").put_log_events(logGroupName="/lab", logStreamName="one", logEvents=[event])
        assert (tmp_path / FILE).stat().st_mtime == before
        aws("sns").create_topic(Name="new")
        assert (tmp_path / FILE).stat().st_mtime > before
