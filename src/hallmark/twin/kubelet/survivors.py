"""Processes that outlived their kubelet: found by the session they were started in, and ended.

On Linux the kernel kills them with their parent; this is for systems without that signal, and for bad luck. Source of
the fields: proc_pid_stat(5).
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hallmark.waiting import until

RECORD = "zygote.json"
PROC = Path("/proc")
ENDS_WITHIN = 5.0


def identity(pid: int) -> dict[str, object]:
    """What tells a process from a later one with the same id: its start and the boot it belongs to."""
    return {"pid": pid, "start": _stat(pid).get("start", ""), "boot": _boot()}


def sweep(state: Path) -> int:
    """End what an earlier kubelet of this state folder left; returns how many processes that were."""
    try:
        record = json.loads((state / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    leader = _stat(record["pid"]).get("start", "")
    ours = record["boot"] == _boot() and leader in {"", record["start"]}
    ended = end_session(record["pid"]) if ours else 0
    forget(state)
    return ended


def end_session(session: int) -> int:
    """Kill every process of a session and wait until none is left."""
    members = list(_members(session))
    for pid in members:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    if members:
        until(lambda: all(_stat(pid).get("state", "Z") in "ZX" for pid in members), ENDS_WITHIN, pause=0.01)
    return len(members)


def forget(state: Path) -> None:
    """There is nothing to end any more."""
    (state / RECORD).unlink(missing_ok=True)


def _members(session: int) -> Iterator[int]:
    for folder in PROC.glob("[0-9]*"):
        stat = _stat(int(folder.name))
        if stat.get("session") == str(session) and stat["state"] not in "ZX":
            yield int(folder.name)


def _stat(pid: int) -> dict[str, str]:
    try:
        # The name in brackets may hold anything; fields are counted after it.
        fields = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return {"state": fields[0], "session": fields[3], "start": fields[19]}
    except (OSError, IndexError):
        return {}


def _boot() -> str:
    with suppress(OSError):
        return (PROC / "sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    return ""
