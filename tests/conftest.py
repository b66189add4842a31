"""What all tests share: a copy of the project to work in, and one twin whose baseline Terraform builds once."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TREES = ("labs", "graders", "solutions", "terraform")
RUNTIME = ROOT / ".hallmark" / "tests"
"""Kept between runs: the baseline snapshot is made anew only when Terraform's files or the emulator change."""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the three trees and Terraform, so that labs may write beside them."""
    copy = tmp_path_factory.mktemp("project")
    ignore = shutil.ignore_patterns("__pycache__", ".terraform", "*.tfstate*", ".terraform.lock.hcl")
    for tree in TREES:
        shutil.copytree(ROOT / tree, copy / tree, ignore=ignore)
    return copy


@pytest.fixture(scope="session")
def environment(project: Path) -> Iterator[None]:
    """Commands run in the copy, with a state directory of the tests' own."""
    mine = {"HALLMARK_ROOT": str(project), "HALLMARK_HOME": str(RUNTIME)}
    before = {name: os.environ.get(name) for name in mine}
    os.environ.update(mine)
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
