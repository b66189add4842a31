"""Ctrl-C at any moment, a full disk, a taken port: one sentence, the right exit code, nothing half-written.

A moment is an event inside the command itself (an import, a connection, a file that is opened or renamed), told by
Python's audit hooks: the command interrupts its own process group there, as a terminal would. So no test waits for a
time and hopes.
"""

import json
import os
import resource
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from hallmark import catalog
from hallmark.errors import UsageError
from hallmark.faults import runner
from hallmark.twin import emulator, kubernetes
from hallmark.twin.files import is_held
from hallmark.twin.kube import once
from hallmark.twin.kube.access import Access
from hallmark.twin.process import is_free
from hallmark.waiting import until

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("interrupted")]
LABS = catalog.labs(Path(__file__).parents[1])
WHOLE = next(lab.id for lab in LABS if lab.start == "baseline")
"""It installs the release: its checks ask AWS and the cluster, and all are passed on a new twin."""
FAULTY = "edge-waf-rate-limit"
WITH_FILES = next(lab.id for lab in LABS if lab.start == "current")
FILES = ["evidence.json", "scorecard.html", "scorecard.json", "scorecard.xml"]

CTRL_C = """
import os, re, signal, sys

def press(event, arguments):
    if press.left and re.match(os.environ["PRESS_AT"], f"{event} {arguments}"):
        press.left -= 1
        if not press.left:
            open(os.environ["PRESSED"], "w").close()
            os.killpg(os.getpgrp(), signal.SIGINT)

press.left = 0 if "-m" in sys.orig_argv else int(os.environ["PRESS_TIME"])
sys.addaudithook(press)
"""
"""Python reads it at its start. The twin's processes and the watchdog are modules run with -m: they press nothing."""


@pytest.fixture
def press(tmp_path: Path) -> Callable[..., CompletedProcess[str]]:
    """Run a command and press Ctrl-C at an event, at its first or a later time; then look at what it left."""
    (tmp_path / "sitecustomize.py").write_text(CTRL_C)
    pressed = tmp_path / "pressed"

    def run(mine: Any, at: str, *arguments: str, time: int = 1) -> CompletedProcess[str]:
        pressed.unlink(missing_ok=True)
        path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
        settings = {"PYTHONPATH": path, "PRESS_AT": at, "PRESS_TIME": str(time), "PRESSED": str(pressed)}
        done: CompletedProcess[str] = mine.run(*arguments, environment=settings)
        assert pressed.exists(), f"{at} never happened: {done.stdout}{done.stderr}"
        _was_interrupted(done.returncode, done.stderr)
        assert partial(mine.root) == []
        return done

    return run


def _was_interrupted(code: int | None, remarks: str) -> None:
    assert code == 130, remarks
    assert "Traceback" not in remarks, remarks
    assert remarks.count("Interrupted.") == 1, remarks


def partial(folder: Path) -> list[str]:
    """Files that somebody began to write and did not finish; writing happens under a name with a dot before it."""
    own = {".hallmark", ".terraform.lock.hcl"}
    return [str(file) for file in folder.rglob(".*") if file.name not in own and ".terraform" not in file.parts]


@pytest.fixture(scope="module")
def system(clone: Callable[[], Any]) -> Any:
    """A clone whose twin is up and holds the whole architecture."""
    mine = clone()
    assert mine.run("twin", "up").returncode == 0
    return mine


GRADING = [
    ("import .*'click'", 1),
    ("import .*'boto3'", 1),
    ("import .*'kubernetes.client'", 1),
    (r"open .*graders/.*/test_release.py", 1),
    (r"socket\.connect ", 1),
    (r"socket\.connect ", 30),
    (r"open .*\.evidence\.json\.", 1),
    (r"os\.rename .*scorecard\.html", 1),
]


def test_a_grade_can_be_interrupted(system: Any, press: Any) -> None:
    """While it loads, asks and writes: each file is the old one or the new one, and the next grade is whole."""
    folder = system.home / "grades" / WHOLE
    for at, time in GRADING:
        press(system, at, "grade", WHOLE, time=time)
        for file in folder.glob("*.json"):
            json.loads(file.read_text())

    assert system.run("grade", WHOLE).returncode == 0
    assert sorted(file.name for file in folder.iterdir()) == FILES


