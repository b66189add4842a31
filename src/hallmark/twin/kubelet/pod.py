"""The life of one pod: an address, volumes, init containers, containers, and its status in the API.

Source: Kubernetes documentation, "Pod Lifecycle" and "Init Containers".
"""

import asyncio
import logging
import shutil
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import suppress
from secrets import token_urlsafe
from typing import Any

from hallmark.errors import EnvironmentFault
from hallmark.twin.kube.client import ApiError
from hallmark.twin.kube.events import timestamp
from hallmark.twin.kube.kinds import Object, version_of
from hallmark.twin.kubelet import status
from hallmark.twin.kubelet.addresses import Address
from hallmark.twin.kubelet.container import Container
from hallmark.twin.kubelet.machine import Machine, internal_ip
from hallmark.twin.kubelet.mounting import Mounting
from hallmark.twin.kubelet.publishing import Publishing
from hallmark.twin.kubelet.supplies import Supplies
from hallmark.twin.kubelet.volumes import Volumes

log = logging.getLogger(__name__)
DEFAULT_GRACE = 30
"""Seconds."""
NOWHERE = 1
"""A port nobody listens on: where a port leads that no program of the pod has opened."""
ENDED = frozenset({"Succeeded", "Failed"})


class Pod:
    """One pod on one of our nodes.

    Args:
        machine: What pods share.
        thing: The pod as in the API.
    """

    def __init__(self, machine: Machine, thing: Object) -> None:
        self.machine = machine
        self.object = thing
        metadata, spec = thing["metadata"], thing["spec"]
        self.uid: str = metadata["uid"]
        self.name: str = metadata["name"]
        self.namespace: str = metadata["namespace"]
        self.node_name: str = spec["nodeName"]
        self.token = token_urlsafe(16)
        """What its programs show at the gate."""
        self.log_folder = machine.state / "logs" / f"{self.namespace}_{self.name}_{self.uid}"
        self.folder = machine.state / "pods" / self.uid
        self.volumes = Volumes(self.folder, machine.disks)
        self.supplies = Supplies(machine, thing)
        self.publishing = Publishing(self)
        self.changed = asyncio.Event()
        """Set for a moment when something that the pod is made of changes."""
        self.stopping = False
        self.has_inits = bool(spec.get("initContainers"))
        self.address = Address(self._earlier("podIP"), "") if self._earlier("phase") in ENDED else self._place()
        self._mounting = Mounting(self)
        self._ended: dict[str, str] = {}
        self._started = self._earlier("startTime") or timestamp()
        self._inits = self._make(spec.get("initContainers") or [], "initContainerStatuses")
        self._containers = self._make(spec["containers"], "containerStatuses")
        self._tasks: set[asyncio.Task[Any]] = set()

    def _make(self, specs: Sequence[Object], key: str) -> list[Container]:
        earlier = {each["name"]: each for each in (self.object.get("status") or {}).get(key) or []}
        policy = self.object["spec"].get("restartPolicy", "Always")
        initial = key == "initContainerStatuses"
        if initial and policy == "Always":
            policy = "OnFailure"
        return [
            Container(self, spec, spec.get("restartPolicy") or policy, earlier.get(spec["name"]), initial=initial)
            for spec in specs
        ]

    def _earlier(self, name: str) -> str:
        return str((self.object.get("status") or {}).get(name) or "")

    def _place(self) -> Address:
        node = self.machine.node(self.node_name)
        if node is None:
            raise EnvironmentFault(f"{self.node_name} is not a node of this kubelet.")
        if self.object["spec"].get("hostNetwork"):
            return self.machine.addresses.take("", internal_ip(node))
        return self.machine.addresses.take(
            self.machine.subnet(node), self._earlier("podIP"), self.machine.node_addresses()
        )

    # What containers ask of their pod.

    @property
    def ip(self) -> str:
        """Its address as the cluster knows it."""
        return self.address.ip

    @property
    def grace(self) -> float:
        """Seconds its containers have to end."""
        metadata, spec = self.object["metadata"], self.object["spec"]
        given = metadata.get("deletionGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"))
        return DEFAULT_GRACE if given is None else float(given)

    async def normal(self, reason: str, message: str) -> None:
        """Record an event."""
        await self.machine.recorder.normal(self.object, reason, message)

    async def warning(self, reason: str, message: str) -> None:
        """Record an event that an operator should see."""
        await self.machine.recorder.warning(self.object, reason, message)

    def reach(self, port: int) -> tuple[str, int]:
        """Where a port of the pod is on this machine."""
        return self.address.loopback, dict(self.ports()).get(port, NOWHERE)

    def ports(self) -> Iterator[tuple[int, int]]:
        """Ports that its programs serve, each with where it really is."""
        for container in self.all():
            yield from container.reports.listening.items()

    def listens_on(self, port: int) -> bool:
        """Whether one of its programs serves a port."""
        return port in dict(self.ports())

    def all(self) -> Iterator[Container]:
        """Its containers, init containers first."""
        yield from self._inits
        yield from self._containers

    @property
    def has_disks(self) -> bool:
        """Whether it uses persistent volumes."""
        return any("persistentVolumeClaim" in each for each in self.object["spec"].get("volumes") or [])

    @property
    def is_working(self) -> bool:
        """Whether all its containers run and are ready at this moment, whatever its status in the API says."""
        return all(each.is_working for each in self._containers)

    def find(self, name: str) -> Container | None:
        """A container by name."""
        return next((each for each in self.all() if each.name == name), None)

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something that nobody waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("pod %s/%s: %r", self.namespace, self.name, error, exc_info=error)

    # What happens to a pod.

    def start(self) -> None:
        """Begin its life; one that has ended already only keeps its logs."""
        if self._earlier("phase") not in ENDED:
            self.later(self.publishing.run())
            self.later(self._live())

    def update(self, thing: Object) -> None:
        """Take in the pod as it is in the API now."""
        if version_of(thing) > version_of(self.object) and thing.get("status") != self.object.get("status"):
            self.publishing.forget()  # others wrote, or the cluster was restored: what is so is said again
        self.object = thing
        specs = {
            each["name"]: each for each in [*thing["spec"]["containers"], *(thing["spec"].get("initContainers") or [])]
        }
        for container in self.all():
            spec = specs.get(container.name, container.spec)
            if spec["image"] != container.spec["image"]:
                self.later(container.start_again())
                self._wake()
            container.spec = spec
        self.publishing.soon()  # a condition of somebody else may decide whether the pod is ready

    def made_of(self, kind: str, name: str) -> None:
        """Something of its namespace changed: look again where it is waited for, and renew mounted files."""
        self._wake()
        if self._mounting.is_made_of(kind, name):
            self.later(self._mounting.renew())

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def stop(self) -> None:
        """End it as its deletion asks, and tell the API that it is gone."""
        if self.stopping:
            return
        self.stopping = True
        running = [each for each in self.all() if each.is_running]
        for each in running:
            await self.normal("Killing", f"Stopping container {each.name}")
        await asyncio.gather(*(each.stop(self.grace) for each in running))
        await self._settle()
        with suppress(ApiError, EnvironmentFault):
            await self.publishing.write()
        self._forget()
        await self.publishing.tell_gone()
        self._leave()

    def abandon(self) -> None:
        """Stop looking after it: the kubelet ends, and its processes with it."""
        self.stopping = True
        for task in self._tasks:
            task.cancel()

    async def let_go(self) -> None:
        """End its processes for a moment; the API hears nothing of it, and another object goes on with the pod."""
        self.abandon()
        await self._settle()
        await asyncio.gather(*(each.killed() for each in self.all()))
        self._leave()

    async def drop(self) -> None:
        """End it at once: its object or its node is gone."""
        already, self.stopping = self.stopping, True
        if not already:
            await asyncio.gather(*(each.stop(1.0) for each in self.all()))
            await self._settle()
            self._forget()
            self._leave()

    async def _settle(self) -> None:
        # What is still going on waits for something, or writes a status that is not the last.
        waiting = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def _leave(self) -> None:
        # Its address is free for others; its status keeps it.
        if self.address.loopback:
            self.machine.addresses.give_back(self.address)
            self.address = Address(self.address.ip, "")

    def _forget(self) -> None:
        self.volumes.remove()
        shutil.rmtree(self.log_folder, ignore_errors=True)

    async def _live(self) -> None:
        self.publishing.soon()
        await self._mounting.mount()
        self.later(self._mounting.keep_tokens())
        self.publishing.soon()
        if seconds := self.object["spec"].get("activeDeadlineSeconds"):
            self.later(self._deadline(float(seconds)))
        for container in self._inits:
            if container.spec.get("restartPolicy") == "Always":
                self.later(container.run())
                await container.started.wait()
            elif await container.run() != 0:
                self._leave()
                self.publishing.soon()
                return
            self.publishing.soon()
        await asyncio.gather(*(each.run() for each in self._containers))
        await asyncio.gather(*(each.finish(self.grace) for each in self._inits))
        self._leave()
        self.publishing.soon()

    async def _deadline(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.machine.speed)
        said = "Pod was active on the node longer than the specified deadline"
        self._ended = {"phase": "Failed", "reason": "DeadlineExceeded", "message": said}
        await self.normal("DeadlineExceeded", said)
        self.stopping = True
        await asyncio.gather(*(each.stop(self.grace) for each in self.all()))
        self.stopping = False
        self.publishing.soon()

    def status(self) -> Object:
        """The status as it is now."""
        node = self.machine.node(self.node_name)
        return status.build(
            self.object,
            status.Facts(
                containers=[each.status() for each in self._containers],
                inits=[each.status() for each in self._inits],
                started=self._started,
                ip=self.ip if self._mounting.done else "",
                host_ip=internal_ip(node),
                mounted=self._mounting.done,
                now=timestamp(),
                ended=self._ended,
            ),
        )
