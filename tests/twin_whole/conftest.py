"""One twin with the release installed, and a person at its tools: `kubectl`, Helm, boto3 at the endpoint."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hallmark.twin.deployment import kubectl
from hallmark.twin.release import locate
from hallmark.twin.supervisor import Twin
from hallmark.waiting import until

PATIENCE = 60.0
"""Seconds for any consequence on a slow, busy machine."""
NAMESPACE = "langsmith"
Clones = Callable[[], Any]


@dataclass(frozen=True)
class Person:
    """Somebody who works on a twin.

    Attributes:
        twin: The twin.
    """

    twin: Twin

    def run(self, *command: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a shell that points at the twin."""
        variables = {**os.environ, **self.twin.environment(), **environment}
        return subprocess.run(
            command, input=stdin, env=variables, capture_output=True, text=True, timeout=180, check=False
        )

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run `kubectl` in the release's namespace, and say what it says."""
        return _ok(self.run(kubectl(), "-n", NAMESPACE, *arguments, stdin=stdin))

    def get(self, *what: str) -> Any:
        """Objects as JSON; None if there is none of this name."""
        text = self.kubectl("get", *what, "--ignore-not-found", "-o", "json")
        return json.loads(text) if text.strip() else None

    def again(self, kind: str, name: str) -> None:
        """Delete an object and create it anew, as from its manifest."""
        thing = self.get(kind, name)
        own = ("labels", "annotations", "name", "namespace")
        thing["metadata"] = {key: value for key, value in thing["metadata"].items() if key in own}
        self.kubectl("delete", kind, name)
        self.kubectl("create", "-f", "-", stdin=json.dumps(thing))

    def upgrade(self, *settings: str) -> None:
        """Change values of the release as `helm upgrade --reuse-values` does."""
        sets = [word for each in settings for word in ("--set", each)]
        chart = locate.offline().reference
        command = ("upgrade", NAMESPACE, chart, "-n", NAMESPACE, "--reuse-values", *sets)
        _ok(self.run(sys.executable, "-m", "hallmark.twin.release", *command))

    def aws(self, service: str) -> Any:
        """Give a boto3 client."""
        return self.twin.clients(service)

    def patch(self, what: str, change: Any, kind: str = "merge") -> None:
        """Patch an object, named as `kind/name`."""
        self.kubectl("patch", what, "--type", kind, "-p", json.dumps(change))

    def restart(self, workload: str) -> None:
        """Roll a workload and wait for it, named as `kind/name`."""
        self.kubectl("rollout", "restart", workload)
        self.kubectl("rollout", "status", workload, f"--timeout={PATIENCE:.0f}s")

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Pods of one component of the release."""
        found: list[dict[str, Any]] = self.get("pods", "-l", f"app.kubernetes.io/component=langsmith-{component}")[
            "items"
        ]
        return found

    def events(self, about: str) -> list[tuple[str, str]]:
        """Reasons and messages of the events of an object, by its name."""
        found = self.get("events", "--field-selector", f"involvedObject.name={about}")["items"]
        return [(each["reason"], each["message"]) for each in found]

    def secret(self, name: str, key: str) -> str:
        """One value of a Secret."""
        return base64.b64decode(self.get("secret", name)["data"][key]).decode()

    @property
    def hostname(self) -> str:
        """Name of the load balancer, from the Ingress; empty while there is none."""
        ingress = self.get("ingress", "langsmith-ingress") or {}
        found = ingress.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
        return str(found[0].get("hostname", ""))

    @property
    def balancer(self) -> str:
        """ARN of the load balancer that the Ingress names."""
        every = self.aws("elbv2").describe_load_balancers()["LoadBalancers"]
        return str(next(each["LoadBalancerArn"] for each in every if each["DNSName"] == self.hostname))


def _ok(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, f"{' '.join(done.args[-6:])}: {done.stderr}"
    return done.stdout


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for a consequence; it has to come."""
    found = until(condition, seconds, pause=0.2)
    assert found
    return found


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., Any]:
    """Wait for a consequence; it has to come."""
    return eventually


@pytest.fixture(scope="session")
def deployed(clone: Clones) -> Iterator[Person]:
    """A person at a twin that is up and has the release."""
    made = clone()
    made.twin.up()
    yield Person(made.twin)
    made.twin.down()


@pytest.fixture
def person(deployed: Person) -> Person:
    """The same, with everything as it was built."""
    deployed.twin.reset()
    return deployed
