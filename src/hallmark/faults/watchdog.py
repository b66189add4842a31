"""The watchdog: a process of its own that reverts a fault when its time to live is over.

It is started before the first call of a fault, in a session of its own, so neither a closed shell nor a killed
parent ends it. It ends by itself once the fault is reverted. Should the machine be off at the hour, the next
``hallmark`` command finds the fault expired. What the process does stands in ``__main__.py``.
"""

import os
import sys
from pathlib import Path

from hallmark.errors import EnvironmentFault
from hallmark.faults.journal import FOLDER


def start(home: Path, name: str) -> None:
    """Start the watchdog of a journal, detached from this process.

    Args:
        home: The state directory.
        name: Id of the journal. What goes wrong later is written beside it, into ``watchdog.log``.

    Raises:
        EnvironmentFault: No process can be started.
    """
    log = str(home / FOLDER / "watchdog.log")
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    command = [sys.executable, "-m", "hallmark.faults", str(home.resolve()), name]
    try:
        os.posix_spawn(sys.executable, command, os.environ, file_actions=streams, setsid=True)
    except OSError as error:
        hint = "A fault is never injected without its watchdog. Free memory or processes, then try again."
        raise EnvironmentFault(f"cannot start a process: {error.strerror}.", hint) from error
