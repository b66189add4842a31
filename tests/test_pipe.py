"""A pipe that breaks: that of a reader who left ends the command quietly, any other is told."""

import os
import subprocess
import sys

BREAKS = """
import sys
from hallmark.cli import root
def broken(*_, **__): raise BrokenPipeError
root.cli.main = broken
sys.exit(root.run([]))
"""


def run(output: int) -> subprocess.CompletedProcess[str]:
    """Run a command in which some pipe breaks."""
    words = [sys.executable, "-c", BREAKS]
    return subprocess.run(words, stdout=output, stderr=subprocess.PIPE, text=True, check=False, timeout=60)


def test_a_reader_who_left_ends_it_quietly() -> None:
    """As in ``hallmark … | head -1``."""
    reads, writes = os.pipe()
    os.close(reads)
    done = run(writes)
    os.close(writes)

    assert (done.returncode, done.stderr) == (130, "")


def test_a_connection_that_breaks_is_no_interruption() -> None:
    """Somebody reads; so it was something else, and a run that ended for it says so."""
    done = run(subprocess.DEVNULL)

    assert done.returncode == 3
    assert "A connection was closed while it was written to." in done.stderr
