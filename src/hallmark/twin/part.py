"""A part of the twin, as its own process sees it; :mod:`hallmark.twin.process` is how the others see it."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from hallmark.errors import EnvironmentFault, Exit, HallmarkError
from hallmark.twin.files import hold

LOOPBACK = "127.0.0.1"
ENDED = 0
"""Process id in the about file after an orderly end."""


def run(lock: Path, busy: str, work: Callable[[], object]) -> int:
    """Work, while the lock says that this process lives and which one it is.

    Args:
        lock: The lock file.
        busy: What to say when another process holds the lock.
        work: Ends when the process is told to.

    Returns:
        An exit code of :class:`hallmark.errors.Exit`.
    """
    try:
        with hold(lock, busy) as held:
            held.write(str(os.getpid()))
            held.flush()
            work()
    except HallmarkError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    return Exit.PASSED


def told_to_stop() -> asyncio.Event:
    """Is set at SIGTERM or Ctrl-C; to be called in the event loop."""
    told = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, told.set)
    return told


def respond_to_signal(about: Path) -> None:
    """Have the running event loop show that it turns, whenever it is asked: it touches its about file.

    Args:
        about: The about file; to be called before that is written.
    """
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: about.touch(exist_ok=True))


def listen(port: int) -> socket.socket:
    """Listen on a port of this machine; 0 takes a free one.

    Raises:
        EnvironmentFault: It is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise taken(port, error) from error
    listener.listen(1024)
    return listener


def taken(port: int, error: OSError) -> EnvironmentFault:
    """What to say of a port that cannot be listened on."""
    return EnvironmentFault(f"Port {port} on {LOOPBACK} is taken: {error.strerror}.")
