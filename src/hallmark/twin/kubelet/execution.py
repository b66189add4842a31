"""``kubectl exec``: a WebSocket on one side, a process in the pod on the other.

Source: the channel protocols ``v4.channel.k8s.io`` and ``v5.channel.k8s.io`` of Kubernetes
(``k8s.io/apimachinery/pkg/util/remotecommand``): the first byte of each message names its stream.
"""

import asyncio
import fcntl
import json
import os
import signal
import struct
import termios
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import WSMsgType, web

from hallmark.twin.kubelet.interior import Interior
from hallmark.twin.kubelet.runtime import Process, Runtime
from hallmark.twin.programs.shell.interpreter import NOT_FOUND

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
CHUNK = 32768


async def serve(request: web.Request, container: Interior, runtime: Runtime) -> web.WebSocketResponse:
    """Run what was asked for and pass its streams on."""
    socket = web.WebSocketResponse(protocols=PROTOCOLS)
    await socket.prepare(request)
    command = request.query.getall("command", [])
    code = await _run(socket, container, command, _wants(request), runtime)
    await _send(socket, ERROR, json.dumps(outcome(code)).encode())
    await socket.close()
    return socket


def outcome(code: int) -> dict[str, object]:
    """The last message: a Status that says how it ended."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _wants(request: web.Request) -> set[str]:
    names = {"input": "stdin", "stdin": "stdin", "tty": "tty"}
    return {wanted for name, wanted in names.items() if request.query.get(name) in {"1", "true"}}


async def _run(
    socket: web.WebSocketResponse, container: Interior, command: Sequence[str], wants: set[str], runtime: Runtime
) -> int:
    if complaint := container.refusal(command):
        await _send(socket, STDERR, f"{complaint}\n".encode())
        return NOT_FOUND
    return await (_in_terminal if "tty" in wants else _with_pipes)(socket, container, command, wants, runtime)


async def _with_pipes(
    socket: web.WebSocketResponse, container: Interior, command: Sequence[str], wants: set[str], runtime: Runtime
) -> int:
    process = await container.spawn(command, apart=True, wants_input="stdin" in wants)
    reading = asyncio.create_task(_feed(socket, process, runtime))
    try:
        streams = [_pump(socket, process.output, STDOUT)]
        if process.errors:
            streams.append(_pump(socket, process.errors, STDERR))
        await asyncio.gather(*streams)
        return _code(await process.exit)
    finally:
        reading.cancel()
        runtime.kill(process, signal.SIGKILL)
        process.close()


async def _in_terminal(
    socket: web.WebSocketResponse, container: Interior, command: Sequence[str], _wants: set[str], runtime: Runtime
) -> int:
    ours, theirs = os.openpty()
    process = await container.spawn(command, apart=False, wants_input=False, terminal=theirs)
    os.close(theirs)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(ours), "rb", 0)
    )
    process.input = ours
    reading = asyncio.create_task(_feed(socket, process, runtime))
    try:
        with suppress(OSError):  # a terminal whose other side is gone fails instead of ending
            await _pump(socket, reader, STDOUT)
        return _code(await process.exit)
    finally:
        reading.cancel()
        runtime.kill(process, signal.SIGKILL)
        transport.close()
        process.close()


async def _feed(socket: web.WebSocketResponse, process: Process, runtime: Runtime) -> None:
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        channel, content = message.data[0], message.data[1:]
        if channel == STDIN and process.input >= 0:
            with suppress(OSError):
                await asyncio.to_thread(os.write, process.input, content)
        elif channel == CLOSE and content[:1] == bytes([STDIN]) and process.input >= 0:
            os.close(process.input)
            process.input = -1
        elif channel == RESIZE and process.input >= 0:
            _resize(process.input, content)
    runtime.kill(process, signal.SIGKILL)  # the client left


async def _pump(socket: web.WebSocketResponse, stream: asyncio.StreamReader, channel: int) -> None:
    while chunk := await stream.read(CHUNK):
        await _send(socket, channel, chunk)


async def _send(socket: web.WebSocketResponse, channel: int, content: bytes) -> None:
    with suppress(ConnectionError):
        await socket.send_bytes(bytes([channel]) + content)


def _resize(terminal: int, content: bytes) -> None:
    with suppress(ValueError, KeyError, OSError):
        size = json.loads(content)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size["Height"], size["Width"], 0, 0))


def _code(status: int) -> int:
    return status if status >= 0 else 128 - status
