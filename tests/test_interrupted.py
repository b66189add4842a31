"""Ctrl-C at any moment, a full disk, a taken port: one sentence, the right exit code, nothing half-written.

A moment is an event inside the command itself (an import, a connection, a file that is opened or renamed), told by
Python's audit hooks: the command interrupts its own process group there, as a terminal would. So no test waits for a
time and hopes.
"""

import json
import resource
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from hallmark import catalog
from hallmark.faults import runner
from hallmark.twin.emulator import PORT
from hallmark.twin.process import is_free

pytestmark = pytest.mark.xdist_group("interrupted")
LABS = catalog.labs(Path(__file__).parents[1])
REFERENCE = next(lab.id for lab in LABS if lab.track == "deployment")
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
"""Python reads it at its start. The twin's server and the watchdog are modules run with -m: they press nothing."""


@pytest.fixture
def press(tmp_path: Path) -> Callable[..., CompletedProcess[str]]:
    """Run a command and press Ctrl-C at an event, at its first or a later time; then look at what it left."""
    (tmp_path / "sitecustomize.py").write_text(CTRL_C)
    pressed = tmp_path / "pressed"

    def run(mine: Any, at: str, *arguments: str, time: int = 1) -> CompletedProcess[str]:
        settings = {"PYTHONPATH": str(tmp_path), "PRESS_AT": at, "PRESS_TIME": str(time), "PRESSED": str(pressed)}
        done: CompletedProcess[str] = mine.run(*arguments, environment=settings)
        assert pressed.exists(), f"{at} never happened: {done.stdout}{done.stderr}"
        assert done.returncode == 130, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        assert done.stderr.count("Interrupted.") == 1, done.stderr
        assert partial(mine.root) == []
        return done

    return run


def partial(folder: Path) -> list[str]:
    """Files that somebody began to write and did not finish; writing happens under a name with a dot before it."""
    own = {".hallmark", ".terraform.lock.hcl"}
    return [str(file) for file in folder.rglob(".*") if file.name not in own and ".terraform" not in file.parts]


@pytest.fixture(scope="module")
def system(clone: Callable[[], Any]) -> Any:
    """A clone whose twin is up and holds the baseline."""
    mine = clone()
    assert mine.run("twin", "up").returncode == 0
    return mine


GRADING = [
    ("import .*'click'", 1),
    ("import .*'boto3'", 1),
    (r"open .*graders/.*/test_network.py", 1),
    (r"socket\.connect ", 1),
    (r"socket\.connect ", 30),
    (r"open .*\.evidence\.json\.", 1),
    (r"os\.rename .*scorecard\.html", 1),
]


def test_a_grade_can_be_interrupted(system: Any, press: Any) -> None:
    """While it loads, asks and writes: each file is the old one or the new one, and the next grade is whole."""
    folder = system.home / "grades" / REFERENCE
    for at, time in GRADING:
        press(system, at, "grade", time=time)
        for file in folder.glob("*.json"):
            json.loads(file.read_text())

    assert system.run("grade").returncode == 0
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
        press(system, at, "collect", "-o", str(file), time=time)
        assert file.read_text() == "what was there before"
        assert partial(tmp_path) == []

    assert system.run("collect", "-o", str(file)).returncode == 0
    assert len(json.loads(file.read_text())["answers"]) > 50


STARTING = [
    (r"socket\.connect ", 1),
    (r"socket\.connect ", 4),
    (r"open .*journal.*\.json", 1),
    (r"os\.rename .*journal", 1),
    (r"os\.posix_spawn ", 1),
    (r"os\.rename .*journal", 2),
    (r"os\.rename .*journal", 3),
    (rf"os\.rename .*labs.{FAULTY}\.json", 1),
]


@pytest.mark.parametrize(("at", "time"), STARTING)
def test_starting_a_lab_can_be_interrupted(system: Any, press: Any, at: str, time: int) -> None:
    """Before, during and after the fault: revert goes on from there, and the system is what it was."""
    press(system, at, "lab", "start", FAULTY, time=time)

    assert system.run("revert").returncode == 0
    assert runner.active(system.home) == []
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
    r"os\.posix_spawn ",
    r"open .*server\.json",
    r"socket\.connect ",
    r"open .*baseline\.zip",
    r"os\.rename .*terraform\.tfstate",
]


@pytest.mark.parametrize("at", UP)
def test_the_first_up_can_be_interrupted(clone: Callable[[], Any], press: Any, at: str) -> None:
    """From the snapshot. A server that is up but empty is not taken for the architecture."""
    mine = clone()

    press(mine, at, "twin", "up")

    _is_whole(mine)
    mine.twin.down()


@pytest.mark.parametrize("at", [r"os\.posix_spawn ", r"open .*111122223333\.snapshot", r"socket\.connect "])
def test_a_later_up_can_be_interrupted(clone: Callable[[], Any], press: Any, at: str) -> None:
    """From the last save: what the learner did before is still there afterwards."""
    mine = clone()
    assert mine.run("twin", "up").returncode == 0
    mine.twin.clients("sns").create_topic(Name="mine")
    assert mine.run("twin", "down").returncode == 0

    press(mine, at, "twin", "up")

    _is_whole(mine)
    assert any("mine" in topic["TopicArn"] for topic in mine.twin.clients("sns").list_topics()["Topics"])
    mine.twin.down()


@pytest.mark.parametrize(("at", "time"), [(r"socket\.connect ", 3), (r"os\.rename .*terraform\.tfstate", 1)])
def test_a_reset_can_be_interrupted(clone: Callable[[], Any], press: Any, at: str, time: int) -> None:
    """The next command goes on with it: AWS and Terraform's state are never left at two different moments."""
    mine = clone()
    assert mine.run("twin", "up").returncode == 0
    (mine.home / "twin" / "terraform" / "terraform.tfstate").write_text("{}")

    press(mine, at, "twin", "reset", time=time)

    _is_whole(mine)
    mine.twin.down()


def _is_whole(mine: Any) -> None:
    up = mine.run("twin", "up")
    assert up.returncode == 0, up.stderr
    state = json.loads((mine.home / "twin" / "terraform" / "terraform.tfstate").read_text())
    networks = {each["VpcId"] for each in mine.twin.clients("elbv2").describe_load_balancers()["LoadBalancers"]}
    assert networks == {state["outputs"]["vpc_id"]["value"]}


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
    before = {file: file.read_bytes() for file in system.root.rglob("grades/**/*.json")}

    done = system.run(*command, preexec_fn=_small_disk)

    assert done.returncode == 3, done.stdout + done.stderr
    assert says in done.stderr
    assert "File too large" in done.stderr
    assert "Next:" in done.stderr
    assert "Traceback" not in done.stderr
    assert partial(system.root) == []
    assert {file: file.read_bytes() for file in before} == before
    assert runner.active(system.home) == []
    assert system.run("grade", FAULTY).returncode == 0


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


def test_a_taken_port_is_left_alone(clone: Callable[[], Any]) -> None:
    """Somebody else listens on 4566: the twin takes another port, and everything finds it."""
    mine = clone()
    with socket.socket() as somebody:
        if is_free(PORT):
            somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            somebody.bind(("127.0.0.1", PORT))
            somebody.listen()

        assert mine.run("twin", "up").returncode == 0
        assert not mine.twin.endpoint.endswith(f":{PORT}")
        assert mine.run("grade", FAULTY).returncode == 0
        mine.twin.down()
