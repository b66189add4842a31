"""The twin survives anything: every process is killed at any moment, and the next `up` makes it whole again."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hallmark.twin import kubernetes, process, workers
from hallmark.twin.files import is_held

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("survival")]
Clones = Callable[[], Any]
Wait = Callable[..., Any]
AWS, API = "hallmark.twin.aws.server", "hallmark.twin.cluster.server"
CONTROLLERS, KUBELET = "hallmark.twin.controllers.main", "hallmark.twin.kubelet.main"
STORES, EDGE = "hallmark.twin.stores.main", "hallmark.twin.edge.main"
PARTS = (AWS, API, CONTROLLERS, KUBELET, STORES, EDGE)


class Survivor:
    """A twin that things happen to.

    Args:
        clone: The project it is of.
        person: Somebody who works on it.
        processes: Its processes.
        wait_for: Waits for a consequence.
    """

    def __init__(self, clone: Any, person: Any, processes: Any, wait_for: Wait) -> None:
        self.clone = clone
        self.person = person
        self.processes = processes
        self._wait_for = wait_for

    def up(self) -> str:
        """Bring it up as a person does; it has to come up."""
        done = self.clone.run("twin", "up")
        assert done.returncode == 0, done.stderr
        return str(done.stderr)

    def kill(self, module: str) -> None:
        """Kill a part."""
        os.kill(self.processes.pid(module), signal.SIGKILL)

    def begin(self, line: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and wait until it says a line."""
        command: subprocess.Popen[str] = self.clone.start(*arguments)
        assert command.stderr
        heard = next((each for each in command.stderr if line in each), None)
        assert heard, "the command ended before"
        return command

    def end(self, command: subprocess.Popen[str]) -> None:
        """Let a command come to whatever end it finds; a person loses patience after a while."""
        try:
            command.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            command.send_signal(signal.SIGINT)
            command.communicate(timeout=60)

    def is_whole(self) -> bool:
        """One process of each part and none besides, and every pod at work."""
        self._wait_for(lambda: self._parts() == dict.fromkeys(PARTS, 1))
        return bool(self._wait_for(self._is_ready))

    def passes(self) -> bool:
        """Whether the grader misses nothing."""
        graded = self.clone.run("grade", "deploy-langsmith")
        assert graded.returncode == 0, graded.stdout + graded.stderr
        return True

    def is_gone(self, session: int) -> bool:
        """No process of it is left; one that has just been told to end may need a moment."""
        left = self.processes.containers
        return bool(self._wait_for(lambda: not self._parts() and not left(session) and not self.processes.servers()))

    def _parts(self) -> dict[str, int]:
        return {module: len(pids) for module, pids in self.processes.parts().items()}

    def _is_ready(self) -> bool:
        pods = [each for each in self.person.list("pods") if each["status"].get("phase") != "Succeeded"]
        conditions = [each["status"].get("conditions") or [] for each in pods]
        return len(pods) > 10 and all({"Ready": "True"}.items() <= _statuses(each).items() for each in conditions)


def _statuses(conditions: list[dict[str, str]]) -> dict[str, str]:
    return {each["type"]: each["status"] for each in conditions}


@pytest.fixture(scope="module")
def make(clone: Clones, wait_for: Wait, watched: Callable[[Any], tuple[Any, Any]]) -> Callable[[], Survivor]:
    """Make twins that are down."""

    def new() -> Survivor:
        made = clone()
        return Survivor(made, *watched(made), wait_for)

    return new


@pytest.fixture(scope="module")
def twin(make: Callable[[], Survivor]) -> Iterator[Survivor]:
    """A twin that is up and whole, however often it was killed."""
    survivor = make()
    survivor.up()
    yield survivor
    survivor.clone.twin.down()


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back(twin: Survivor, part: str) -> None:
    """The next `up` starts it again; what died with it is back, too, and nothing is left over."""
    before, session = twin.processes.pid(part), twin.processes.session
    twin.kill(part)

    twin.up()

    assert twin.processes.pid(part) != before
    assert twin.is_whole()
    assert twin.passes()
    assert session == twin.processes.session or not twin.processes.containers(session)


def test_a_killed_container_is_started_again(twin: Survivor, wait_for: Wait) -> None:
    """Nobody has to do anything; the pod tells of its restart."""

    def restarts() -> int:
        statuses = [each for pod in twin.person.list("pods") for each in pod["status"].get("containerStatuses") or []]
        return sum(each["restartCount"] for each in statuses)

    before, session = restarts(), twin.processes.session
    for pid in twin.processes.containers(session):
        os.kill(pid, signal.SIGKILL)

    wait_for(lambda: restarts() > before)
    twin.up()
    assert twin.is_whole()


