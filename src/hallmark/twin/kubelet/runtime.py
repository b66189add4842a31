"""Starts and ends container processes, through the zygote (:mod:`hallmark.twin.programs.zygote`).

Processes are named by a number of ours, never by a process id that the system may give to somebody else. Should the
zygote itself die, its children die with it; they count as killed, and a new one is started.
"""

import array
import asyncio
import json
import logging
import os
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from hallmark.twin import programs
from hallmark.twin.files import write
from hallmark.twin.kubelet import survivors
from hallmark.twin.process import FRUGAL

KILLED = -9
LENGTH = struct.Struct("!I")
CHUNK = 65536
LONGEST_LINE = 16384
"""Bytes after which a line is cut, as the runtime does."""
log = logging.getLogger(__name__)


@dataclass
class Process:
    """One process.

    Attributes:
        number: Ours.
        output: What it writes; its errors, too, unless those are wanted apart.
        errors: What it writes to standard error, if wanted apart.
        reports: What the program tells the kubelet.
        exit: Its exit code, negative for a signal, once it has ended.
        input: Descriptor to write its input to, or -1.
    """

    number: int
    output: asyncio.StreamReader
    errors: asyncio.StreamReader | None
    reports: asyncio.StreamReader
    exit: asyncio.Future[int]
    input: int = -1
    transports: list[asyncio.ReadTransport] = field(default_factory=list)

    def close(self) -> None:
        """Let go of the pipes."""
        for each in self.transports:
            each.close()
        if self.input >= 0:
            with suppress(OSError):
                os.close(self.input)
            self.input = -1


class Runtime:
    """The container runtime of one kubelet.

    Args:
        state: Where it notes its process, for :mod:`hallmark.twin.kubelet.survivors`.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._commands: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._running: dict[int, Process] = {}
        self._numbers = 0
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """End what an earlier kubelet left, and start the zygote."""
        survivors.sweep(self._state)
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the zygote and all processes."""
        if self._listening:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        self._end()

    async def spawn(
        self, spec: Mapping[str, Any], *, apart: bool = False, wants_input: bool = False, terminal: int = -1
    ) -> Process:
        """Start a process.

        Args:
            spec: What the program gets, see :class:`hallmark.twin.programs.container.Container`.
            apart: Whether errors are wanted apart from output.
            wants_input: Whether it gets an input to be written to.
            terminal: A terminal's descriptor for all three streams, or -1.
        """
        self._numbers += 1
        output, output_end = os.pipe()
        reports, reports_end = os.pipe()
        errors, errors_end = os.pipe() if apart else (-1, output_end)
        input_end, to_input = os.pipe() if wants_input else (os.open(os.devnull, os.O_RDONLY), -1)
        streams = [terminal] * 3 if terminal >= 0 else [input_end, output_end, errors_end]
        transports: list[asyncio.ReadTransport] = []
        process = Process(
            number=self._numbers,
            output=await _reader(output, transports),
            errors=await _reader(errors, transports) if apart else None,
            reports=await _reader(reports, transports),
            exit=asyncio.get_running_loop().create_future(),
            input=to_input,
            transports=transports,
        )
        self._running[process.number] = process
        self._send({"spawn": {**spec, "id": process.number}}, [*streams, reports_end])
        for each in {input_end, output_end, errors_end, reports_end}:
            os.close(each)
        return process

    def kill(self, process: Process, sign: int) -> None:
        """Signal a process and its children, if it still runs."""
        if not process.exit.done():
            self._send({"kill": process.number, "signal": int(sign)}, [])

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        results, results_end = os.pipe()
        script = Path(programs.__file__).with_name("zygote.py")
        command = [sys.executable, "-I", str(script), str(os.getpid()), str(theirs.fileno()), str(results_end)]
        self._process = subprocess.Popen(  # noqa: ASYNC220  (returns at once; the kernel ties it to this very thread)
            command,
            env=FRUGAL,
            cwd="/",
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), results_end),
            start_new_session=True,
        )
        theirs.close()
        os.close(results_end)
        self._commands = ours
        write(self._state / survivors.RECORD, json.dumps(survivors.identity(self._process.pid)))
        transports: list[asyncio.ReadTransport] = []
        reader = await _reader(results, transports)
        await reader.readline()  # it is ready, or dead, which is noticed where its results are read
        self._listening = asyncio.create_task(self._listen(reader, transports))

    async def _listen(self, results: asyncio.StreamReader, transports: list[asyncio.ReadTransport]) -> None:
        while line := await results.readline():
            told = json.loads(line)
            self._ended(told["id"], told["status"])
        for each in transports:
            each.close()
        log.error("the zygote died; every container of this kubelet died with it")
        self._end()
        for number in list(self._running):
            self._ended(number, KILLED)
        await self._start()

    def _ended(self, number: int, status: int) -> None:
        process = self._running.pop(number, None)
        if process and not process.exit.done():
            process.exit.set_result(status)

    def _end(self) -> None:
        if self._commands:
            self._commands.close()
        if self._process:
            survivors.end_session(self._process.pid)
            self._process.kill()
            self._process.wait()
        survivors.forget(self._state)

    def _send(self, command: Mapping[str, Any], descriptors: list[int]) -> None:
        if self._commands is None:
            return
        body = json.dumps(command).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        with suppress(BrokenPipeError):  # a dead zygote is noticed where its results are read
            self._commands.sendmsg([LENGTH.pack(len(body))], rights)
            self._commands.sendall(body)


async def _reader(descriptor: int, transports: list[asyncio.ReadTransport]) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    pipe = os.fdopen(descriptor, "rb", 0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    transports.append(transport)
    return reader


async def lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield lines without their ends until the stream ends; a very long one comes in parts."""
    rest = b""
    while chunk := await reader.read(CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
        while len(rest) > LONGEST_LINE:
            yield rest[:LONGEST_LINE]
            rest = rest[LONGEST_LINE:]
    if rest:
        yield rest
