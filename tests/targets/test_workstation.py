"""The workstation as a target: versions of tools, and the clock."""

import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hallmark.errors import AuthorError
from hallmark.model import Answer, Call, Status
from hallmark.targets.profile import Profile
from hallmark.targets.workstation import WorkstationSource


def tool(name: str, seconds: float = 10) -> Answer:
    """Ask for one tool."""
    return WorkstationSource(Profile(), seconds).answer(Call.of("workstation", "tool", name=name))


def clock(endpoint: str, seconds: float = 10) -> Answer:
    """Ask for the clock against *endpoint*."""
    return WorkstationSource(Profile(endpoint=endpoint), seconds).answer(Call.of("workstation", "clock"))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def put(folder: Path, name: str, script: str) -> None:
    """Install a tool that is a shell script."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(("name", "output", "version"), [
    ("terraform", '{\n  "terraform_version": "1.11.4",\n  "platform": "linux_amd64"\n}', "1.11.4"),
    ("aws", "aws-cli/2.31.5 Python/3.13.7 Linux/6.1 exe/x86_64", "2.31.5"),
    ("kubectl", '{\n  "clientVersion": {\n    "gitVersion": "v1.35.1"\n  }\n}', "1.35.1"),
    ("helm", "v3.19.2+gd206314", "3.19.2"),
])  # fmt: skip
def test_tool_tells_its_version(install: Path, name: str, output: str, version: str) -> None:
    """Each tool is understood in its own words."""
    put(install, name, f"cat <<'END'\n{output}\nEND")

    assert tool(name).value == {"version": version}


def test_missing_tool_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not installed is an observation."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert (tool("helm").status, tool("helm").message) == (Status.ABSENT, "helm is not on PATH")


@pytest.mark.parametrize("script", ["echo nonsense", "echo v3.19.2; exit 1"])
def test_tool_that_fails_is_malformed(install: Path, script: str) -> None:
    """A tool that says nothing useful is not a version."""
    put(install, "helm", script)

    assert (tool("helm").status, tool("helm").code) == (Status.FAILED, "malformed")


def test_tool_that_hangs_is_stopped(install: Path) -> None:
    """A credential helper that waits for input must not hold up a grade."""
    put(install, "aws", "exec sleep 60")
    started = time.monotonic()

    assert tool("aws", seconds=0.5).code == "timeout"
    assert time.monotonic() - started < 30


@contextmanager
def server(date: str) -> Iterator[str]:
    """An endpoint that says it is *date*."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(403)
            if date:
                self.send_header("Date", date)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize("ahead", [0, 600, -600])
def test_clock_is_compared_with_the_endpoint(ahead: int) -> None:
    """The Date of any answer counts, of a refusal too."""
    with server(formatdate(time.time() - ahead, usegmt=True)) as endpoint:
        assert abs(clock(endpoint).value["seconds_ahead"] - ahead) <= 2


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_answer_without_a_date_is_malformed(date: str) -> None:
    """No time is not the right time."""
    with server(date) as endpoint:
        assert (clock(endpoint).status, clock(endpoint).code) == (Status.FAILED, "malformed")


def test_endpoint_that_is_not_there_is_unreachable() -> None:
    """A closed port is its own cause."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"

    assert clock(endpoint).code == "unreachable"


def test_endpoint_that_says_nothing_is_a_timeout() -> None:
    """A port that accepts and stays silent is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert clock(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.3).code == "timeout"


@pytest.mark.parametrize("call", [Call.of("workstation", "shell"), Call.of("workstation", "tool", name="rm")])
def test_only_known_questions_are_answered(call: Call) -> None:
    """Nothing but fixed commands is ever run."""
    with pytest.raises(AuthorError):
        WorkstationSource(Profile()).answer(call)
