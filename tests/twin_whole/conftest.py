"""One twin with the release installed, and a person at its tools: `kubectl`, Helm, boto3 at the endpoint."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.deployment import kubectl
from hallmark.twin.release import locate
from hallmark.twin.supervisor import Twin
from hallmark.waiting import until

PATIENCE = 60.0
"""Seconds for any consequence on a slow, busy machine."""
NAMESPACE = "langsmith"
Clones = Callable[[], Any]


@dataclass(frozen=True)
class Person:
    """Somebody who works on a twin.

    Attributes:
        twin: The twin.
    """

    twin: Twin

    def run(self, *command: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a shell that points at the twin."""
        variables = {**os.environ, **self.twin.environment(), **environment}
        return subprocess.run(
            command, input=stdin, env=variables, capture_output=True, text=True, timeout=180, check=False
        )

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run `kubectl` in the release's namespace, and say what it says."""
        return _ok(self.run(kubectl(), "-n", NAMESPACE, *arguments, stdin=stdin))

    def get(self, kind: str, name: str) -> Any:
        """One object; None if there is none of this name."""
        text = self.kubectl("get", kind, name, "--ignore-not-found", "-o", "json")
        return json.loads(text) if text.strip() else None

    def list(self, kind: str, *selector: str) -> Any:
        """Objects of a kind."""
        return json.loads(self.kubectl("get", kind, *selector, "-o", "json"))["items"]

    def again(self, kind: str, name: str) -> None:
        """Delete an object and create it anew, as from its manifest."""
        thing = self.get(kind, name)
        own = ("labels", "annotations", "name", "namespace")
        thing["metadata"] = {key: value for key, value in thing["metadata"].items() if key in own}
        self.kubectl("delete", kind, name)
        self.kubectl("create", "-f", "-", stdin=json.dumps(thing))

    def upgrade(self, *settings: str) -> None:
        """Change values of the release as `helm upgrade --reuse-values` does."""
        sets = [word for each in settings for word in ("--set", each)]
        chart = locate.offline().reference
        command = ("upgrade", NAMESPACE, chart, "-n", NAMESPACE, "--reuse-values", *sets)
        _ok(self.run(sys.executable, "-m", "hallmark.twin.release", *command))

    def aws(self, service: str) -> Any:
        """Give a boto3 client."""
        return self.twin.clients(service)

    def patch(self, what: str, change: Any, kind: str = "merge") -> None:
        """Patch an object, named as `kind/name`."""
        self.kubectl("patch", what, "--type", kind, "-p", json.dumps(change))

    def restart(self, workload: str) -> None:
        """Roll a workload and wait for it, named as `kind/name`; kubectl refuses two restarts within a second."""
        command = (kubectl(), "-n", NAMESPACE, "rollout", "restart", workload)
        eventually(lambda: "within the past second" not in self.run(*command).stderr)
        self.kubectl("rollout", "status", workload, f"--timeout={PATIENCE:.0f}s")

    def pods(self, component: str) -> Any:
        """Pods of one component of the release."""
        return self.list("pods", "-l", f"app.kubernetes.io/component=langsmith-{component}")

    def events(self, about: str) -> Any:
        """Reasons and messages of the events of an object, by its name."""
        found = self.list("events", "--field-selector", f"involvedObject.name={about}")
        return [(each["reason"], each["message"]) for each in found]

    def secret(self, name: str, key: str) -> str:
        """One value of a Secret."""
        return base64.b64decode(self.get("secret", name)["data"][key]).decode()

    @property
    def hostname(self) -> str:
        """Name of the load balancer, from the Ingress; empty while there is none."""
        ingress = self.get("ingress", "langsmith-ingress") or {}
        found = ingress.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
        return str(found[0].get("hostname", ""))

    @property
    def balancer(self) -> str:
        """ARN of the load balancer that the Ingress names."""
        every = self.aws("elbv2").describe_load_balancers()["LoadBalancers"]
        return str(next(each["LoadBalancerArn"] for each in every if each["DNSName"] == self.hostname))


