"""LangSmith's own name for one command: a table of hosts that this command and its children see, and nobody else.

Linux gives a process a view of the file system of its own, see mount_namespaces(7) and user_namespaces(7): in that
view another file lies over ``/etc/hosts``. Nothing on the machine changes, and no root is needed.
"""

import ctypes
import hashlib
import os
import re
import signal
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin.clients import Clients
from hallmark.twin.edge import reading
from hallmark.twin.edge.names import Unresolved, resolve
from hallmark.twin.entrance import OTHER_WAY, Entrance
from hallmark.twin.files import write

HOSTS = Path("/etc/hosts")
PLAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
"""Names that a table of hosts can hold: no wildcards."""
PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})
NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000
BIND, RECURSIVE, SLAVE = 0x1000, 0x4000, 0x80000
"""Flags of unshare(2) and mount(2)."""


def names(clients: Clients) -> list[str]:
    """Names of the public hosted zones that lead to a load balancer."""
    zones, balancers = reading.zones(clients), reading.balancers(clients)

    def leads(name: str) -> bool:
        with suppress(Unresolved):
            return resolve(name, zones) in balancers
        return False

    found = {name for zone in zones if not zone.private for name, _ in zone.records}
    return sorted(name for name in found if PLAIN.fullmatch(name) and leads(name))


def table(present: str, address: str, found: Iterable[str]) -> str:
    """A table of hosts: these names before all that is there, for the first line of a name counts."""
    own = [f"{address} {name}\n" for name in found]
    return "".join([*own, *(line for line in present.splitlines(keepends=True) if line not in own)])


def environment(given: Mapping[str, str], entrance: Entrance, key: str, found: Iterable[str]) -> dict[str, str]:
    """Variables of a command that uses the names.

    Args:
        given: Those of this process; the twin's proxy is taken out, one of somebody else is told to keep out.
        entrance: The way in.
        key: Of LangSmith's API.
        found: The names.
    """
    kept = {name: value for name, value in given.items() if name.lower() not in PROXIES or value != entrance.proxy}
    if PROXIES & {name.lower() for name in kept}:
        before = kept.get("no_proxy") or kept.get("NO_PROXY") or ""
        beside = ",".join(filter(None, (before, "127.0.0.1", "localhost", *found)))
        kept |= {"no_proxy": beside, "NO_PROXY": beside}
    return kept | entrance.by_name(key)


def run(
    command: Sequence[str], variables: Mapping[str, str], folder: Path, address: str, found: Sequence[str]
) -> NoReturn:
    """Become a command for which names lead to an address: signals and exit code are its own.

    Args:
        command: Program and arguments.
        variables: Its environment.
        folder: Where to keep the table of hosts.
        address: Where the names lead.
        found: The names.

    Raises:
        EnvironmentFault: The machine does not allow it.
        UsageError: There is no such program, or it cannot be run.
    """
    enter(_kept(folder, address, found))
    _check(address, found)
    sys.stdout.flush()
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, and then by what it becomes
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execvpe(command[0], list(command), variables)  # noqa: S606  (a list, never a shell string)
    except OSError as error:
        raise UsageError(f"Cannot run {command[0]}: {error.strerror}.", "hallmark twin run --help") from error


def enter(file: Path) -> None:
    """Have this process see a file as ``/etc/hosts``, and its children with it; there is no way back.

    Raises:
        EnvironmentFault: The machine does not allow it, or is no Linux.
    """
    if sys.platform != "linux":
        raise _refused(f"{sys.platform} has no namespaces")
    try:
        _unshare()
        # What others mount is still seen here; what is mounted here is seen by nobody else.
        _call("mount", None, b"/", None, RECURSIVE | SLAVE, None)
        _call("mount", os.fsencode(file), os.fsencode(HOSTS), None, BIND, None)
    except OSError as error:
        raise _refused(error.strerror or str(error)) from error


def _unshare() -> None:
    """Leave the common view: at once for who may, else as a user who may in a namespace of its own."""
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", NEW_MOUNTS)
    except PermissionError:
        _call("unshare", NEW_MOUNTS | NEW_USER)
        for name, content in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            Path("/proc/self", name).write_text(content, encoding="utf-8")


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)  # Python has unshare since 3.12, and no mount
    if getattr(libc, name)(*arguments):
        raise OSError(number := ctypes.get_errno(), os.strerror(number))


def _kept(folder: Path, address: str, found: Iterable[str]) -> Path:
    """The table as a file that is never replaced: over one that is gone, a command could lay no other."""
    try:
        present = HOSTS.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise _refused(f"{HOSTS}: {error.strerror}") from error
    content = table(present, address, found)
    file = folder / hashlib.sha256(content.encode()).hexdigest()[:16]
    if not file.exists():
        write(file, content)
        file.chmod(0o644)  # the command may be one that becomes another user
    return file


def _check(address: str, found: Iterable[str]) -> None:
    """See that the machine's resolver reads the table; some ask a service first that sees the machine's own."""
    with suppress(OSError):
        if all(socket.gethostbyname(name) == address for name in found):
            return
    raise _refused(f"its resolver does not read {HOSTS}")


def _refused(why: str) -> EnvironmentFault:
    return EnvironmentFault(f"This machine gives a command no names of its own ({why}); use the proxy.", OTHER_WAY)
