"""An answer leaves in one piece: head and body together.

waitress gives them to the socket apart, and each time lets another thread compute meanwhile: the body of an answer
that was ready waited until the next one was made.
"""

from types import SimpleNamespace
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import WSGITask


class Whole(WSGITask):  # type: ignore[misc]  # waitress has no types
    """A task of waitress that sends what belongs together at once."""

    channel: Any

    def write(self, data: bytes) -> None:
        """Collect what waitress would send piece by piece, then send it."""
        channel, pieces = self.channel, list[bytes]()
        self.channel = SimpleNamespace(server=channel.server, write_soon=pieces.append)
        try:
            super().write(data)
        finally:
            self.channel = channel
        channel.write_soon(b"".join(pieces))


class Channel(HTTPChannel):  # type: ignore[misc]  # see above
    """A connection that is answered so."""

    task_class = Whole
