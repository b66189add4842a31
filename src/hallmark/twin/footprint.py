"""What the processes of a twin take of the machine: memory and time of processors, from Linux' ``/proc``."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hallmark.twin.files import is_held

KIB = 1024
PROC = Path("/proc")


def processes(state: Path) -> set[int]:
    """Ids of all processes of a twin: those that hold its locks, and all that descend from them.

    Args:
        state: The state directory of the twin.
    """
    found = set(_owners(state))
    parents = dict(_parents())
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def megabytes(pids: set[int]) -> float:
    """Memory of processes together; what several share counts once (PSS)."""
    return sum(map(_proportional, pids)) / KIB


def seconds(pids: set[int]) -> dict[int, float]:
    """Time of processors that each process has used so far."""
    return {pid: time for pid in pids if (time := _used(pid)) is not None}


def _owners(state: Path) -> Iterator[int]:
    for lock in (*state.glob("*.lock"), *state.glob("*/*.lock")):
        with suppress(OSError, ValueError):
            if is_held(lock) and (text := lock.read_text(encoding="utf-8")):
                yield int(text)


def _parents() -> Iterator[tuple[int, int]]:
    for folder in PROC.glob("[0-9]*"):
        if fields := _stat(int(folder.name)):
            yield int(folder.name), int(fields[1])


def _proportional(pid: int) -> int:
    with suppress(OSError, StopIteration):
        lines = (PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return 0


def _used(pid: int) -> float | None:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else None


def _stat(pid: int) -> list[str]:
    """Fields of ``stat`` from the state on: before it is the name, which may hold anything."""
    with suppress(OSError):
        return (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return []
