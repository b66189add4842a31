"""How one connection is carried through the switchboard: each end hands on what it reads, when it is time."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

PIECE = 16 * 1024
"""Bytes that a slow line carries at once."""
HELD = 256 * 1024
"""Bytes that may wait before no more is read: then the sender notices, as on a real line."""
RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Shaping:
    """What is wrong with the way to a name.

    Attributes:
        latency: Milliseconds that every answer comes later.
        bandwidth: Bytes a second of each connection, in each direction; 0 for no limit.
        black_hole: Whether connections stay open and nothing passes.
    """

    latency: int = 0
    bandwidth: int = 0
    black_hole: bool = False


class End(asyncio.Protocol):
    """One end of a carried connection.

    Args:
        shaping: What is wrong now.
        answers: Whether what it reads are answers, which latency holds back.
    """

    def __init__(self, shaping: Callable[[], Shaping], *, answers: bool) -> None:
        self._shaping = shaping
        self._answers = answers
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self.speaks_tls = False
        self._other: End | None = None
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._held = 0
        self._free = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ended = self._choked = False
        self.lost = self._loop.create_future()
        """Done once the connection is gone."""

    def join(self, other: "End") -> None:
        """Have the other end; from now on everything goes there."""
        self._other = other
        self.look_again()

    def look_again(self) -> None:
        """Go on under changed conditions."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._release()

    def cut(self) -> None:
        """Reset the connection."""
        self._waiting.clear()
        if self._transport and not self._transport.is_closing():
            plain: socket.socket = self._transport.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See the base class."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  (asyncio promises it for TCP and TLS)
        self._transport = transport
        self.speaks_tls = transport.get_extra_info("ssl_object") is not None

    def data_received(self, data: bytes) -> None:
        """Hand on, or hold back."""
        size = PIECE if self._shaping().bandwidth else len(data)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            self._waiting.append((self._due(len(piece)), piece))
        self._held += len(data)
        self._release()

    def eof_received(self) -> bool:
        """The other end hears of it after all that was said before."""
        self._ended = True
        self._release()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """A reset is a reset at the other end, too."""
        if not self.lost.done():
            self.lost.set_result(None)
        if exc and self._other and not self._shaping().black_hole:
            self._other.cut()
        self._ended = True
        self._release()

    def pause_writing(self) -> None:
        """What is read at the other end waits."""
        if self._other:
            self._other.choke(choked=True)

    def resume_writing(self) -> None:
        """See the base class."""
        if self._other:
            self._other.choke(choked=False)

    def choke(self, *, choked: bool) -> None:
        """Stop reading for a while, or go on."""
        self._choked = choked
        self._breathe()

    def _due(self, size: int) -> float:
        shaping = self._shaping()
        self._free = max(self._loop.time(), self._free) + (size / shaping.bandwidth if shaping.bandwidth else 0.0)
        return self._free + (shaping.latency / 1000 if self._answers else 0.0)

    def _release(self) -> None:
        if self._other is None or self._shaping().black_hole:
            self._breathe()
            return
        while self._waiting and self._waiting[0][0] <= self._loop.time():
            piece = self._waiting.popleft()[1]
            self._held -= len(piece)
            self._other.write(piece)
        if self._waiting and self._timer is None:
            self._timer = self._loop.call_at(self._waiting[0][0], self.look_again)
        if self._ended and not self._waiting:
            self._other.close()
        self._breathe()

    def write(self, data: bytes) -> None:
        """Send to the program or the server at this end."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close, after what is on its way."""
        if self._transport:
            self._transport.close()

    def _breathe(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._choked or self._held >= HELD:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
