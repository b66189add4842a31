"""Scripts in front of a person's tools: each leads where it has to, and none stands in the way of a real one."""

import os
import subprocess
from pathlib import Path

import pytest

from hallmark.twin import tools


def tool(folder: Path, name: str) -> Path:
    """A program that prints its name and what it is told."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f'#!/bin/sh\necho {name} "$@"\n')
    file.chmod(0o755)
    return file


@pytest.fixture
def offered(tmp_path: Path) -> Path:
    """Where the scripts go."""
    return tmp_path / "offered"


def said(script: Path, *arguments: str, **variables: str) -> str:
    """What a script makes of its arguments."""
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run([str(script), *arguments], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_aws_asks_the_endpoint_for_every_service(
    tmp_path: Path, offered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable alone is not enough for AWS CLI 1; without the variable nothing is added."""
    tool(tmp_path / "a place", "aws")
    monkeypatch.setenv("PATH", f"{tmp_path / 'a place'}:/usr/bin:/bin")
    assert tools.offer(offered) == offered
    endpoint = "http://127.0.0.1:9"
    assert said(offered / "aws", "rds", "x y", AWS_ENDPOINT_URL=endpoint) == f"aws --endpoint-url {endpoint} rds x y"
    assert said(offered / "aws", "rds", "x") == "aws rds x"


def test_a_script_never_takes_itself_for_the_tool(
    tmp_path: Path, offered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked a second time, with its own folder first on the PATH, it finds the same tools as before."""
    tool(tmp_path / "own", "aws")
    monkeypatch.setenv("PATH", f"{offered}:{tmp_path / 'own'}:/usr/bin:/bin")
    tools.offer(offered)
    before = {file.name: file.read_text() for file in offered.iterdir()}
    tools.offer(offered)
    assert {file.name: file.read_text() for file in offered.iterdir()} == before
    assert said(offered / "aws", "x") == "aws x"


def test_a_person_who_has_the_tools_keeps_them(tmp_path: Path, offered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither kubectl nor helm is put in front of one that is there; without aws there is nothing to offer."""
    for name in ("kubectl", "helm"):
        tool(tmp_path / "own", name)
    monkeypatch.setenv("PATH", str(tmp_path / "own"))
    assert tools.offer(offered) is None
    assert not offered.exists()