def test_parts_that_do_not_answer_are_replaced(twin: Survivor, monkeypatch: pytest.MonkeyPatch) -> None:
    """They live, and that is all."""
    for module in (kubernetes, workers):
        monkeypatch.setattr(module, "ANSWERS_WITHIN", 2.0)
    monkeypatch.setattr(process, "RESPONDS_WITHIN", 2.0)
    wedged = {part: twin.processes.pid(part) for part in (API, CONTROLLERS, KUBELET, STORES, EDGE)}
    for pid in wedged.values():
        os.kill(pid, signal.SIGSTOP)

    twin.clone.twin.up()

    assert not wedged.items() & {part: twin.processes.pid(part) for part in wedged}.items()
    assert twin.is_whole()


@pytest.mark.parametrize("part", [AWS, API, KUBELET])
def test_a_part_killed_during_a_reset(twin: Survivor, part: str) -> None:
    """Whatever the reset came to, the next `up` ends in the whole architecture."""
    command = twin.begin("Bringing back the whole architecture.", "twin", "reset")
    twin.kill(part)
    twin.end(command)

    twin.up()

    assert twin.is_whole()


@pytest.mark.parametrize("part", [AWS, API])
def test_a_part_killed_during_a_snapshot(twin: Survivor, part: str) -> None:
    """There is a whole snapshot or none."""
    command = twin.clone.start("twin", "snapshot", "mine")
    while not is_held(twin.processes.state / "command.lock"):
        assert command.poll() is None, "the command ended before"
    twin.kill(part)
    twin.end(command)

    twin.up()

    assert twin.is_whole()
    if "mine" in twin.clone.twin.snapshots():
        twin.clone.twin.restore("mine")
    assert twin.passes()


def test_everything_listens_on_loopback_only(twin: Survivor) -> None:
    """Nobody else on the network can reach any part or any pod."""
    listeners = twin.processes.listeners()
    outside = [each for each in listeners if not _is_loopback(each)]

    assert len(listeners) > 20
    assert outside == []


def _is_loopback(local: str) -> bool:
    address = bytes.fromhex(local.partition(":")[0])
    if len(address) == 4:
        return address[::-1][0] == 127  # little-endian words
    words = b"".join(address[i : i + 4][::-1] for i in range(0, 16, 4))
    return words == socket.inet_pton(socket.AF_INET6, "::1")


def test_two_twins_do_not_disturb_each_other(twin: Survivor, make: Callable[[], Survivor]) -> None:
    """Each has its own ports, account, cluster and processes; the end of one is nothing to the other."""
    other = make()
    other.up()
    ours, theirs = twin.clone.twin, other.clone.twin
    assert ours.endpoint != theirs.endpoint
    assert ours.status().kubernetes != theirs.status().kubernetes
    assert ours.environment()["KUBECONFIG"] != theirs.environment()["KUBECONFIG"]
    assert not set(twin.processes.listeners()) & set(other.processes.listeners())

    other.person.kubectl("delete", "deployment", "langsmith-playground")
    made = theirs.clients("sns").create_topic(Name="theirs")
    assert twin.person.get("deployment", "langsmith-playground")
    assert made["TopicArn"] not in [each["TopicArn"] for each in ours.clients("sns").list_topics()["Topics"]]

    session = other.processes.session
    other.clone.twin.down()
    assert other.is_gone(session)
    assert twin.is_whole()


def test_a_second_step_that_fails_can_be_made_again(make: Callable[[], Survivor]) -> None:
    """A wrong chart is named and leaves nothing that runs; an API killed in the middle leaves nothing that stays."""
    twin = make()
    (twin.processes.state / "snapshots" / "deployed.zip").unlink()
    failed = twin.clone.run("twin", "up", environment={"HALLMARK_CHART": "/no/such/chart"})
    assert failed.returncode == 2
    assert "/no/such/chart is no chart: there is no such file or folder." in failed.stderr
    assert twin.is_gone(0)

    command = twin.begin("Installing the release with Helm.", "twin", "up")
    twin.kill(API)
    twin.end(command)

    twin.up()
    assert twin.is_whole()
    assert twin.passes()
    session = twin.processes.session
    twin.clone.twin.down()
    assert twin.is_gone(session)