def test_a_check_that_is_interrupted_is_no_grade(system: Any, clone: Callable[[], Any], tmp_path: Path) -> None:
    """Interrupted between two checks, what was judged so far is not a scorecard, and surely not a pass."""
    other = clone()
    body = '''"""Two checks; Ctrl-C in the second."""
import os
import signal

import pytest


@pytest.mark.check("NET-1", points=1, why="x")
def test_first(network):
    """First."""


@pytest.mark.check("NET-1", points=1, why="x")
def test_second(network):
    """Second."""
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.check("NET-1", points=1, why="x")
def test_third(network):
    """Third."""
'''
    shutil.rmtree(other.root / "graders" / FAULTY)
    (other.root / "graders" / FAULTY).mkdir()
    (other.root / "graders" / FAULTY / "test_it.py").write_text(body)
    evidence = tmp_path / "evidence.json"
    assert system.run("collect", FAULTY, "-o", str(evidence)).returncode == 0

    done = other.run("grade", FAULTY, "--evidence", str(evidence))

    assert (done.returncode, done.stdout) == (130, "")
    assert not (other.home / "grades").exists()


def test_a_grader_that_is_interrupted_while_it_loads_is_no_grade(
    clone: Callable[[], Any], system: Any, tmp_path: Path
) -> None:
    """A file of the grader that was not read is not a file without checks."""
    other = clone()
    (other.root / "graders" / FAULTY / "test_zz.py").write_text(
        "import os\nimport signal\n\nos.kill(os.getpid(), signal.SIGINT)\n"
    )
    evidence = tmp_path / "evidence.json"
    assert system.run("collect", FAULTY, "-o", str(evidence)).returncode == 0

    done = other.run("grade", FAULTY, "--evidence", str(evidence))

    assert (done.returncode, done.stdout, done.stderr.count("Interrupted.")) == (130, "", 1)


def test_collecting_can_be_interrupted(system: Any, press: Any, tmp_path: Path) -> None:
    """The file that was there before is still there, untouched; the next collection replaces it."""
    file = tmp_path / "mine.json"
    file.write_text("what was there before")

    for at, time in ((r"socket\.connect ", 1), (r"socket\.connect ", 20), (r"os\.rename .*mine\.json", 1)):
        press(system, at, "collect", WHOLE, "-o", str(file), time=time)
        assert file.read_text() == "what was there before"
        assert partial(tmp_path) == []

    assert system.run("collect", WHOLE, "-o", str(file)).returncode == 0
    assert len(json.loads(file.read_text())["answers"]) > 50


INJECTING = [
    (r"socket\.connect ", 1),
    (r"socket\.connect ", 4),
    (r"open .*journal.*\.json", 1),
    (r"os\.rename .*journal", 1),
    (r"os\.posix_spawn ", 1),
    (r"os\.rename .*journal", 2),
    (r"os\.rename .*journal", 3),
]
STARTING = [(r"os\.posix_spawn ", 1), (rf"os\.rename .*labs.{FAULTY}\.json", 1)]
"""While the twin is reset, which starts its controllers anew; when the attempt is written down."""


def _rules(mine: Any) -> list[Any]:
    """What the fault of the lab changes."""
    firewall = mine.twin.clients("wafv2")
    summary = firewall.list_web_acls(Scope="REGIONAL")["WebACLs"][0]
    found = firewall.get_web_acl(Scope="REGIONAL", Name=summary["Name"], Id=summary["Id"])
    rules: list[Any] = found["WebACL"]["Rules"]
    return rules


def test_injecting_and_starting_a_lab_can_be_interrupted(system: Any, press: Any) -> None:
    """Before, during and after the fault: revert goes on from there, and the system is what it was."""
    before = _rules(system)
    moments = [(("fault", "inject"), *each) for each in INJECTING] + [(("lab", "start"), *each) for each in STARTING]
    for command, at, time in moments:
        press(system, at, *command, FAULTY, time=time)

        assert system.run("revert").returncode == 0
        assert runner.active(system.home) == []
        assert _rules(system) == before
    _is_whole(system)
    assert system.run("grade", FAULTY).returncode == 0


def test_a_lab_starts_after_an_interrupted_start(system: Any, press: Any) -> None:
    """Without a revert in between: the second start finds the journal of the first."""
    press(system, r"os\.rename .*journal", "lab", "start", FAULTY, time=2)

    assert system.run("lab", "start", FAULTY).returncode == 0
    assert len(runner.active(system.home)) == 1
    assert system.run("lab", "finish", FAULTY).returncode == 0
    assert system.run("grade", FAULTY).returncode == 0


def test_handing_out_files_can_be_interrupted(clone: Callable[[], Any], press: Any) -> None:
    """A folder that was begun is not taken for the learner's: the next start hands out all files."""
    mine = clone()
    work = mine.root / "work" / WITH_FILES

    press(mine, r"shutil\.copyfile ", "lab", "start", WITH_FILES)

    assert not work.exists()
    assert mine.run("lab", "start", WITH_FILES).returncode == 0
    handed_out = {file.name for file in (mine.root / "labs" / WITH_FILES / "start").iterdir()}
    assert {file.name for file in work.iterdir()} == handed_out


