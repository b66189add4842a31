"""What the unmodified SDK of LangSmith achieves: a process that knows nothing but its environment variables.

``python -m hallmark.twin.sdk TRACES BYTES`` measures the environment it is in and prints what it found as JSON.
"""

import json
import statistics
import sys
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from langsmith import Client
from langsmith.utils import LangSmithError

from hallmark.waiting import until

TRIPS = 20
WITHIN = 120.0
"""Seconds for everything to be readable on a slow machine."""


def main(arguments: list[str]) -> None:
    """Measure round trips, then many traces at once."""
    traces, size = map(int, arguments)
    client, project = Client(), f"bench-{uuid.uuid4().hex[:8]}"
    _trip(client, project, size)  # what is made once, such as connections and the project, is not measured
    trips = [_trip(client, project, size) for _ in range(TRIPS)]
    many = f"{project}-many"
    begun = time.monotonic()
    for _ in range(traces):
        _send(client, many, size)
    sent = time.monotonic() - begun
    client.flush()
    flushed = time.monotonic() - begun
    found = until(lambda: _count(client, many) if _count(client, many) >= traces else 0, WITHIN, pause=0.05)
    readable = time.monotonic() - begun
    result = {"trip": statistics.median(trips), "sent": sent, "flushed": flushed, "readable": readable, "found": found}
    sys.stdout.write(json.dumps(result) + "\n")


def _send(client: Client, project: str, size: int) -> uuid.UUID:
    identity, now = uuid.uuid4(), datetime.now(UTC)
    client.create_run(
        "small",
        {"text": "x" * size},
        "chain",
        id=identity,
        trace_id=identity,
        dotted_order=f"{now:%Y%m%dT%H%M%S%f}Z{identity}",
        start_time=now,
        end_time=now,
        project_name=project,
    )
    return identity


def _trip(client: Client, project: str, size: int) -> float:
    begun = time.monotonic()
    identity = _send(client, project, size)
    client.flush()
    if not until(lambda: _read(client, identity), WITHIN, pause=0.005):
        raise SystemExit(f"a trace could not be read within {WITHIN:.0f} seconds")
    return time.monotonic() - begun


def _read(client: Client, identity: uuid.UUID) -> bool:
    try:
        client.read_run(identity)
    except LangSmithError:
        return False
    return True


def _count(client: Client, project: str) -> int:
    try:
        answer: dict[str, Any] = client.get_run_stats(project_names=[project])
    except LangSmithError:
        return 0
    return int(answer.get("run_count") or 0)


if __name__ == "__main__":
    main(sys.argv[1:])
