"""The conformance matrix against the whole cluster: controllers and a kubelet at work change no answer."""

from pathlib import Path
from typing import Any

from hallmark.twin.cluster.matrix import Matrix


def test_every_probe_is_answered_as_recorded(cluster: Any, tmp_path: Path) -> None:
    """No difference, and nothing is left behind."""
    matrix = Matrix(cluster.kubeconfig, tmp_path, cluster.program("kubectl")[0])

    assert [str(each) for each in matrix.run()] == []
    assert len(matrix) == 108
    left = cluster.kubectl("get", "deploy,pods,secrets,configmaps,ns,crd", "-n", "default", "-o", "name").splitlines()
    assert [each for each in left if "test-" not in each] == [
        "configmap/kube-root-ca.crt",
        *(f"namespace/{name}" for name in ("default", "kube-node-lease", "kube-public", "kube-system")),
    ]