UP = [
    (r"open .*server\.json", 1),
    (r"os\.posix_spawn ", 1),  # the emulated AWS
    (r"socket\.connect ", 1),
    (r"os\.posix_spawn ", 2),  # the API of the cluster
    (r"open .*deployed\.zip", 1),
    (r"os\.rename .*terraform\.tfstate", 1),
    (r"os\.posix_spawn ", 3),  # the kubelet or the controllers
    (r"open .*kubelet\.json", 1),
]
"""One after the other: each `up` gets further than the one before, and finds what that one left."""


def test_the_first_up_can_be_interrupted(clone: Callable[[], Any], press: Any) -> None:
    """From the snapshot. What is up but empty is not taken for the architecture: it is stopped."""
    mine = clone()
    for at, time in UP:
        press(mine, at, "twin", "up", time=time)
        assert _alive(mine) == [], at

    _is_whole(mine)
    mine.twin.down()


LATER = [
    (r"os\.posix_spawn ", 1),
    (r"socket\.connect ", 1),
    (r"os\.posix_spawn ", 2),
    (r"open .*111122223333\.snapshot", 1),
    (r"open .*kubelet\.json", 1),
]


def test_a_later_up_can_be_interrupted(clone: Callable[[], Any], press: Any) -> None:
    """From the last save: what the learner did before is still there afterwards, in AWS and in the cluster."""
    mine = clone()
    assert mine.run("twin", "up").returncode == 0
    mine.twin.clients("sns").create_topic(Name="mine")
    _ask(mine, "POST", "/api/v1/namespaces", {"metadata": {"name": "mine"}})
    assert mine.run("twin", "down").returncode == 0
    for at, time in LATER:
        press(mine, at, "twin", "up", time=time)

    _is_whole(mine)
    assert any("mine" in topic["TopicArn"] for topic in mine.twin.clients("sns").list_topics()["Topics"])
    assert _ask(mine, "GET", "/api/v1/namespaces/mine")["status"]["phase"] == "Active"
    mine.twin.down()


RESET = [
    (r"open .*deployed\.zip", 1),
    (r"os\.rename .*terraform\.tfstate", 1),
    (r"os\.posix_spawn ", 1),  # the controllers
]


def test_a_reset_can_be_interrupted(system: Any, press: Any) -> None:
    """The next command goes on with it: AWS, Terraform's state and the cluster are never left at different moments."""
    for at, time in RESET:
        (system.home / "twin" / "terraform" / "terraform.tfstate").write_text("{}")
        _ask(system, "DELETE", f"{INGRESSES}/langsmith-ingress")
        press(system, at, "twin", "reset", time=time)

        _is_whole(system)


def test_the_second_step_can_be_interrupted(clone: Callable[[], Any]) -> None:
    """While Helm installs, with a `down` that waits for its turn: it gets it, and a half-installed release is gone."""
    mine = clone()
    kept = (mine.home / "twin" / "snapshots" / "deployed.zip").rename(mine.root / "kept.zip")
    releases = "/api/v1/namespaces/langsmith/secrets?labelSelector=status%3Dpending-install"

    with mine.start("twin", "up") as up:
        assert until(lambda: _ask(mine, "GET", releases, default={}).get("items"), 170, pause=0.2)
        with mine.start("twin", "down") as down:
            os.killpg(up.pid, signal.SIGINT)
            _, remarks = up.communicate(timeout=60)
            down.communicate(timeout=60)

    _was_interrupted(up.returncode, remarks)
    assert down.returncode == 0
    assert _alive(mine) == []
    # The rest of the way is what every first `up` does: the snapshot saves its minute.
    kept.rename(mine.home / "twin" / "snapshots" / "deployed.zip")
    _is_whole(mine)
    mine.twin.down()


INGRESSES = "/apis/networking.k8s.io/v1/namespaces/langsmith/ingresses"


def _is_whole(mine: Any) -> None:
    """AWS, Terraform's state and the cluster are of one moment, and the release works."""
    up = mine.run("twin", "up")
    assert up.returncode == 0, up.stderr
    state = json.loads((mine.home / "twin" / "terraform" / "terraform.tfstate").read_text())
    balancers = mine.twin.clients("elbv2").describe_load_balancers()["LoadBalancers"]
    assert {each["VpcId"] for each in balancers} == {state["outputs"]["vpc_id"]["value"]}
    ingresses = _ask(mine, "GET", INGRESSES)["items"]
    told = [each["hostname"] for one in ingresses for each in one["status"]["loadBalancer"]["ingress"]]
    assert told == [each["DNSName"] for each in balancers]
    assert until(lambda: not _unready(mine), 60, pause=0.3), _unready(mine)


