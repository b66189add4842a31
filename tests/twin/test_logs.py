"""CloudWatch Logs of the twin: what frequent events may cost."""

import time
from pathlib import Path
from typing import Any

from hallmark.twin.aws.autosave import QUIET
from hallmark.twin.aws.extension.logs import KEPT
from hallmark.twin.clients import Clients
from hallmark.waiting import until

ACCOUNT = "111122223333"
WHERE = {"logGroupName": "/lab", "logStreamName": "one"}


def made(logs: Any) -> Any:
    """Make the group and the stream."""
    logs.create_log_group(logGroupName=WHERE["logGroupName"])
    logs.create_log_stream(**WHERE)
    return logs


def put(logs: Any, *messages: str) -> None:
    """Put events."""
    now = int(time.time() * 1000)
    logs.put_log_events(**WHERE, logEvents=[{"timestamp": now, "message": each} for each in messages])


def end(logs: Any, *, first: bool) -> str:
    """The first or the last event there is."""
    found = logs.get_log_events(**WHERE, startFromHead=first, limit=1)["events"]
    return str(found[0]["message"])


def test_a_stream_is_bounded(aws: Clients) -> None:
    """The oldest events go, and the youngest are there."""
    logs = made(aws("logs"))
    put(logs, *map(str, range(KEPT)))
    assert end(logs, first=True) == "0"
    put(logs, *map(str, range(KEPT, KEPT + 10)))

    assert (end(logs, first=True), end(logs, first=False)) == ("10", str(KEPT + 9))


def test_events_alone_cause_no_save_and_are_saved_at_the_end(tmp_path: Path, serve: Any) -> None:
    """A group is saved a moment after it was made, an event with the next save of anything, or at the end."""
    saved = tmp_path / "autosave" / f"{ACCOUNT}.snapshot"
    with serve(tmp_path) as running:
        logs = made(Clients(running.endpoint, ACCOUNT, "us-east-1")("logs"))
        assert until(saved.exists, 20)
        before = saved.stat().st_mtime_ns
        put(logs, "hello")
        assert not until(lambda: saved.stat().st_mtime_ns != before, QUIET + 3)

    with serve(tmp_path) as again:
        again.control.restore(ACCOUNT, saved.read_bytes())
        assert end(Clients(again.endpoint, ACCOUNT, "us-east-1")("logs"), first=True) == "hello"
