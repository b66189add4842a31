"""Runs what the parser read, with commands of ours. It cannot start a process: there is no way from here to one."""

import io
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import IO, Any

from hallmark.twin.programs.container import STOPPED, Container
from hallmark.twin.programs.shell.parser import parse
from hallmark.twin.programs.shell.syntax import (
    Chain,
    Choice,
    Each,
    Loop,
    Node,
    Pipe,
    Redirect,
    ShellSyntax,
    Simple,
    expand,
)  # fmt: skip

NOT_FOUND, SYNTAX = 127, 2
"""Exit codes of a shell (POSIX)."""
FOLDERS = frozenset({".", "/app", "/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin"})
SHELLS = frozenset({"sh", "bash", "ash", "dash"})

Command = Callable[["Shell", Sequence[str]], int]


class Exited(Exception):
    """The command ``exit``."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Streams:
    """Where a command reads and writes."""

    input: IO[str]
    output: IO[str]
    errors: IO[str]


@dataclass
class Shell:
    """One shell in a container.

    Attributes:
        container: Where it runs.
        streams: Its standard streams.
        commands: What it knows, by name.
        variables: Its variables.
        folder: The working directory.
    """

    container: Container
    streams: Streams
    commands: Mapping[str, Command]
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = "/"

    def call(self, words: Sequence[str]) -> int:
        """Run one command given as words, as ``exec`` of the kernel would: no expansion.

        Returns:
            Its exit code; 127 if there is no such command.
        """
        name = words[0]
        command = find(self.commands, name)
        if command is None:
            self.error(f"{name}: not found")
            return NOT_FOUND
        try:
            return command(self, words[1:])
        except OSError as error:
            self.error(f"{PurePosixPath(name).name}: {error.filename or ''}: {error.strerror or 'failed'}")
            return 1

    def script(self, text: str) -> int:
        """Run a script and return its exit code."""
        try:
            return self._run(parse(text))
        except ShellSyntax as error:
            self.error(f"syntax error: {error}")
            return SYNTAX
        except Exited as end:
            return end.code

    def error(self, message: str) -> None:
        """Complain."""
        self.streams.errors.write(f"sh: {message}\n")

    def write(self, text: str) -> None:
        """Write to standard output."""
        self.streams.output.write(text)

    def _run(self, node: Node) -> int:
        match node:
            case Simple():
                code = self._simple(node)
            case Pipe(parts):
                code = self._pipe(parts)
            case Chain(parts):
                code = self._chain(parts)
            case Choice(branches, otherwise):
                chosen = next((body for condition, body in branches if self._run(condition) == 0), otherwise)
                code = self._run(chosen)
            case Loop(condition, body, wanted):
                code = 0
                while (self._run(condition) == 0) is wanted:
                    code = self._run(body)
            case Each(name, words, body):
                code = 0
                for word in words:
                    self.variables[name] = expand(word, self.variables)
                    code = self._run(body)
        self.variables["?"] = str(code)
        return code

    def _chain(self, parts: Sequence[tuple[str, Node]]) -> int:
        code = 0
        for operator, part in parts:
            if operator == ";" or (operator == "&&") is (code == 0):
                code = self._run(part)
        return code

    def _pipe(self, parts: Sequence[Node]) -> int:
        streams, code, passed = self.streams, 0, self.streams.input
        try:
            for number, part in enumerate(parts):
                last = number == len(parts) - 1
                output: IO[str] = streams.output if last else io.StringIO()
                self.streams = replace(streams, input=passed, output=output)
                code = self._run(part)
                if not last:
                    output.seek(0)
                    passed = output
        finally:
            self.streams = streams
        return code

    def _simple(self, node: Simple) -> int:
        words = [expand(word, self.variables) for word in node.words]
        while words and "=" in words[0] and words[0].split("=")[0].isidentifier():
            name, _, value = words.pop(0).partition("=")
            self.variables[name] = value
        if not words:
            return 0
        streams = self.streams
        try:
            for redirect in node.redirects:
                self._redirect(redirect)
            return self.call(words)
        except OSError as error:
            self.streams = streams
            self.error(f"can't open {error.filename}: {error.strerror}")
            return 1
        finally:
            for ours, theirs in ((self.streams.output, streams.output), (self.streams.errors, streams.errors)):
                if ours not in {streams.output, streams.errors, theirs}:
                    ours.close()
            self.streams = streams

    def _redirect(self, redirect: Redirect) -> None:
        name = {0: "input", 1: "output", 2: "errors"}.get(redirect.stream, "output")
        if isinstance(redirect.target, int):
            target: Any = self.streams.output if redirect.target == 1 else self.streams.errors
        else:
            target = open_inside(self, expand(redirect.target, self.variables), redirect.mode)
        self.streams = replace(self.streams, **{name: target})


def find(commands: Mapping[str, Command], name: str) -> Command | None:
    """The command of that name or path, if it is one of ours."""
    path = PurePosixPath(name)
    return commands.get(path.name) if str(path.parent) in FOLDERS else None


def open_inside(shell: Shell, name: str, mode: str) -> IO[str]:
    """Open a file of the container.

    Raises:
        OSError: It cannot be opened; the error names the path as the container knows it.
    """
    inside = inside_path(shell, name)
    if inside == "/dev/null":
        return io.StringIO()
    if mode != "<" and any(inside == each or inside.startswith(f"{each}/") for each in shell.container.read_only):
        raise OSError(30, "Read-only file system", inside)
    try:
        return shell.container.path(inside).open(
            {"<": "r", ">": "w", ">>": "a"}[mode], encoding="utf-8", errors="replace"
        )
    except OSError as error:
        raise OSError(error.errno, error.strerror, inside) from None


def inside_path(shell: Shell, name: str) -> str:
    """A path as the container knows it, absolute."""
    return str(PurePosixPath("/") / PurePosixPath(shell.folder) / name)


def interact(shell: Shell, prompt: str) -> int:
    """Read lines and run each, until there are no more; what ``kubectl exec -it`` gets.

    Args:
        shell: The shell.
        prompt: Written before each line; empty when nobody types.
    """
    code = 0
    while True:
        with suppress(KeyboardInterrupt):
            shell.write(prompt)
            shell.streams.output.flush()
            line = shell.streams.input.readline()
            if not line:
                return code
            try:
                code = shell._run(parse(line))  # noqa: SLF001  (its own module)
            except ShellSyntax as error:
                shell.error(f"syntax error: {error}")
                code = SYNTAX
            except Exited as end:
                return end.code


def here(container: Container, commands: Mapping[str, Command]) -> Shell:
    """A shell on this process' own standard streams."""
    return Shell(container, Streams(sys.stdin, sys.stdout, sys.stderr), commands, dict(container.environment))


def main(container: Container) -> int:
    """Run the container's command, or what ``kubectl exec`` asked for."""
    from hallmark.twin.programs.shell.commands import known  # noqa: PLC0415  (commands need the shell's names)

    container.on_stop(STOPPED)
    shell = here(container, known(container))
    try:
        return shell.call(container.arguments)
    except Exited as end:
        return end.code
    except KeyboardInterrupt:
        return 130
