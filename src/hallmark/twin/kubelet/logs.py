"""Logs of containers, one file a run, in the format and place that log shippers know.

``<state>/logs/<namespace>_<pod>_<uid>/<container>/<restarts>.log``; each line has time, stream and a tag in front, see
"CRI logging format" of the Kubernetes design proposals. The last run's file is kept beside the present one's.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Self

LARGEST = 10 * 1024 * 1024
"""Bytes after which a file is begun anew, as the kubelet's ``containerLogMaxSize``."""


@dataclass(frozen=True)
class Options:
    """What ``kubectl logs`` asks, see PodLogOptions of the API.

    Attributes:
        follow: Go on as lines are written.
        previous: Of the run before.
        tail: Only this many of the last lines; None for all.
        since: Only lines from this moment on.
        timestamps: Put the time in front.
        limit: Bytes to stop after; None for no limit.
    """

    follow: bool = False
    previous: bool = False
    tail: int | None = None
    since: str = ""
    timestamps: bool = False
    limit: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read query parameters.

        Raises:
            ValueError: A number is none.
        """

        def number(name: str) -> int | None:
            return int(query[name]) if query.get(name) else None

        since = query.get("sinceTime", "")
        if seconds := number("sinceSeconds"):
            since = _stamp(datetime.now(UTC) - timedelta(seconds=seconds))
        return cls(
            follow=query.get("follow") in {"true", "1"},
            previous=query.get("previous") in {"true", "1"},
            tail=number("tailLines"),
            since=since.replace("Z", ""),
            timestamps=query.get("timestamps") in {"true", "1"},
            limit=number("limitBytes"),
        )


class Log:
    """The log of one container.

    Args:
        folder: The container's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._current = folder / "0.log"
        self._news = asyncio.Event()

    def begin(self, run: int) -> None:
        """Begin a run's file; runs before the last are forgotten."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("*.log*"):
            if int(old.name.split(".")[0]) < run - 1:
                old.unlink()
        self._current = self._folder / f"{run}.log"
        self._file = self._current.open("ab")

    def resume(self, run: int) -> None:
        """Take over files of an earlier kubelet, the last of which is of this run."""
        self._current = self._folder / f"{run}.log"

    def write(self, line: bytes) -> None:
        """Add one line, without its end."""
        if self._file:
            text = line.decode("utf-8", "replace").encode()
            self._file.write(_stamp(datetime.now(UTC)).encode() + b"Z stdout F " + text + b"\n")
            self._file.flush()
            if self._file.tell() > LARGEST:
                self._rotate()
            self._tell()

    def end(self) -> None:
        """End the run: nobody waits for more of it."""
        if self._file:
            self._file.close()
            self._file = None
        self._tell()

    def last_lines(self) -> str:
        """The end of the present run: what a termination message falls back to, 80 lines and 2,048 bytes at most."""
        lines = [text for _, text in _entries(self._current)][-80:]
        return b"".join(lines).decode("utf-8", "replace")[-2048:]

    def has_previous(self) -> bool:
        """Whether the run before the present one left a log."""
        return self._previous().exists()

    async def read(self, options: Options) -> AsyncIterator[bytes]:
        """Yield what was asked for, line by line."""
        file = self._previous() if options.previous else self._current
        sent = 0
        position = file.stat().st_size if file.exists() else 0
        for line in _select(file, position, options):
            sent += len(line)
            if options.limit is not None and sent >= options.limit:
                yield line[: len(line) - (sent - options.limit)]
                return
            yield line
        while options.follow and not options.previous:
            news, live = self._news, self._file is not None and file == self._current
            size = file.stat().st_size if file.exists() else 0
            for moment, text in _entries(file, min(position, size), size):
                yield _shown(moment, text, options)
            position = size
            if not live:
                return
            await news.wait()

    def _previous(self) -> Path:
        return self._folder / f"{int(self._current.name.split('.')[0]) - 1}.log"

    def _rotate(self) -> None:
        if self._file:
            self._file.close()
            self._current.replace(self._current.with_suffix(".log.1"))
            self._file = self._current.open("ab")

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _select(file: Path, size: int, options: Options) -> list[bytes]:
    entries = _entries(file, 0, size)
    chosen = deque(
        (_shown(moment, text, options) for moment, text in entries if moment >= options.since), maxlen=options.tail
    )
    return list(chosen)


def _entries(file: Path, start: int = 0, end: int | None = None) -> list[tuple[str, bytes]]:
    if not file.exists():
        return []
    with file.open("rb") as opened:
        opened.seek(start)
        content = opened.read() if end is None else opened.read(end - start)
    found = (re.match(rb"(\S+)Z stdout F (.*)", line, re.DOTALL) for line in content.splitlines(keepends=True))
    return [(each[1].decode(), each[2]) for each in found if each]


def _shown(moment: str, text: bytes, options: Options) -> bytes:
    return f"{moment}Z ".encode() + text if options.timestamps else text


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f000")
