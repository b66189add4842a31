"""How fast and how heavy the whole twin is: measured on one of its own, which is gone afterwards."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault
from hallmark.twin import footprint
from hallmark.twin.entrance import Entrance
from hallmark.twin.pulse import RESTLESS
from hallmark.twin.supervisor import Twin
from hallmark.twin.terraform import Progress
from hallmark.twin.tracing import Tracer
from hallmark.waiting import until

TRACES, BYTES = 3000, 200
SETTLES, IDLE = RESTLESS + 10.0, 30.0
"""Seconds after the start until nobody looks for changes any more, and for which it is watched then."""
ANSWERS_WITHIN, SDK_WITHIN = 60.0, 300.0
KEPT = ("key", "snapshots/baseline.zip", "snapshots/deployed.zip")
"""What a twin comes up from, below its state directory."""
INSTALL = "python -m pip install langsmith"

Measurement = tuple[str, str, str]


def measure(root: Path, home: Path, say: Progress) -> list[Measurement]:
    """Measure a twin of its own, in a folder that is gone afterwards.

    Args:
        root: The clone of the repository.
        home: The state directory of the person's twin, whose snapshots are copied.
        say: Is told one line for each step.

    Returns:
        What, measured, goal.

    Raises:
        EnvironmentFault: The SDK is not installed, or the twin does not come up.
    """
    if find_spec("langsmith") is None:
        raise EnvironmentFault("LangSmith's SDK is not installed.", INSTALL)
    with tempfile.TemporaryDirectory(prefix="hallmark-bench-") as folder:
        kept = _snapshots(Path(folder), root, home, say)
        say("Starting a twin from the snapshot.")
        with _running(Twin(_copied(kept, Path(folder) / "home"), root)) as twin:
            return _measure(twin, Path(folder) / "home" / "twin", say)


def _snapshots(folder: Path, root: Path, home: Path, say: Progress) -> Path:
    """A state directory whose snapshots fit what the twin is made of now; they are made if there are none."""
    if Twin(home, root).fits:
        return home
    say("There are no snapshots of the present files; making them first, which is not measured.")
    with _running(Twin(_copied(home, folder / "first"), root)) as twin:
        twin.up(say)
    return folder / "first"


def _copied(source: Path, home: Path) -> Path:
    for name in KEPT:
        (home / "twin" / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            shutil.copy2(source / "twin" / name, home / "twin" / name)
    return home


@contextmanager
def _running(twin: Twin) -> Iterator[Twin]:
    try:
        yield twin
    finally:  # after a Ctrl-C, too
        twin.down()


def _measure(twin: Twin, state: Path, say: Progress) -> list[Measurement]:
    begun = time.monotonic()
    twin.up(say)
    entrance = _entrance(twin)
    key = until(lambda: _key(twin), ANSWERS_WITHIN, pause=0.1)
    if key is None:
        raise EnvironmentFault("LangSmith gives no API key.", "hallmark twin up, and look at its pods")
    with Tracer(entrance, key, "first") as tracer:
        if not tracer.there_and_back(ANSWERS_WITHIN):
            raise EnvironmentFault("The first trace could not be read.", "hallmark twin up, and look at its pods")
    started = time.monotonic() - begun
    say(f"Watching it idle for {SETTLES + IDLE:.0f} seconds.")
    share = _idle(state)
    idle = footprint.megabytes(footprint.processes(state))
    say(f"Sending {TRACES} traces with the SDK.")
    sdk = _sdk(entrance.environment(key))
    busy = footprint.megabytes(footprint.processes(state))
    return [
        ("snapshot to the first trace read", f"{started:.1f} s", "<= 10 s"),
        ("processor while idle", f"{share * 100:.1f} % of a core", "< 5 %"),
        ("memory while idle", f"{idle:.0f} MB", "<= 1200 MB"),
        (f"memory after {TRACES} traces", f"{busy:.0f} MB", "<= 1200 MB"),
        ("round trip of a trace, median of 20", f"{sdk['trip'] * 1000:.0f} ms", "<= 300 ms"),
        ("traces to the API", f"{TRACES / sdk['flushed']:.0f}/s", ""),
        ("traces to readable", f"{sdk['found'] / sdk['readable']:.0f}/s", ">= 500/s"),
    ]


def _entrance(twin: Twin) -> Entrance:
    entrance = twin.entrance()
    if entrance is None:
        raise EnvironmentFault("Nothing leads to LangSmith.", "hallmark twin status")
    return entrance


def _key(twin: Twin) -> str | None:
    with suppress(EnvironmentFault):  # its pods may not be ready yet
        return twin.api_key()
    return None


def _idle(state: Path) -> float:
    """The share of a core that all processes take together while nobody wants anything."""
    _wait(SETTLES)
    before, begun = footprint.seconds(footprint.processes(state)), time.monotonic()
    _wait(IDLE)
    after, lasted = footprint.seconds(footprint.processes(state)), time.monotonic() - begun
    return sum(used - before.get(pid, 0.0) for pid, used in after.items()) / lasted


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def _sdk(variables: dict[str, str]) -> dict[str, Any]:
    ours = ("LANGSMITH_", "LANGCHAIN_")
    usual = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-m", "hallmark.twin.sdk", str(TRACES), str(BYTES)]
    done = subprocess.run(
        command, env={**usual, **variables}, capture_output=True, text=True, timeout=SDK_WITHIN, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or "it said nothing.").splitlines()[-1]
        raise EnvironmentFault(f"The SDK failed: {said}", "hallmark bench --only twin")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
