"""What the roles log of requests: as nginx and uvicorn do, but never a query, where keys may be."""

import re
from typing import Any

import pytest

from hallmark.twin.programs import access

COMBINED = re.compile(
    r"127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "
    r'"(\S+ \S+ HTTP/1\.1)" (\d+) (\d+) "(.*)" "(.*)"'
)
SECRET = "hunter2-is-secret"


def lines(platform: Any, role: str, words: str) -> list[str]:
    """Lines of a role's log that hold these words; there has to be one soon."""
    assert platform.log(role, words)
    return [line for line in platform.pods[role].log.splitlines() if words in line]


def test_the_frontend_logs_in_nginx_format(platform: Any) -> None:
    """Method, path, status, size, page and program of each request."""
    asked = {"x_api_key": platform.key, "User_Agent": "pytest/1", "Referer": "https://example.com/page?x=1"}
    platform.call("GET", "/sessions?name=combined", **asked)
    found = COMBINED.fullmatch(lines(platform, "frontend", "pytest/1")[-1])

    assert found
    assert found.groups()[:2] == ("GET /api/v1/sessions HTTP/1.1", "200")
    assert int(found[3]) > 0
    assert found.groups()[3:] == ("https://example.com/page", "pytest/1")


def test_the_frontend_logs_probes(platform: Any) -> None:
    """A system that nobody uses logs all the same, as nginx does."""
    platform.ask(f"{platform.url}/health", User_Agent="kube-probe/1.35+")
    found = COMBINED.fullmatch(lines(platform, "frontend", "kube-probe")[-1])

    assert found
    assert found.groups() == ("GET /health HTTP/1.1", "200", "0", "-", "kube-probe/1.35+")


@pytest.mark.parametrize(("role", "probe"), [("backend", "health"), ("platform-backend", "ok")])
def test_the_api_logs_as_uvicorn_does_but_no_probe(platform: Any, role: str, probe: str) -> None:
    """One line a request of somebody."""
    url = f"http://127.0.0.1:{platform.pods[role].port}"
    platform.ask(f"{url}/{probe}")
    platform.ask(f"{url}/nobody-knows?name=value")
    line = lines(platform, role, "nobody-knows")[-1]

    assert re.fullmatch(r'\S+Z INFO 127\.0\.0\.1:\d+ - "GET /nobody-knows HTTP/1\.1" 404 Not Found', line)
    assert f"GET /{probe} " not in platform.pods[role].log


def test_no_secret_gets_into_a_log(platform: Any) -> None:
    """Neither from a query, nor from headers, nor from a body, in whichever role."""
    place = f"/feedback/tokens?token={SECRET}&api_key={SECRET}"
    headers = {"x_api_key": SECRET, "Authorization": f"Bearer {SECRET}", "Referer": f"http://x/?k={SECRET}"}
    platform.call("POST", place, {"password": SECRET}, User_Agent="secretive", **headers)
    platform.ask(f"http://127.0.0.1:{platform.pods['backend'].port}/secretive?token={SECRET}")
    assert lines(platform, "frontend", "secretive")
    assert lines(platform, "backend", "secretive")

    assert not [role for role, pod in platform.pods.items() if SECRET in pod.log]


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        ("/a?b=c", "/a"),
        ("/a#b", "/a"),
        ('x" 200 "y', "x\\x22 200 \\x22y"),
        ("a\nb\\", "a\\x0Ab\\x5C"),
        ("é", "\\xC3\\xA9"),
        ("x" * 10_000, "x" * access.LONGEST),
    ],
    ids=["query", "fragment", "quote", "newline", "letter", "long"],
)
def test_nobody_forges_a_line(sent: str, line: str) -> None:
    """What a client sent stays in its field."""
    assert access.shown(sent) == line
