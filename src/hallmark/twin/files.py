"""Files that are never half-written, and locks that a dead process cannot keep."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from hallmark.errors import EnvironmentFault


def write(file: Path, content: str | bytes) -> None:
    """Replace a file in one step: a reader sees the old content or the new, never a part.

    Raises:
        EnvironmentFault: The disk is full, read-only or not ours; the old content is still there.
    """
    data = content.encode() if isinstance(content, str) else content
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(file)
    except BaseException as error:  # a Ctrl-C, too, leaves nothing half-written
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise disk_fault(file.parent, error) from error
        raise


def disk_fault(folder: Path, error: OSError) -> EnvironmentFault:
    """The one message for everything the file system refuses."""
    return EnvironmentFault(
        f"Cannot write to {folder}: {error.strerror}.",
        "free some space, or point HALLMARK_HOME at a directory that can be written",
    )


@contextmanager
def hold(file: Path, busy: str, *, waiting: Callable[[str], None] | None = None) -> Iterator[IO[str]]:
    """Hold an advisory lock; the kernel lets go of it when the process ends, however it ends.

    Args:
        file: The lock file; it stays, and is empty when the block begins.
        busy: What to say when somebody else holds the lock.
        waiting: Is told, and then the lock is waited for; without it, a lock that is held is an error.

    Yields:
        The locked file; a child that inherits it holds the lock too.

    Raises:
        EnvironmentFault: The lock is held by another process, or the file cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = file.open("a+")
    except OSError as error:
        raise disk_fault(file.parent, error) from error
    with opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not waiting:
                raise EnvironmentFault(busy) from error
            waiting(busy)
            fcntl.flock(opened, fcntl.LOCK_EX)
        opened.truncate(0)
        yield opened


def is_held(file: Path) -> bool:
    """Whether a living process holds the lock."""
    try:
        with file.open("r") as opened:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
