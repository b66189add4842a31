"""All pods of our nodes: each is started when it is bound to one, and ended when it is deleted or its node is gone."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from hallmark.twin.kube.kinds import CLAIMS, CONFIG_MAPS, NODES, PODS, SECRETS, Key, Kind, Object, key_of
from hallmark.twin.kubelet.machine import Machine
from hallmark.twin.kubelet.pod import Pod

T = TypeVar("T")
WORKS_WITHIN = 30.0
"""Seconds that a pod gets to work again; what broke on purpose never does."""


class Pods:
    """The pods that run here; a controller in the sense of :mod:`hallmark.twin.kube.reconcile`.

    Args:
        machine: What they share.
    """

    name = "kubelet"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._pods: dict[str, Pod] = {}
        self._ending: set[asyncio.Task[None]] = set()
        for kind in (SECRETS, CONFIG_MAPS, CLAIMS):
            machine.caches[kind].listen(self._made_of(kind.kind))

    def watches(self) -> Mapping[Kind, Callable[[Object], Iterable[Key]]]:
        """A pod concerns itself; a node concerns its pods."""
        return {PODS: lambda pod: [key_of(pod)], NODES: self._on_node}

    async def reconcile(self, key: Key) -> None:
        """Look at one pod."""
        thing = self._machine.caches[PODS].get(key)
        for old in [each for each in self._pods.values() if (each.namespace, each.name) == key]:
            if thing is None or thing["metadata"]["uid"] != old.uid or self._machine.node(old.node_name) is None:
                self._end(old, old.drop())
        if thing is None or not thing["spec"].get("nodeName") or self._machine.node(thing["spec"]["nodeName"]) is None:
            return
        await self._follow(thing)

    async def _follow(self, thing: Object) -> None:
        uid = thing["metadata"]["uid"]
        deleted = bool(thing["metadata"].get("deletionTimestamp"))
        pod = self._pods.get(uid)
        if pod is None and deleted:
            self._clear(uid)
            await self._machine.caches.delete(PODS, thing, gracePeriodSeconds=0)
        elif pod is None:
            self._pods[uid] = pod = Pod(self._machine, thing)
            pod.start()
        else:
            pod.update(thing)
            if deleted and not pod.stopping:
                self._end(pod, pod.stop())

    def find(self, namespace: str, name: str) -> Pod | None:
        """A pod by name."""
        return next((each for each in self._pods.values() if (each.namespace, each.name) == (namespace, name)), None)

    def at(self, ip: str, port: int) -> Pod | None:
        """The pod with this address; of several on a node's own, the one that listens on the port."""
        found = [each for each in self._pods.values() if each.ip == ip and each.address.loopback]
        return next((each for each in found if each.listens_on(port)), found[0] if found else None)

    def by_token(self, token: str) -> Pod | None:
        """The pod whose programs show this token."""
        return next((each for each in self._pods.values() if each.token == token), None)

    def all(self) -> Iterable[Pod]:
        """Every pod."""
        return list(self._pods.values())

    def sweep(self) -> None:
        """Remove folders of pods that are gone; to be called once the caches are filled."""
        known = {each["metadata"]["uid"] for each in self._machine.caches[PODS].all()}
        for folder in self._folders():
            if (uid := folder.name.rsplit("_", 1)[-1]) not in known:
                self._clear(uid)

    def _folders(self) -> list[Path]:
        return [*self._machine.state.glob("pods/*"), *self._machine.state.glob("logs/*")]

    def _clear(self, uid: str) -> None:
        for folder in self._folders():
            if folder.name.rsplit("_", 1)[-1] == uid:
                shutil.rmtree(folder, ignore_errors=True)

    async def while_disks_rest(self, work: Callable[[], T]) -> T:
        """Do something with the persistent volumes while no process uses them.

        Args:
            work: What is done, in a thread; the pods that use volumes go on afterwards as after a stop of the twin, and
                those that worked are waited for.
        """
        using = [pod for pod in self.all() if pod.has_disks and not pod.stopping]
        worked = {pod.uid for pod in using if pod.is_working}
        await asyncio.gather(*(pod.let_go() for pod in using))
        try:
            return await asyncio.to_thread(work)
        finally:
            for pod in using:
                if self._pods.get(pod.uid) is pod:
                    self._pods[pod.uid] = again = Pod(self._machine, pod.object)
                    again.start()
            with suppress(TimeoutError):
                async with asyncio.timeout(WORKS_WITHIN):
                    while any(pod.uid in worked and not pod.is_working for pod in self.all()):  # noqa: ASYNC110  (many)
                        await asyncio.sleep(0.1)

    async def close(self) -> None:
        """End all processes; the pods stay as the API knows them, and run again when a kubelet starts."""
        for pod in self.all():
            pod.abandon()
        for task in self._ending:
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _end(self, pod: Pod, work: Coroutine[Any, Any, None]) -> None:
        async def end() -> None:
            try:
                await work
            finally:
                self._pods.pop(pod.uid, None)

        task = asyncio.get_running_loop().create_task(end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _on_node(self, node: Object) -> Iterable[Key]:
        name = node["metadata"]["name"]
        return [key_of(pod) for pod in self._machine.caches[PODS].all() if pod["spec"].get("nodeName") == name]

    def _made_of(self, kind: str) -> Callable[[Object], None]:
        def listener(thing: Object) -> None:
            namespace, name = key_of(thing)
            for pod in self._pods.values():
                if pod.namespace == namespace:
                    pod.made_of(kind, name)

        return listener
