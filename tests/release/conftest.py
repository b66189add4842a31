"""Renderings of the offline chart, each made once; an API server of the twin; a small chart."""

import itertools
import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from hallmark.twin.release.failure import failure
from hallmark.twin.release.helm import Helm, Values
from hallmark.twin.release.locate import offline
from hallmark.waiting import until

Object = dict[str, Any]
VALID: Object = {
    "config": {
        "authType": "mixed",
        "hostname": "langsmith.example.com",
        "langsmithLicenseKey": "a-license",
        "apiKeySalt": "a-salt",
        "initialOrgAdminEmail": "admin@example.com",
        "basicAuth": {"enabled": True, "initialOrgAdminPassword": "Correct-horse-battery", "jwtSecret": "a-jwt-secret"},
    },
    "insights": {"encryptionKey": "an-insights-key"},
    "polly": {"encryptionKey": "a-polly-key"},
}
"""The least the chart renders with; everything else is its default."""


@dataclass(frozen=True)
class Rendered:
    """What the chart makes of some values.

    Attributes:
        objects: Every object.
    """

    objects: tuple[Object, ...]

    def get(self, kind: str, name: str) -> Object:
        """The one object of a kind and name."""
        found = [each for each in self.objects if each["kind"] == kind and each["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} of {kind}/{name}"
        return found[0]

    def names(self, kind: str) -> set[str]:
        """Names of all objects of a kind."""
        return {each["metadata"]["name"] for each in self.objects if each["kind"] == kind}

    def pod(self, kind: str, name: str) -> Object:
        """The pod template of a workload."""
        template: Object = self.get(kind, name)["spec"]["template"]
        return template

    def container(self, kind: str, name: str) -> Object:
        """The container of a workload."""
        container: Object = self.pod(kind, name)["spec"]["containers"][0]
        return container

    def environment(self, kind: str, name: str) -> Object:
        """Its variables: a value, or Secret, key and whether it is optional."""
        return {each["name"]: _source(each) for each in self.container(kind, name).get("env", [])}


def _source(variable: Object) -> Any:
    if "value" in variable:
        return variable["value"]
    reference = variable["valueFrom"]["secretKeyRef"]
    return (reference["name"], reference["key"], reference["optional"])


WORKER = """
import json, sys
import helm_python
from hallmark.twin.release import sdk
with helm_python.HelmContext() as context:
    for line in sys.stdin:
        print(json.dumps(sdk._answer(json.loads(line), context)), flush=True)
"""


@dataclass(frozen=True)
class Kept:
    """An engine that keeps one process of the SDK for many renderings, which need no isolation from each other.

    Attributes:
        process: Runs :data:`WORKER`.
    """

    process: subprocess.Popen[str]

    def run(self, operation: str, arguments: Mapping[str, Any], *, timeout: float) -> Any:
        """Run one operation."""
        assert self.process.stdin
        assert self.process.stdout
        request = {"operation": operation, "namespace": "langsmith", "kubeconfig": "", "context": ""}
        self.process.stdin.write(f"{json.dumps({**request, 'arguments': {**arguments, 'timeout': timeout}})}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise failure(answer["message"], answer["error"])
        return answer["result"]


@pytest.fixture(scope="session")
def kept() -> Iterator[Helm]:
    """Helm with one SDK process for all renderings."""
    command = [sys.executable, "-c", WORKER]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        yield Helm(engine=Kept(process), namespace="langsmith")


@pytest.fixture(scope="session")
def valid() -> str:
    """A values file the chart renders with."""
    return yaml.safe_dump(VALID)


@pytest.fixture(scope="session")
def render(kept: Helm) -> Callable[..., Rendered]:
    """Renders the chart with ``--set`` expressions over the valid values, or over others."""

    @cache
    def rendered(text: str, sets: tuple[str, ...], name: str) -> Rendered:
        manifest = kept.template(name, offline(), Values((text,), sets))
        return Rendered(tuple(each for each in yaml.load_all(manifest, yaml.CSafeLoader) if each))

    def with_values(*sets: str, values: Mapping[str, Any] = VALID, name: str = "langsmith") -> Rendered:
        return rendered(yaml.safe_dump(dict(values)), sets, name)

    return with_values


@pytest.fixture(scope="session")
def default(render: Callable[..., Rendered]) -> Rendered:
    """The chart with its defaults."""
    return render()


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).parents[2]


@dataclass(frozen=True)
class Api:
    """An API server of the twin, without controllers: nothing ever gets ready in it.

    Attributes:
        state: Its state folder.
    """

    state: Path

    @property
    def kubeconfig(self) -> Path:
        """What leads to it."""
        return self.state / "kubeconfig"

    def get(self, path: str) -> Any:
        """Read an object or a list."""
        port = json.loads((self.state / "server.json").read_text())["port"]
        token = (self.state / "token").read_text().strip()
        request = urllib.request.Request(
            f"https://127.0.0.1:{port}{path}",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        )
        trusted = ssl.create_default_context(cafile=str(self.state / "ca.crt"))
        with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:  # noqa: S310  (the URL is ours)
            return json.load(answer)

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            return bool(self.get("/api/v1/namespaces/default"))
        except (OSError, ValueError):
            return False


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API server for all tests; each test has a namespace of its own."""
    state = tmp_path_factory.mktemp("cluster")
    command = [sys.executable, "-m", "hallmark.twin.cluster.server", "--state", str(state), "--port", "0"]
    with (state / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        server = Api(state)
        assert until(server.answers, 60), (state / "log").read_text()
        yield server
        process.terminate()
        process.wait(60)


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test has."""
    return f"test-{next(_numbers)}"


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our stand-in as a program called helm."""
    program = tmp_path_factory.mktemp("bin") / "helm"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hallmark.twin.release "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chart of one ConfigMap and a hook; with ``never`` also a Deployment that never gets ready here."""
    chart = tmp_path_factory.mktemp("charts") / "small"
    for name, content in SMALL.items():
        file = chart / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return chart


SMALL = {
    "Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.2.3\nappVersion: '9'\n",
    "values.yaml": "# Of the wall.\ncolor: red\nnever: false\n",
    "templates/NOTES.txt": "The wall is {{ .Values.color }}.\n",
    "templates/wall.yaml": """
apiVersion: v1
kind: ConfigMap
metadata: {name: wall}
data: {color: {{ required "a color is required" .Values.color | quote }}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: paint, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}
{{- if .Values.never }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: painter}
spec:
  selector: {matchLabels: {a: painter}}
  template:
    metadata: {labels: {a: painter}}
    spec: {containers: [{name: painter, image: painter}]}
{{- end }}
""",
}
