"""What all tests share: a copy of the project to work in, and twins made from one that is built once."""

import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

from hallmark.cli import SELDOM
from hallmark.faults import runner
from hallmark.twin.aws.seal import Seal
from hallmark.twin.control import Control
from hallmark.twin.files import hold, write
from hallmark.twin.supervisor import Twin
from hallmark.waiting import until

ROOT = Path(__file__).parents[1]
TREES = ("labs", "graders", "solutions", "terraform")
RUNTIME = ROOT / ".hallmark" / "tests"
"""Kept between runs: the snapshots are made anew only when what they are made of changes."""
BUILD = RUNTIME / "build.json"
"""How the twin was built from which all others are made; written when that was done."""


AT_ONCE = frozenset(
    {
        *("cluster", "cluster_schema", "evidence", "faults", "grading", "kube", "kubectl", "kubelet", "policy"),
        *("programs", "stores", "targets"),
    }
)
"""Folders whose tests need no twin, or say so: they are run while it is built, for as long as that takes."""
LONG = frozenset({"platform", "terraform", "twin"})
"""Folders with files that take a minute."""


gc.set_threshold(*SELDOM)  # as of a command: a worker took half of its time to look at what stays


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let several runs share the work, for example those of successive commits."""
    parser.addoption("--share", metavar="K/N", help="run every Nth group of tests, from the Kth on; K counts on past N")


def _unit(item: pytest.Item) -> str:
    """What one worker does in one go: a group, or a file."""
    group = item.get_closest_marker("xdist_group")
    return str(group.args[0] if group else item.path)


def _keep_share(config: pytest.Config, items: list[pytest.Item]) -> None:
    share, _, shares = str(config.getoption("share")).partition("/")
    units = sorted({_unit(item) for item in items})
    mine = set(units[int(share) % int(shares) :: int(shares)])
    config.hook.pytest_deselected(items=[item for item in items if _unit(item) not in mine])
    items[:] = [item for item in items if _unit(item) in mine]


class Files(LoadGroupScheduling):  # type: ignore[misc]  # pytest-xdist ships no types
    """Gives a worker a group or a whole file, so that what tests of a file share is made once, not by each worker."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return scope.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Files | None:
    """Share out groups and files where groups are asked for."""
    return Files(config, log) if config.getoption("dist") == "loadgroup" else None


def _rank(item: pytest.Item) -> int:
    """When a test begins.

    Those without a twin go first, while it is built. The longest comes next, because it mostly waits: beside it
    everything else goes on. No long file is left for the end, when the other workers have nothing to do.
    """
    folder = item.path.relative_to(ROOT / "tests").parts[0]
    if folder in AT_ONCE and "built" not in getattr(item, "fixturenames", ()):
        return 0
    group = item.get_closest_marker("xdist_group")
    if group and group.args == ("destroy",):
        return 1
    if group:
        return 2
    return 3 if folder in LONG else 4


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put tests in their order, and have the first worker build the twin meanwhile."""
    if config.getoption("share"):
        _keep_share(config, items)

    items.sort(key=_rank)
    workers = getattr(config, "workerinput", {})
    if workers.get("workerid") == "gw0" and any("built" in getattr(item, "fixturenames", ()) for item in items):
        builder = subprocess.Popen([sys.executable, __file__], stdin=subprocess.DEVNULL)
        config.add_cleanup(lambda: _end(builder))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


@dataclass(frozen=True)
class Clone:
    """A clone of the project with a state directory and a twin of its own, which nobody else uses.

    Attributes:
        root: The clone; commands run in it.
        environment: Variables that commands get besides the usual ones.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The state directory."""
        return self.root / ".hallmark"

    @property
    def twin(self) -> Twin:
        """Its twin."""
        return Twin(self.home, self.root)

    def start(
        self, *arguments: str, environment: Mapping[str, str] | None = None, **more: Any
    ) -> subprocess.Popen[str]:
        """Start a `hallmark` command in a process group of its own, as a shell does."""
        ours = ("HALLMARK_", "AWS_", "TF_VAR_", "LANGSMITH_")
        usual = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        pipes: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(
            [sys.executable, "-c", "from hallmark.cli import main; main()", *arguments],
            cwd=self.root,
            env={**usual, **self.environment, **(environment or {})},
            process_group=0,
            **{**pipes, **more},
        )

    def run(
        self, *arguments: str, environment: Mapping[str, str] | None = None, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a `hallmark` command to its end."""
        with self.start(*arguments, environment=environment, **more) as process:
            output, remarks = process.communicate(timeout=180)
        return subprocess.CompletedProcess(arguments, process.returncode, output, remarks)


