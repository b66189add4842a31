"""The one process that starts containers: it has imported what programs need, and forks once a container.

``python -I zygote.py PARENT COMMANDS RESULTS`` is started by the kubelet (:mod:`hallmark.twin.kubelet.runtime`).
A fork takes a millisecond and a megabyte, a fresh interpreter sixty milliseconds and twelve megabytes. Every process
here dies with its parent: kill the kubelet, and nothing is left behind.

A command is a length, and JSON of that length: ``{"spawn": {…}}`` comes with file descriptors, ``{"kill": id,
"signal": n}`` signals the process group of one container. Each result is a line of JSON: id and wait status.
"""

import array
import contextlib
import ctypes
import fcntl
import functools
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import termios
import types
from pathlib import Path
from typing import Any, NoReturn

LENGTH = struct.Struct("!I")
DESCRIPTORS = 4
"""Standard input, output and error, and where a program reports."""
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
READY = b"ready\n"
"""What it tells first: before that nothing runs, whatever was asked for."""
CRASHED = 70
"""Exit code of a program that raised; ``EX_SOFTWARE`` of sysexits.h."""
PRELOADED = (
    "http.client", "http.server", "hallmark.twin.programs.container", "hallmark.twin.programs.web",
    "hallmark.twin.programs.shell.interpreter", "hallmark.twin.programs.langsmith.service",
    "hallmark.twin.platform.main", "hallmark.twin.platform.commands", "hallmark.twin.programs.addon",
    "hallmark.twin.programs.langsmith.frontend", "uvicorn.lifespan.off", "uvicorn.protocols.http.auto",
)  # fmt: skip


class Zygote:
    """Forks, signals and reaps containers until the kubelet is gone.

    Args:
        commands: Where the kubelet's commands come from.
        results: Where exits are told.
    """

    def __init__(self, commands: socket.socket, results: int) -> None:
        self._commands = commands
        self._results = results
        self._children: dict[int, int] = {}

    def run(self) -> None:
        """Work until the kubelet closes its end."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready, _, _ = select.select([self._commands.fileno(), woken], [], [])
            if woken in ready:
                os.read(woken, 4096)
                self._reap()
            if self._commands.fileno() in ready and not self._obey(woken, wake):
                return

    def _obey(self, *own: int) -> bool:
        header, descriptors = _receive(self._commands)
        if not header:
            return False
        command = json.loads(_exactly(self._commands, LENGTH.unpack(header)[0]))
        if "spawn" in command:
            self._spawn(command["spawn"], descriptors, own)
        else:
            self._kill(command["kill"], command["signal"])
        return True

    def _spawn(self, spec: dict[str, Any], descriptors: list[int], own: tuple[int, ...]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._commands.close()
            for each in (self._results, *own):
                os.close(each)
            become(spec, descriptors, parent)
        if not spec["terminal"]:
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)  # both sides do it: a signal that comes at once finds the group
        self._children[pid] = spec["id"]
        for each in descriptors:
            os.close(each)

    def _kill(self, identity: int, sign: int) -> None:
        for pid, known in self._children.items():
            if known == identity:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, sign)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            told = json.dumps({"id": self._children.pop(pid), "status": os.waitstatus_to_exitcode(status)})
            os.write(self._results, told.encode() + b"\n")


def become(spec: dict[str, Any], descriptors: list[int], parent: int) -> NoReturn:
    """Turn this fresh fork into a container, and never return."""
    code = CRASHED
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        die_with(parent)
        if spec["terminal"]:
            os.setsid()
            fcntl.ioctl(descriptors[0], termios.TIOCSCTTY, 0)  # Ctrl-C reaches it
        else:
            os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _settle(spec, descriptors)
        code = _run(spec, descriptors[3] if len(descriptors) == DESCRIPTORS else -1)
    finally:
        os._exit(code)


def _settle(spec: dict[str, Any], descriptors: list[int]) -> None:
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(spec["environment"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115  (a descriptor)
    sys.stdout = open(1, "w", 1, "utf-8", "replace", closefd=False)  # noqa: SIM115  (a descriptor)
    sys.stderr = open(2, "w", 1, "utf-8", "replace", closefd=False)  # noqa: SIM115  (a descriptor)
    _libc_call(PR_SET_NAME, str(spec["name"]).encode()[:15])


def _run(spec: dict[str, Any], reports: int) -> int:
    from hallmark.twin.programs.container import Container  # noqa: PLC0415  (only the zygote's children need it)

    try:
        program = importlib.import_module(spec["program"])
        code = program.main(Container.of(spec, reports))
    except SystemExit as end:
        code = end.code
    except BaseException as error:  # noqa: BLE001  (what a program raises ends its container, whatever it is)
        # The type and the place; a message could hold a part of the environment.
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        place = f" at line {where.tb_lineno} of {Path(where.tb_frame.f_code.co_filename).name}" if where else ""
        sys.stderr.write(f"fatal error: {type(error).__name__}{place}\n")
        code = CRASHED
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(bool(code))


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux, prctl(2)); end at once if it has died already."""
    _libc_call(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(CRASHED)


def _libc_call(option: int, value: object) -> None:
    if sys.platform == "linux":
        _libc().prctl(option, value, 0, 0, 0)


@functools.cache
def _libc() -> Any:
    """Made before the forks, which then need not make it."""
    return ctypes.CDLL(None)


def _receive(commands: socket.socket) -> tuple[bytes, list[int]]:
    room = socket.CMSG_LEN(DESCRIPTORS * array.array("i").itemsize)
    header, ancillary, _, _ = commands.recvmsg(LENGTH.size, room, socket.MSG_WAITALL)
    descriptors = array.array("i")
    for _, kind, data in ancillary:
        if kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data)
    return header, list(descriptors)


def _exactly(commands: socket.socket, length: int) -> bytes:
    content = bytearray()
    while len(content) < length:
        content += commands.recv(length - len(content)) or b"\0"
    return bytes(content)


def _stop(_signal: int, _frame: types.FrameType | None) -> None:
    raise SystemExit


def main() -> None:
    """Import what programs need, then serve the kubelet."""
    parent, commands, results = (int(each) for each in sys.argv[1:4])
    die_with(parent)
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collector that looked at what is imported would write to it: every container had a copy of its own
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    os.write(results, READY)
    Zygote(socket.socket(fileno=commands), results).run()


if __name__ == "__main__":
    # Isolated: no variable of the person's shell and no folder of theirs decides what is imported.
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    main()