def _ok(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, f"{' '.join(done.args[-6:])}: {done.stderr}"
    return done.stdout


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for a consequence; it has to come."""
    found = until(condition, seconds, pause=0.2)
    assert found
    return found


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., Any]:
    """Wait for a consequence; it has to come."""
    return eventually


@pytest.fixture(scope="session")
def deployed(clone: Clones) -> Iterator[Person]:
    """A person at a twin that is up and has the release."""
    made = clone()
    made.twin.up()
    yield Person(made.twin)
    made.twin.down()


@pytest.fixture
def person(deployed: Person) -> Person:
    """The same, with everything as it was built."""
    deployed.twin.reset()
    return deployed


@dataclass(frozen=True)
class Processes:
    """The processes of one twin, as the kernel knows them.

    Attributes:
        state: The twin's state directory.
    """

    state: Path

    def parts(self) -> dict[str, list[int]]:
        """Process ids by module, of every process that was started for this state directory."""
        found: dict[str, list[int]] = {}
        for pid, words in _commands():
            module = _ours(words)
            if module and any(Path(word).is_relative_to(self.state) for word in words):
                found.setdefault(module, []).append(pid)
        return found

    def pid(self, module: str) -> int:
        """The one process of a module."""
        (found,) = self.parts()[module]
        return found

    @property
    def session(self) -> int:
        """The session that all containers of the kubelet are in; 0 without one."""
        record = self.state / "cluster" / "zygote.json"
        return int(json.loads(record.read_text())["pid"]) if record.exists() else 0

    def containers(self, session: int) -> list[int]:
        """Processes of a session, without the one that starts them; none for 0, which is the kernel's own."""
        if not session:
            return []
        return [pid for pid, _ in _commands() if pid != session and _stat(pid)[3:4] == [str(session)]]

    def servers(self) -> list[int]:
        """Servers of the data stores, known by where they log: their command lines tell nothing."""
        logs = str(self.state / "stores" / "data")
        return [pid for pid, words in _commands() if not _ours(words) and _output(pid).startswith(logs)]

    def all(self) -> list[int]:
        """Every process of the twin."""
        containers = [self.session, *self.containers(self.session)] if self.session else []
        return [*containers, *self.servers(), *(pid for pids in self.parts().values() for pid in pids)]

    def listeners(self) -> list[str]:
        """Local addresses, in hexadecimal, on which processes of the twin listen."""
        sockets = {each for pid in self.all() for each in _sockets(pid)}
        rows = [line.split() for name in ("tcp", "tcp6") for line in _lines(Path("/proc/net") / name)[1:]]
        return [row[1] for row in rows if row[3] == LISTENING and row[9] in sockets]


LISTENING = "0A"
"""State of a listening socket in /proc/net/tcp, see proc_pid_net(5)."""


def _output(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/fd/1").readlink())
    except OSError:
        return ""


def _ours(words: list[str]) -> str:
    return next((word for word in words if word.startswith("hallmark.twin.")), "")


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(errors="replace").splitlines()
    except OSError:
        return []


def _commands() -> Iterator[tuple[int, list[str]]]:
    """Processes that live, with their command lines."""
    for folder in Path("/proc").glob("[0-9]*"):
        words = "".join(_lines(folder / "cmdline")).split("\0")
        if _stat(int(folder.name))[:1] not in ([], ["Z"], ["X"]):
            yield int(folder.name), words


def _stat(pid: int) -> list[str]:
    # The name in brackets may hold anything; fields are counted after it.
    return "".join(_lines(Path("/proc") / str(pid) / "stat")).rpartition(")")[2].split()


def _sockets(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for each in (Path("/proc") / str(pid) / "fd").iterdir():
            with suppress(OSError):
                name = str(each.readlink())
                if name.startswith("socket:["):
                    yield name.removeprefix("socket:[").removesuffix("]")


@pytest.fixture(scope="session")
def watched() -> Callable[[Any], tuple[Person, Processes]]:
    """Somebody who works on the twin of a clone, and its processes."""
    return lambda made: (Person(made.twin), Processes((made.home / "twin").resolve()))