def _copy(project: Path) -> Path:
    ignore = shutil.ignore_patterns("__pycache__", ".terraform", "*.tfstate*", ".terraform.lock.hcl")
    for tree in TREES:
        shutil.copytree(ROOT / tree, project / tree, ignore=ignore)
    return project


@dataclass(frozen=True)
class Emulated:
    """An emulated AWS that tests share, each in an account of its own.

    Attributes:
        control: Its control paths.
        state: Its state directory.
    """

    control: Control
    state: Path

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.control.port}"


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """An emulated AWS on a free port of this machine."""
    state = tmp_path_factory.mktemp("emulated")
    command = [sys.executable, "-m", "hallmark.twin.aws.server", "--port", "0", "--state", str(state), "--no-autosave"]
    with (state / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            about = state / "server.json"
            until(lambda: about.is_file() or server.poll() is not None, 60)
            assert about.is_file(), (state / "log").read_text()
            made = Emulated(Control(json.loads(about.read_text())["port"], Seal.of(state).token), state)
            assert until(made.control.health, 60)
            yield made
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the three trees and Terraform, so that labs may write beside them."""
    return _copy(tmp_path_factory.mktemp("project"))


def build_shared() -> None:
    """Build the twin that all others are made from, unless there is one of the present files, and say how that went."""
    with tempfile.TemporaryDirectory() as folder, hold(RUNTIME / "built.lock", "", waiting=lambda _: None):
        if not BUILD.is_file():  # the last one was not finished
            shutil.rmtree(RUNTIME / "twin", ignore_errors=True)
        shared = Twin(RUNTIME, _copy(Path(folder)))
        if not shared.fits:
            # Where the release alone is built anew, the baseline is that of an earlier run.
            said = json.loads(BUILD.read_text())["said"] if shared.status().baseline_fits else []
            BUILD.unlink(missing_ok=True)
            write(BUILD, json.dumps(_build(shared, [line for line in said if line.startswith("created ")])))
        shared.down()


def _build(shared: Twin, said: list[str]) -> dict[str, Any]:
    """The one apply of all tests; what the release's controllers make in AWS is nothing Terraform minds."""
    shared.up(said.append)
    if not shared.fits:  # it was up already, built from yesterday's files
        shared.reset(said.append)
    nothing_to_do = {"deployed": shared.plan_is_empty()}
    shared.reset(to="baseline")
    return {"said": said, "nothing to do": {**nothing_to_do, "baseline": shared.plan_is_empty()}}


@pytest.fixture(scope="session")
def built() -> Path:
    """The key and the snapshots of a twin that Terraform and Helm built once, for all workers and runs."""
    build_shared()
    return RUNTIME / "twin"


def _copy_built(built: Path, home: Path) -> None:
    """Give a twin that is down what it needs to come up in seconds."""
    state = home / "twin"
    (state / "snapshots").mkdir(parents=True, exist_ok=True)
    for name in ("key", "snapshots/baseline.zip", "snapshots/deployed.zip"):
        shutil.copy2(built / name, state / name)


@pytest.fixture(scope="session")
def clone(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Clone]]:
    """Make clones whose twin is down and has the snapshots: seconds instead of Terraform's minutes."""
    made: list[Clone] = []

    def new() -> Clone:
        made.append(Clone(_copy(tmp_path_factory.mktemp("clone"))))
        _copy_built(built, made[-1].home)
        return made[-1]

    yield new
    for each in made:
        each.twin.down()


@pytest.fixture(scope="session")
def environment(project: Path, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands run in the copy, with a state directory and a twin of this worker's own."""
    home = tmp_path_factory.mktemp("home")
    _copy_built(built, home)
    mine = {"HALLMARK_ROOT": str(project), "HALLMARK_HOME": str(home)}
    before = {name: os.environ.get(name) for name in mine}
    os.environ.update(mine)
    yield
    runner.revert(home)  # a fault of the last lab must not wait for its watchdog
    Twin(home, project).down()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


if __name__ == "__main__":
    build_shared()
