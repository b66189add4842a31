"""A cluster somebody gives: the twin's add-ons and kubelet work in it, and nothing of it is kept, restored or emptied.

The given one is a second API server of the twin's own kind, which knows nothing of any twin.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.aws.seal import Seal
from hallmark.twin.deployment import kubectl
from hallmark.waiting import until

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("sharp-edges")]
Clones = Callable[[], Any]
LEASE = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "kube-controller-manager", "namespace": "kube-system"},
}


@dataclass(frozen=True)
class Given:
    """A cluster of somebody else.

    Attributes:
        folder: The state folder of its API server.
    """

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """How it is reached."""
        return self.folder / "kubeconfig"

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run `kubectl` in it."""
        command = [kubectl(), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def lead(self) -> None:
        """Do as if a controller manager of its own were at work."""
        renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lease = LEASE | {"spec": {"holderIdentity": "control-plane", "renewTime": renewed, "leaseDurationSeconds": 15}}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(lease))


@pytest.fixture(scope="module")
def made(clone: Clones) -> Iterator[Any]:
    """A project whose twin is down."""
    project = clone()
    yield project
    project.twin.down()


@pytest.fixture(scope="module")
def given(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    """A cluster nobody marked; its tokens are issued in the name that the baseline's roles trust."""
    folder = tmp_path_factory.mktemp("given")
    issuer = f"https://oidc.eks.us-east-1.amazonaws.com/id/{Seal.of(made.home / 'twin').name('oidc')}"
    options = ["--port", "0", "--kubelet-address", "127.0.0.1", "--service-account-issuer", issuer]
    command = [sys.executable, "-m", "hallmark.twin.cluster.server", "--state", str(folder), *options]
    with subprocess.Popen(command) as process:
        assert until((folder / "server.json").exists, 60)
        yield Given(folder)
        process.terminate()


def test_a_given_cluster_is_used_and_left_alone(made: Any, given: Given) -> None:
    """It has to be marked; then the release is installed in it, and what would put it back is refused."""
    refused = made.run("twin", "up", "--kubeconfig", str(given.kubeconfig))
    assert refused.returncode == 2
    assert "is not marked as a lab" in refused.stderr
    mark = ("label", "namespace", "kube-system", "hallmark.dev/lab=true")
    assert f"kubectl --kubeconfig {given.kubeconfig} {' '.join(mark)}" in " ".join(refused.stderr.split())
    assert not made.twin.status().running

    given.kubectl(*mark)
    up = made.run("twin", "up", environment={"HALLMARK_TWIN_KUBECONFIG": str(given.kubeconfig)})
    assert up.returncode == 0, up.stderr
    assert made.twin.environment()["KUBECONFIG"] == str(given.kubeconfig)
    assert _about(made, "controllers")["groups"] == ["workloads", "aws"]
    assert not (made.home / "twin" / "cluster" / "server.json").exists()
    assert "Hallmark's stand-in" in given.kubectl("-n", "langsmith", "logs", "deployment/langsmith-frontend")

    for command in (("snapshot", "mine"), ("reset",), ("restore", "baseline")):
        done = made.run("twin", *command)
        assert (done.returncode, "which is not its own" in " ".join(done.stderr.split())) == (2, True), command
    assert given.kubectl("-n", "langsmith", "get", "deployment", "langsmith-frontend", "-o", "name")

    made.twin.down()
    given.lead()
    again = made.run("twin", "up")
    assert again.returncode == 0, again.stderr
    assert made.twin.environment()["KUBECONFIG"] == str(given.kubeconfig), "it is remembered"
    assert _about(made, "controllers")["groups"] == ["aws"], "the cluster has its own for the rest"

    own = made.run("twin", "up", "--own-cluster")
    assert own.returncode == 0, own.stderr
    assert made.twin.environment()["KUBECONFIG"] == str(made.home / "twin" / "cluster" / "kubeconfig")
    assert "Bringing back the whole architecture." in own.stderr


def _about(made: Any, name: str) -> Any:
    return json.loads((made.home / "twin" / "cluster" / f"{name}.json").read_text())
