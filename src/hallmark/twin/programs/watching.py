"""Waiting for a file to be written: without a look now and then where the kernel tells (Linux, inotify(7))."""

import ctypes
import os
import struct
import sys
import threading
from pathlib import Path

MODIFIED, DELETED, MOVED = 0x2, 0x400, 0x800
CLOSE_ON_EXEC = 0o2000000
_EVENT = struct.Struct("iIII")


class Watch:
    """Knows when one file has changed.

    Args:
        file: The file; one that is not there yet, or no longer, is looked for now and then.
        pause: Seconds between two such looks, and between all where the kernel tells nothing.
    """

    def __init__(self, file: Path, pause: float) -> None:
        self._file = file
        self._pause = pause
        self._events = -1
        self._begin()

    def wait(self) -> None:
        """Return when the file may have changed since the last return, or since this was made."""
        if self._events < 0:
            threading.Event().wait(self._pause)
            self._begin()
            return
        told = os.read(self._events, 4096)
        if any(mask & ~MODIFIED for mask in _masks(told)):
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
        libc = ctypes.CDLL(None)
        self._events = libc.inotify_init1(CLOSE_ON_EXEC)  # fails where somebody has too many: then we look
        name = os.fsencode(self._file)
        if self._events >= 0 and libc.inotify_add_watch(self._events, name, MODIFIED | DELETED | MOVED) < 0:
            self.close()


def _masks(told: bytes) -> list[int]:
    masks, position = [], 0
    while position < len(told):
        _, mask, _, length = _EVENT.unpack_from(told, position)
        masks.append(mask)
        position += _EVENT.size + length
    return masks
