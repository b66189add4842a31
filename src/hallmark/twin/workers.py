"""What works for a cluster beside its API: the controllers, and the kubelet that runs the pods.

Both are clients of the API and keep nothing of their own, so either can be started anew at any moment.
"""

import json
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from hallmark.twin.kube import once
from hallmark.twin.kube.client import Access
from hallmark.twin.kube.kinds import PODS, Object
from hallmark.twin.process import GIVES_UP_WITHIN, Process
from hallmark.waiting import until

SETTLES_WITHIN = 60.0
"""Seconds that pods get to work again after their kubelet was started; what broke on purpose never does."""
ANSWERS_WITHIN = 10.0
ENDS_WITHIN = 15.0
"""Seconds to end in order. Neither has anything to save, so nothing is lost by force."""


class Workers:
    """The controllers and the kubelet of one cluster.

    Args:
        folder: Their state directory.
        kubeconfig: How they reach the cluster.
    """

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self._folder = folder
        self._kubeconfig = kubeconfig
        self._kubelet = Process(folder, "kubelet", "hallmark.twin.kubelet.main", "The twin's kubelet")
        self._controllers = Process(folder, "controllers", "hallmark.twin.controllers.main", "The twin's controllers")

    @property
    def are_alive(self) -> bool:
        """Whether both processes live."""
        return self._kubelet.is_alive and self._controllers.is_alive

    @property
    def are_well(self) -> bool:
        """Whether both live and do something."""
        return self.are_alive and all(Process.responds(each) for each in (self._kubelet, self._controllers))

    def start(self, access: Access, arguments: Sequence[str], groups: str = "") -> None:
        """Start what does not run, and what runs and does nothing; wait until pods that worked work again.

        Args:
            access: How the cluster is reached.
            arguments: Where the emulated AWS is.
            groups: Groups of controllers, if not all.

        Raises:
            EnvironmentFault: A process did not come up.
        """
        common = ["--kubeconfig", str(self._kubeconfig), "--state", str(self._folder), *arguments]
        starts: list[Callable[[], object]] = []
        working: frozenset[str] = frozenset()
        if not self._kubelet.responds():
            working = frozenset(uid for uid, pod in _pods(access).items() if _is_ready(pod))
            starts.append(lambda: self._start_kubelet(common))
        if not self._controllers.responds():
            only = ["--only", groups] if groups else []
            starts.append(lambda: self._start_controllers([*common, *only]))
        with ThreadPoolExecutor() as pool:
            for started in [pool.submit(start) for start in starts]:
                started.result()
        until(lambda: not (working - self._at_work()) & _pods(access).keys(), SETTLES_WITHIN, pause=0.2)

    def pause(self, within: float = ENDS_WITHIN) -> None:
        """Stop the controllers: half of a restored architecture is nothing they should mend.

        Args:
            within: Seconds they get.
        """
        self._controllers.stop(within)

    def stop(self) -> None:
        """Stop both; pods end with the kubelet."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda each: each.stop(ENDS_WITHIN), (self._controllers, self._kubelet)))

    def _start_kubelet(self, arguments: Sequence[str]) -> None:
        self._kubelet.stop(GIVES_UP_WITHIN)
        self._kubelet.launch_on(self._kubelet.ports(), arguments, self._kubelet.about)

    def _at_work(self) -> frozenset[str]:
        """Pods that the kubelet really runs; their status in the API may be of an earlier kubelet."""
        about = self._kubelet.about() or {"port": 0}
        with suppress(OSError):
            address = f"https://127.0.0.1:{about['port']}"
            token = (self._folder / "token").read_text(encoding="utf-8").strip()
            kubelet = Access(address, _unverified(), token)
            return frozenset(json.loads(once.call(kubelet, "GET", "/working", seconds=ANSWERS_WITHIN)))
        return frozenset()

    def _start_controllers(self, arguments: Sequence[str]) -> None:
        self._controllers.stop(GIVES_UP_WITHIN)
        self._controllers.launch(arguments, self._controllers.about)


def _pods(access: Access) -> dict[str, Object]:
    """Pods by uid, as the API knows them."""
    with suppress(OSError):
        pods = json.loads(once.call(access, "GET", PODS.path(), seconds=ANSWERS_WITHIN))["items"]
        return {pod["metadata"]["uid"]: pod for pod in pods}
    return {}


def _unverified() -> ssl.SSLContext:
    # A process of ours on this machine; its certificate is of whatever authority the cluster has.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
