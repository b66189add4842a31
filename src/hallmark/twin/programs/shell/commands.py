"""The commands of the shell: each a small function, most of them a shadow of the real one.

They see the container and nothing else: its variables, the files mounted into it, the names of its cluster.
"""

import importlib
import operator
import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.shell import network
from hallmark.twin.programs.shell.interpreter import (
    SHELLS,
    SYNTAX,
    Command,
    Exited,
    Shell,
    find,
    inside_path,
    interact,
    open_inside,
)  # fmt: skip

STRINGS = {"=": operator.eq, "==": operator.eq, "!=": operator.ne}
NUMBERS = {f"-{name}": getattr(operator, name) for name in ("eq", "ne", "gt", "lt", "ge", "le")}


def known(container: Container) -> Mapping[str, Command]:
    """The commands of a container: those of its program, and the shell's unless its image has none."""
    module = container.settings.get("commands") or container.settings["program"]
    own = getattr(importlib.import_module(module), "COMMANDS", {})
    return {**(COMMANDS if container.settings.get("shell", True) else {}), **own}


def sh(shell: Shell, words: Sequence[str]) -> int:
    """``sh -c SCRIPT``, or an interactive shell."""
    options = [each for each in words if each.startswith("-")]
    rest = [each for each in words if not each.startswith("-")]
    if any("c" in each.lstrip("-") for each in options):
        return shell.script(rest[0]) if rest else SYNTAX
    if rest:
        shell.error(f"can't open '{rest[0]}': No such file or directory")
        return SYNTAX
    return interact(shell, "/ # " if shell.container.settings.get("tty") else "")


def exec_(shell: Shell, words: Sequence[str]) -> int:
    """``exec``: here the same as running the command and leaving."""
    raise Exited(shell.call(words) if words else 0)


def exit_(shell: Shell, words: Sequence[str]) -> int:
    """``exit [N]``."""
    given = words[0] if words else shell.variables.get("?", "0")
    raise Exited(int(given) % 256 if given.isdigit() else SYNTAX)


def env(shell: Shell, words: Sequence[str]) -> int:
    """``env``."""
    if words:
        return shell.call(words)
    shell.write("".join(f"{name}={value}\n" for name, value in shell.container.environment.items()))
    return 0


def printenv(shell: Shell, words: Sequence[str]) -> int:
    """``printenv [NAME…]``."""
    if not words:
        return env(shell, words)
    found = [shell.container.environment.get(name) for name in words]
    shell.write("".join(f"{value}\n" for value in found if value is not None))
    return int(None in found)


def echo(shell: Shell, words: Sequence[str]) -> int:
    """``echo [-n] [-e] …``."""
    flags = [each for each in words[:2] if re.fullmatch("-[ne]+", each)]
    text = " ".join(words[len(flags) :])
    if any("e" in each for each in flags):
        text = text.replace("\\n", "\n").replace("\\t", "\t")
    shell.write(text if any("n" in each for each in flags) else f"{text}\n")
    shell.streams.output.flush()
    return 0


