"""The command line: verbs and composition only.

Exit codes: 0 passed, 1 not passed, 2 wrong use, 3 could not tell, 130 interrupted.

This file loads nothing, so that a Ctrl-C is answered from the first moment on; the verbs are behind it, in ``root``.
"""

import sys
from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with an exit code."""
    try:
        from hallmark.cli import root  # noqa: PLC0415  (takes half a second, in which somebody may press Ctrl-C)

        code = root.run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Nothing was left half-done; run the command again.\n")
        code = INTERRUPTED
    sys.exit(code)