def _unready(mine: Any) -> list[str]:
    """Workloads of the release that do not run as they should."""
    found = [
        one
        for kind in ("deployments", "statefulsets")
        for one in _ask(mine, "GET", f"/apis/apps/v1/namespaces/langsmith/{kind}")["items"]
    ]
    assert len(found) >= 7
    return [one["metadata"]["name"] for one in found if one["status"].get("readyReplicas") != one["spec"]["replicas"]]


def _ask(mine: Any, method: str, path: str, body: Any = None, default: Any = None) -> Any:
    """Call the API of the twin's cluster; *default* is for one that does not answer yet."""
    try:
        access = Access.read(mine.home / "twin" / "cluster" / "kubeconfig")
        content = json.dumps(body).encode() if body else None
        return json.loads(once.call(access, method, path, content, seconds=20))
    except (OSError, UsageError):
        if default is None:
            raise
        return default


def _alive(mine: Any) -> list[str]:
    """Parts of the twin that run."""
    return [lock.name for lock in (mine.home / "twin").rglob("*.lock") if is_held(lock)]


def _small_disk() -> None:
    """No file may become larger than 4 KB: what a full disk does, without filling one."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("grade",), "cannot write"),
        (("collect", "-o", "mine.json"), "cannot write"),
        (("lab", "start", FAULTY), "annot write"),
        (("twin", "snapshot", "mine"), "Cannot write to"),
    ],
)
def test_a_full_disk_is_one_sentence(system: Any, command: tuple[str, ...], says: str) -> None:
    """What was there before is still there, and nothing is half-written or half-done."""
    before, rules = {file: file.read_bytes() for file in system.root.rglob("grades/**/*.json")}, _rules(system)

    done = system.run(*command, preexec_fn=_small_disk)

    assert done.returncode == 3, done.stdout + done.stderr
    assert says in done.stderr
    assert "File too large" in done.stderr
    assert "Next:" in done.stderr
    assert "Traceback" not in done.stderr
    assert partial(system.root) == []
    assert {file: file.read_bytes() for file in before} == before
    assert runner.active(system.home) == []
    assert _rules(system) == rules


def test_a_twin_that_finds_a_full_disk_is_one_sentence(clone: Callable[[], Any]) -> None:
    """Nothing of it runs on."""
    mine = clone()

    done = mine.run("twin", "up", preexec_fn=_small_disk)

    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Next:" in done.stderr
    assert _alive(mine) == []


@pytest.mark.parametrize(
    "command", [("grade",), ("twin", "up"), ("lab", "start", FAULTY), ("lab", "hint", FAULTY), ("lab", "list")]
)
def test_a_state_directory_that_cannot_be_is_one_sentence(
    system: Any, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """A file is in the way of it. What needs no state works all the same."""
    (tmp_path / "file").write_text("")

    done = system.run(*command, environment={"HALLMARK_HOME": str(tmp_path / "file" / "home")})

    assert "Traceback" not in done.stderr
    if command == ("lab", "list"):
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 3, done.stderr
        assert "Not a directory" in done.stderr
        assert "Next:" in done.stderr


@contextmanager
def _taken(*ports: int) -> Iterator[None]:
    """Listen on these ports, unless somebody does already."""
    with socket.socket() as one, socket.socket() as other:
        for somebody, port in zip((one, other), ports, strict=True):
            if is_free(port):
                somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                somebody.bind(("127.0.0.1", port))
                somebody.listen()
        yield


def test_taken_ports_are_left_alone_and_two_at_once_take_turns(clone: Callable[[], Any]) -> None:
    """Somebody else listens on 4566 and 6443, and `up` is called twice at once: one twin, which everything finds."""
    mine = clone()
    with _taken(emulator.PORT, kubernetes.PORT):
        with mine.start("twin", "up") as one, mine.start("twin", "up") as other:
            said = [each.communicate(timeout=170) for each in (one, other)]
        status = mine.twin.status()

        assert (one.returncode, other.returncode) == (0, 0), said
        assert said[0][0] == said[1][0]
        assert sum("Another hallmark command is busy" in remarks for _, remarks in said) == 1
        assert sum("Starting the emulated AWS." in remarks for _, remarks in said) == 1
        assert not status.endpoint.endswith(f":{emulator.PORT}")
        assert not status.kubernetes.endswith(f":{kubernetes.PORT}")
        assert mine.run("grade", WHOLE).returncode == 0
        mine.twin.down()