def sleep(shell: Shell, words: Sequence[str]) -> int:
    """``sleep N``; the length is real, whatever the twin's speed."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)|(infinity)", words[0] if words else "")
    if not found:
        shell.streams.errors.write(f"sleep: invalid number '{words[0] if words else ''}'\n")
        return 1
    if found[3]:
        shell.container.forever()
    shell.streams.output.flush()
    seconds = float(found[1]) * units[found[2] or "s"]
    # The whole length, in parts: a thread's wait has an upper limit.
    while seconds > 0:
        Container.pause(_unhurried(shell.container), min(seconds, 3600))
        seconds -= 3600
    return 0


def ls(shell: Shell, words: Sequence[str]) -> int:
    """``ls [-l] [PATH…]``."""
    long = any(each.startswith("-") and "l" in each for each in words)
    code = 0
    for name in [each for each in words if not each.startswith("-")] or ["."]:
        inside = inside_path(shell, name)
        place = shell.container.path(inside)
        if not place.exists():
            shell.streams.errors.write(f"ls: {name}: No such file or directory\n")
            code = 1
            continue
        entries = sorted(each.name for each in place.iterdir()) if place.is_dir() else [name]
        for entry in entries:
            size = (place / entry).stat().st_size if place.is_dir() else place.stat().st_size
            shell.write(f"{size:>10} {entry}\n" if long else f"{entry}\n")
    return code


def cat(shell: Shell, words: Sequence[str]) -> int:
    """``cat [FILE…]``."""
    if not words:
        shell.write(shell.streams.input.read())
        return 0
    code = 0
    for name in words:
        try:
            with open_inside(shell, name, "<") as opened:
                shell.write(opened.read())
        except OSError as error:
            shell.streams.errors.write(f"cat: can't open '{name}': {error.strerror}\n")
            code = 1
    return code


def grep(shell: Shell, words: Sequence[str]) -> int:
    """``grep [-i] [-v] [-E] PATTERN [FILE]``."""
    flags = "".join(each for each in words if each.startswith("-"))
    rest = [each for each in words if not each.startswith("-")]
    try:
        pattern = re.compile(rest[0], re.IGNORECASE if "i" in flags else 0)
    except (IndexError, re.error):
        shell.streams.errors.write("grep: bad regex\n")
        return SYNTAX
    text = shell.streams.input.read() if len(rest) == 1 else open_inside(shell, rest[1], "<").read()
    found = [line for line in text.splitlines() if bool(pattern.search(line)) is not ("v" in flags)]
    if "q" not in flags:
        shell.write("".join(f"{line}\n" for line in found))
    return int(not found)


def test(shell: Shell, words: Sequence[str]) -> int:
    """``test`` and ``[``: files, strings and numbers."""
    rest = list(words[:-1] if words and words[-1] == "]" else words)
    if rest[:1] == ["!"]:
        return int(test(shell, rest[1:]) == 0)
    truth = _truth(shell, rest)
    if truth is None:
        shell.error("test: unknown operand")
        return SYNTAX
    return int(not truth)


def _truth(shell: Shell, words: Sequence[str]) -> bool | None:
    match list(words):
        case ["-n", text] | [text]:
            return bool(text)
        case ["-z", text]:
            return not text
        case [("-f" | "-e" | "-d" | "-s" | "-r") as flag, name]:
            place = shell.container.path(inside_path(shell, name))
            return {"-d": place.is_dir, "-f": place.is_file}.get(flag, place.exists)()
        case [left, how, right] if how in STRINGS:
            return bool(STRINGS[how](left, right))
        case [left, how, right] if how in NUMBERS and left.isdigit() and right.isdigit():
            return bool(NUMBERS[how](int(left), int(right)))
    return None


def cd(shell: Shell, words: Sequence[str]) -> int:
    """``cd [PATH]``."""
    inside = os.path.normpath(inside_path(shell, words[0] if words else "/"))
    if not shell.container.path(inside).is_dir():
        shell.error(f"cd: can't cd to {words[0]}: No such file or directory")
        return SYNTAX
    shell.folder = inside
    return 0


def export(shell: Shell, words: Sequence[str]) -> int:
    """``export NAME=VALUE``."""
    shell.variables.update(each.split("=", 1) for each in words if "=" in each)  # type: ignore[misc]  # two parts each
    return 0


def which(shell: Shell, words: Sequence[str]) -> int:
    """``which NAME``."""
    for name in words:
        if find(shell.commands, name):
            shell.write(f"/bin/{PurePosixPath(name).name}\n")
    return int(not all(find(shell.commands, name) for name in words))


def ps(shell: Shell, _: Sequence[str]) -> int:
    """``ps``: the container's own process."""
    shell.write(
        f"PID   USER     TIME  COMMAND\n    1 root      0:00 {shell.container.settings.get('title', 'program')}\n"
    )
    return 0


def _said(text: str) -> Command:
    def command(shell: Shell, _: Sequence[str]) -> int:
        shell.write(f"{text.format(shell=shell)}\n")
        return 0

    return command


def _ends(code: int) -> Command:
    return lambda _shell, _words: code


def _date(shell: Shell, _: Sequence[str]) -> int:
    shell.write(datetime.now(UTC).strftime("%a %b %e %H:%M:%S UTC %Y\n"))
    return 0


def _unhurried(container: Container) -> Container:
    from dataclasses import replace  # noqa: PLC0415  (only a command that sleeps needs it)

    return replace(container, speed=1.0)


COMMANDS: dict[str, Command] = {
    **dict.fromkeys(SHELLS, sh),
    **network.COMMANDS,
    "[": test,
    ":": _ends(0),
    "cat": cat,
    "cd": cd,
    "date": _date,
    "echo": echo,
    "env": env,
    "exec": exec_,
    "exit": exit_,
    "export": export,
    "false": _ends(1),
    "grep": grep,
    "hostname": _said("{shell.container.pod}"),
    "id": _said("uid=0(root) gid=0(root) groups=0(root)"),
    "ls": ls,
    "printenv": printenv,
    "ps": ps,
    "pwd": _said("{shell.folder}"),
    "set": _ends(0),
    "sleep": sleep,
    "sync": _ends(0),
    "test": test,
    "true": _ends(0),
    "which": which,
    "whoami": _said("root"),
}
