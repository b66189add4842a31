"""What all tests share: a copy of the project to work in, and one twin whose baseline Terraform builds once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hallmark.faults import runner
from hallmark.twin.supervisor import Twin

ROOT = Path(__file__).parents[1]
TREES = ("labs", "graders", "solutions", "terraform")
RUNTIME = ROOT / ".hallmark" / "tests"
"""Kept between runs: the baseline snapshot is made anew only when Terraform's files or the emulator change."""


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


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the three trees and Terraform, so that labs may write beside them."""
    return _copy(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def clone(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Clone]]:
    """Make clones whose twin is down and has the baseline's snapshot: seconds instead of Terraform's minutes."""
    shared = Twin(RUNTIME, project)
    if not shared.status().baseline_fits:
        shared.up()
    if not shared.status().baseline_fits:  # it was up already, with a baseline of yesterday's files
        shared.reset()
    made: list[Clone] = []

    def new() -> Clone:
        made.append(Clone(_copy(tmp_path_factory.mktemp("clone"))))
        state = made[-1].home / "twin"
        (state / "snapshots").mkdir(parents=True)
        for name in ("key", "snapshots/baseline.zip"):
            shutil.copy2(RUNTIME / "twin" / name, state / name)
        return made[-1]

    yield new
    for each in made:
        each.twin.down()


@pytest.fixture(scope="session")
def environment(project: Path) -> Iterator[None]:
    """Commands run in the copy, with a state directory of the tests' own."""
    mine = {"HALLMARK_ROOT": str(project), "HALLMARK_HOME": str(RUNTIME)}
    before = {name: os.environ.get(name) for name in mine}
    os.environ.update(mine)
    yield
    runner.revert(RUNTIME)  # a fault of the last lab must not wait for its watchdog
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
