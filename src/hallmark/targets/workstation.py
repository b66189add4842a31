"""The learner's own machine as a target: its tools, and its clock against the target's.

Commands are fixed, read-only and ours; each is stopped after a while. A tool that is not there is *absent*.
"""

import http.client
import re
import sys
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import testinfra

from hallmark.errors import AuthorError
from hallmark.model import Answer, Call, Status
from hallmark.targets.profile import Profile

COMMANDS = {
    "terraform": "env CHECKPOINT_DISABLE=1 terraform version -json",
    "aws": "aws --version",
    "kubectl": "kubectl version --client -o json",
    "helm": "helm version --short",
}
"""How each tool is asked for its version. Nothing else is ever run."""
_VERSION = re.compile(r"(?:terraform_version\": \"|aws-cli/|gitVersion\": \"v|^v)(\d+\.\d+\.\d+)", re.MULTILINE)
_SECONDS = 15
# testinfra runs a command until it ends; this ends it.
_LIMITED = """
import subprocess, sys
try:
    sys.exit(subprocess.run(sys.argv[2:], timeout=float(sys.argv[1]), stdin=subprocess.DEVNULL).returncode)
except subprocess.TimeoutExpired:
    sys.exit(124)
"""
_TIMED_OUT = 124


class WorkstationSource:
    """Answers calls of the service ``workstation``.

    Args:
        profile: The target; its endpoint's clock is the one that counts.
        seconds: How long one command or request may take.
    """

    def __init__(self, profile: Profile, seconds: float = _SECONDS) -> None:
        self._profile = profile
        self._seconds = seconds
        self._host = testinfra.get_host("local://")

    def answer(self, call: Call) -> Answer:
        """Look once. ``tool`` gives the version of a tool, ``clock`` how many seconds this clock is ahead."""
        started = time.monotonic()
        match call.operation:
            case "tool":
                status, value, code, message = self._tool(call.arguments["name"])
            case "clock":
                status, value, code, message = self._clock()
            case _:
                raise AuthorError(f"workstation.{call.operation} is not a question about the workstation.")
        return Answer(status, value, code, message, round((time.monotonic() - started) * 1000))

    def _tool(self, name: str) -> tuple[Status, Any, str, str]:
        if name not in COMMANDS:
            raise AuthorError(f"workstation.tool does not know {name}.")
        if not self._host.exists(name):
            return Status.ABSENT, None, "NotFound", f"{name} is not on PATH"
        limited = (sys.executable, _LIMITED, str(self._seconds))
        result = self._host.run(f"%s -c %s %s {COMMANDS[name]}", *limited)
        if result.rc == _TIMED_OUT:
            return Status.FAILED, None, "timeout", f"{name} did not tell its version within {self._seconds:g} s"
        found = _VERSION.search(result.stdout)
        if result.rc != 0 or not found:
            return Status.FAILED, None, "malformed", f"{name} did not tell its version"
        return Status.OBSERVED, {"version": found[1]}, "", ""

    def _clock(self) -> tuple[Status, Any, str, str]:
        """Compare with the Date header of the target's endpoint; it has a resolution of one second."""
        url = urlsplit(self._profile.endpoint or _regional_endpoint(self._profile.region))
        try:
            before = time.time()
            date = _date_header(url.scheme, url.netloc, self._seconds)
            middle = (before + time.time()) / 2
            ahead = round(middle - parsedate_to_datetime(date).timestamp())
        except TimeoutError:
            return Status.FAILED, None, "timeout", f"{url.netloc} did not answer within {self._seconds:g} s"
        except OSError as error:
            return Status.FAILED, None, "unreachable", f"{url.netloc}: {type(error).__name__}"
        except (ValueError, TypeError, http.client.HTTPException):
            return Status.FAILED, None, "malformed", f"{url.netloc} did not tell the time"
        return Status.OBSERVED, {"seconds_ahead": ahead}, "", ""


def _regional_endpoint(region: str) -> str:
    return f"https://sts.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


def _date_header(scheme: str, netloc: str, seconds: float) -> str:
    """Ask without following redirects: the Date has to be the endpoint's own."""
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    connection = kind(netloc, timeout=seconds)
    try:
        connection.request("HEAD", "/")
        return connection.getresponse().getheader("Date", "")
    finally:
        connection.close()
