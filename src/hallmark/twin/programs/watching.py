"""Waiting for a file to be written: without a look now and then where the kernel tells (Linux, inotify(7))."""

import ctypes
import os
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

WRITTEN = 0x2 | 0x4 | 0x400 | 0x800
"""What concerns a file: it was modified, unlinked, deleted or moved."""
MADE = 0x80 | 0x100 | 0x400 | 0x800
"""What concerns a folder: something was moved to it or created in it, or the folder itself is gone."""
CLOSE_ON_EXEC = 0o2000000


class Watch:
    """Knows when one file has changed.

    Args:
        file: The file; while it is not there its folder is watched.
        pause: Seconds between two looks where the kernel tells nothing.
    """

    def __init__(self, file: Path, pause: float) -> None:
        self._file = file
        self._pause = pause
        self._events = -1
        self._is_whole = False
        self._begin()

    @property
    def is_told(self) -> bool:
        """Whether the kernel tells; each user may have it tell about so many at once (``max_user_instances``)."""
        return self._events >= 0

    def wait(self) -> None:
        """Return when the file may have changed since the last return, or since this was made."""
        if self._events < 0:
            threading.Event().wait(self._pause)
        else:
            os.read(self._events, 4096)
        if not (self._is_whole and self._file.exists()):
            self.close()
            self._begin()

    def close(self) -> None:
        """Stop watching."""
        if self._events >= 0:
            os.close(self._events)
        self._events = -1

    def _begin(self) -> None:
        if sys.platform != "linux":
            return
        self._events = _libc().inotify_init1(CLOSE_ON_EXEC)  # fails where somebody has too many: then we look
        self._is_whole = self._add(self._file, WRITTEN)
        if self._is_whole:
            return
        if not self._add(self._file.parent, MADE):
            self.close()
        elif self._file.exists():  # it came just before its folder was watched
            self._is_whole = self._add(self._file, WRITTEN)

    def _add(self, path: Path, mask: int) -> bool:
        return self._events >= 0 and _libc().inotify_add_watch(self._events, os.fsencode(path), mask) >= 0


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
