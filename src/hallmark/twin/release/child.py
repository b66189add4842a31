"""Helm's SDK as an engine: one child process an operation, ended when it takes too long."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault
from hallmark.twin.release.failure import failure

GRACE = 60.0
"""Seconds beyond Helm's own time limit: to load the library, and to roll back after a cancelled change."""


class Child:
    """Runs :mod:`hallmark.twin.release.sdk`.

    Args:
        kubeconfig: Leads to the cluster; None for the usual places.
        namespace: Of the releases.
        context: One of the kubeconfig, or empty.
        remark: Is told what Helm logs besides its answer.
    """

    def __init__(
        self,
        kubeconfig: Path | None,
        namespace: str,
        context: str = "",
        remark: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._about = {"kubeconfig": str(kubeconfig or ""), "namespace": namespace, "context": context}
        self._remark = remark

    def run(self, operation: str, arguments: Mapping[str, Any], *, timeout: float) -> Any:
        """Run one operation.

        Raises:
            UsageError: In Helm's words.
            EnvironmentFault: No cluster, no library, too slow, or crashed.
        """
        seconds = max(1, round(timeout))
        request = {**self._about, "operation": operation, "arguments": {**arguments, "timeout": seconds}}
        output, remarks, code = _talk(json.dumps(request), timeout + GRACE)
        try:
            answer = json.loads(output)
        except json.JSONDecodeError:
            raise _crash(remarks, code) from None
        for line in remarks.splitlines():
            self._remark(line)
        if "error" in answer:
            raise failure(answer["message"], answer["error"])
        return answer["result"]


def _talk(request: str, patience: float) -> tuple[str, str, int]:
    # In a session of its own: Ctrl-C reaches it through us, as a cancellation.
    # Helm owns fields under the name it was called by. The folder is kept: Python finds its packages from there.
    with subprocess.Popen(
        [str(Path(sys.executable).with_name("helm")), "-m", "hallmark.twin.release.sdk"],
        executable=sys.executable,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, remarks = process.communicate(request, timeout=patience)
        except subprocess.TimeoutExpired:
            _end(process)
            raise EnvironmentFault(f"Helm did not end within {patience:.0f} seconds.", "kubectl get pods") from None
        except BaseException:
            _end(process)
            raise
    return output, remarks, process.returncode


def _end(process: subprocess.Popen[str]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            process.send_signal(sign)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=GRACE)
            return


def _crash(remarks: str, code: int) -> EnvironmentFault:
    if "No module named 'helm_python'" in remarks:
        return EnvironmentFault(
            "There is no helm on the PATH, and Helm's SDK is not installed.", "pip install 'hallmark[twin]'"
        )
    last = (remarks.strip().splitlines() or ["it said nothing"])[-1]
    return EnvironmentFault(f"Helm's SDK crashed with exit code {code}: {last}")
