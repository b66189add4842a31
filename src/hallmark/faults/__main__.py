"""What a watchdog runs: ``python -m hallmark.faults HOME ID``. See :mod:`hallmark.faults.watchdog`."""

import math
import sys
from datetime import UTC, datetime
from pathlib import Path

from hallmark.errors import HallmarkError
from hallmark.faults import journal
from hallmark.waiting import until

GLANCE = 2.0
"""Seconds between two looks at the journal."""
RETRY = 60.0
PATIENCE = 3600.0
"""A revert that failed is tried again every RETRY seconds, for PATIENCE seconds."""


def main(home: Path, name: str) -> int:
    """Wait until the fault is reverted or its time to live is over; in the second case revert it.

    Returns:
        0 when it is reverted, 1 when it could not be.
    """

    def is_over() -> bool:
        fault = journal.read(home, name)
        return not fault.is_active or fault.is_expired(datetime.now(UTC))

    def is_reverted() -> bool:
        try:
            if journal.read(home, name).is_active:
                _revert(home, name)
        except HallmarkError as failure:
            sys.stderr.write(f"{journal.timestamp(datetime.now(UTC))} {name}: {failure.message}\n")
            return False
        return True

    until(is_over, math.inf, GLANCE)
    return 0 if until(is_reverted, PATIENCE, RETRY) else 1


def _revert(home: Path, name: str) -> None:
    from hallmark.faults import runner  # noqa: PLC0415  (brings boto3, which most watchdogs never need)

    runner.revert(home, only=name)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
