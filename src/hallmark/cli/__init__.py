"""The command line: verbs and composition only.

Exit codes: 0 passed, 1 not passed, 2 wrong use, 3 could not tell, 130 interrupted.

This file loads nothing, so that a Ctrl-C is answered from the first moment on; the verbs are behind it, in ``root``.
"""

import gc
import sys
from collections.abc import Sequence

INTERRUPTED = 130
SELDOM = (50_000, 20, 100)
"""Thresholds of the garbage collector. Descriptions of AWS are large and stay: looking at them again and again took a
fifth of a grade's processor time. A command ends before there is much to collect."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with an exit code."""
    gc.set_threshold(*SELDOM)
    try:
        from hallmark.cli import root  # noqa: PLC0415  (takes half a second, in which somebody may press Ctrl-C)

        code = root.run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Nothing was left half-done; run the command again.\n")
        code = INTERRUPTED
    sys.exit(code)
