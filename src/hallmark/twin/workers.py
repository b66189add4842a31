"""What works for a cluster beside its API: data stores, the kubelet that runs the pods, controllers, load balancers.

All but the stores keep nothing of their own, so each can be started anew at any moment.
"""

import json
import shutil
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault
from hallmark.twin.kube import once
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.kinds import PODS, Object
from hallmark.twin.process import GIVES_UP_WITHIN, Process, uninterrupted
from hallmark.twin.stores.archive import archive, unpack
from hallmark.twin.stores.given import chosen
from hallmark.twin.stores.held import GivenFault, at_work
from hallmark.waiting import until

SETTLES_WITHIN = 60.0
"""Seconds that pods get to work again after their kubelet was started; what broke on purpose never does."""
ANSWERS_WITHIN, COPIES_WITHIN = 10.0, 60.0
ENDS_WITHIN = 15.0
"""Seconds to end in order. None has anything to save, so nothing is lost by force."""
TRIED_AGAIN_WITHIN = 20.0
"""Seconds until a store that could not begin has been tried again; it happens every ten."""
DATA, PREPARED = "data", "data.next"
"""Folders of the stores' state: what is kept with a snapshot, and what takes its place."""


class Workers:
    """What works for one cluster.

    Args:
        state: The state directory of the twin.
        folder: The cluster's in it.
        kubeconfig: How they reach the cluster.
    """

    def __init__(self, state: Path, folder: Path, kubeconfig: Path) -> None:
        self._state = state
        self._folder = folder
        self._kubeconfig = kubeconfig
        self._stores = Process(state / "stores", "stores", "hallmark.twin.stores.main", "The twin's data stores")
        self._kubelet = Process(folder, "kubelet", "hallmark.twin.kubelet.main", "The twin's kubelet")
        self._controllers = Process(folder, "controllers", "hallmark.twin.controllers.main", "The twin's controllers")
        self._edge = Process(state / "edge", "edge", "hallmark.twin.edge.main", "The twin's load balancers")
        self._all = self._stores, self._kubelet, self._controllers, self._edge

    @property
    def are_alive(self) -> bool:
        """Whether all processes live."""
        return all(each.is_alive for each in self._all)

    @property
    def are_well(self) -> bool:
        """Whether all live and do something."""
        return self.are_alive and all(each.responds() for each in self._all)

    @property
    def edge(self) -> int:
        """Port of the proxy that leads to the load balancers; 0 while it does not run."""
        return int((self._edge.about() or {"port": 0})["port"])

    @property
    def direct(self) -> tuple[str, int] | None:
        """Address and port where load balancers take TLS without the proxy; None if they do not."""
        place = (self._edge.about() or {}).get("direct")
        return (place[0], place[1]) if place else None

    def start(self, access: Access, aws: Sequence[str], groups: str = "") -> None:
        """Start what does not run, and what runs and does nothing; wait until pods that worked work again.

        Args:
            access: How the cluster is reached.
            aws: Where the emulated AWS is, as arguments.
            groups: Groups of controllers, if not all.

        Raises:
            EnvironmentFault: A process did not come up.
        """
        common = ["--kubeconfig", str(self._kubeconfig), "--state", str(self._folder), *aws]
        only = ["--only", groups] if groups else []
        has_kubelet = self._kubelet.responds()
        working = frozenset(_ready_pods(access))  # of a restored cluster as well, whose pods a living kubelet begins

        def start_stores_and_pods() -> None:
            self.open_stores(aws)  # pods do not start without them
            if not has_kubelet:
                self._start_kubelet(common)

        starts: list[Callable[[], object]] = [start_stores_and_pods]
        if not self._controllers.responds():
            starts.append(lambda: self._start(self._controllers, [*common, *only]))
        if not self._edge.responds():
            starts.append(lambda: self._start_edge(aws))
        with ThreadPoolExecutor() as pool:
            with uninterrupted():
                started = [pool.submit(start) for start in starts]
            for each in started:
                each.result()
        until(lambda: not (working - self._at_work()) & _pods(access).keys(), SETTLES_WITHIN, pause=0.2)

    def pause(self, within: float = ENDS_WITHIN) -> None:
        """Stop who follows AWS and the cluster: half of a restored architecture is nothing they should mend.

        Args:
            within: Seconds they get.
        """
        self._end((self._controllers, self._stores), within)

    def stop(self) -> None:
        """Stop all; pods end with the kubelet."""
        self._end(self._all, ENDS_WITHIN)

    def data(self) -> tuple[bytes, bytes]:
        """What the stores and the persistent volumes hold; to be asked for while paused.

        Raises:
            EnvironmentFault: Data is on a server given by URL that did not give it.
        """
        if missing := at_work(self._stores.state / DATA):
            said = (
                f"The data of {', '.join(missing)} could not be read from the server that was given: nothing is kept."
            )
            raise EnvironmentFault(said, "start that server, then: hallmark twin up")
        disks = self._folder / "volumes"
        kept = self._ask("GET", "/disks") if self._kubelet.is_alive else archive(disks)
        return archive(self._stores.state / DATA), kept

    def prepare_data(self, stores: bytes) -> None:
        """Unpack what the stores are to hold beside what they do hold; they may go on meanwhile."""
        unpack(self._stores.state / PREPARED, stores)

    def put_data(self, disks: bytes) -> None:
        """Put what was prepared, and what the persistent volumes hold, in place; to be done while paused."""
        shutil.rmtree(self._stores.state / DATA, ignore_errors=True)
        (self._stores.state / PREPARED).rename(self._stores.state / DATA)
        if self._kubelet.is_alive:
            self._ask("PUT", "/disks", disks)
        else:
            unpack(self._folder / "volumes", disks)

    def open_stores(self, aws: Sequence[str]) -> None:
        """Start the data stores if they do not run; return once ours take connections."""
        if not self._stores.responds():
            whose = ["--state", str(self._stores.state), "--aws-state", str(self._state)]
            self._start(self._stores, [*whose, *aws])

    def use_stores(self, environment: Mapping[str, str]) -> bool:
        """Have the stores on the servers that variables name; True if they have to be started for that."""
        return chosen.change(self._stores.state, environment, self.pause)

    def require_stores(self, within: float = TRIED_AGAIN_WITHIN) -> None:
        """Refuse to go on while a server given by URL does not play along.

        Args:
            within: Seconds in which it is tried again.

        Raises:
            GivenFault: In the words of the stores' process.
        """
        if not until(lambda: not self._told()["faults"], within, pause=0.2):
            for message, hint in self._told()["faults"]:
                raise GivenFault(message, hint)

    def stores_say(self) -> str:
        """What a person has to know of the servers that were given; empty if that is nothing."""
        told = self._told()
        return " ".join([*(message for message, _ in told["faults"]), *told["notes"]])

    def _told(self) -> dict[str, Any]:
        file = self._stores.state / chosen.TOLD
        empty: dict[str, Any] = {"faults": [], "notes": []}
        return json.loads(file.read_text(encoding="utf-8")) if self._stores.is_alive and file.exists() else empty

    def _end(self, processes: Sequence[Process], within: float) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda each: each.stop(within), processes))

    def _start_kubelet(self, arguments: Sequence[str]) -> None:
        self._kubelet.stop(GIVES_UP_WITHIN)
        self._kubelet.launch_on(self._kubelet.ports(), arguments, self._kubelet.about)

    def _start_edge(self, aws: Sequence[str]) -> None:
        self._edge.stop(GIVES_UP_WITHIN)
        # A person at the twin is in the office as well: an internal load balancer is a right way to build.
        arguments = ["--state", str(self._edge.state), "--kubelet", str(self._folder), "--tunnel"]
        arguments += ["--aws-state", str(self._state), *aws]
        self._edge.launch_on(self._edge.ports(), arguments, self._edge.about)

    def _start(self, process: Process, arguments: Sequence[str]) -> None:
        process.stop(GIVES_UP_WITHIN)
        process.launch(arguments, process.about)

    def _at_work(self) -> frozenset[str]:
        """Pods that the kubelet really runs; their status in the API may be of an earlier kubelet."""
        with suppress(OSError):
            return frozenset(json.loads(self._ask("GET", "/working")))
        return frozenset()

    def _ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        about = self._kubelet.about() or {"port": 0}
        address = f"https://127.0.0.1:{about['port']}"
        token = (self._folder / "token").read_text(encoding="utf-8").strip()
        kubelet = Access(address, _unverified(), token)
        seconds = COPIES_WITHIN if path == "/disks" else ANSWERS_WITHIN
        return once.call(kubelet, method, path, content, seconds=seconds)


def _pods(access: Access) -> dict[str, Object]:
    """Pods by uid, as the API knows them."""
    with suppress(OSError):
        pods = json.loads(once.call(access, "GET", PODS.path(), seconds=ANSWERS_WITHIN))["items"]
        return {pod["metadata"]["uid"]: pod for pod in pods}
    return {}


def _ready_pods(access: Access) -> Iterator[str]:
    return (uid for uid, pod in _pods(access).items() if _is_ready(pod))


def _unverified() -> ssl.SSLContext:
    # A process of ours on this machine; its certificate is of whatever authority the cluster has.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
