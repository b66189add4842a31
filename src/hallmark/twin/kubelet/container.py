"""The life of one container: pulled, configured, run, watched, and started again after a growing pause.

Source: Kubernetes documentation, "Pod Lifecycle"; words of ``pkg/kubelet/kuberuntime``.
"""

import asyncio
import signal
import time
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from hallmark.twin.kube.events import timestamp
from hallmark.twin.kube.kinds import Object
from hallmark.twin.kubelet.environment import ConfigError
from hallmark.twin.kubelet.health import Health
from hallmark.twin.kubelet.images import Image, Program
from hallmark.twin.kubelet.interior import Interior, not_executed
from hallmark.twin.kubelet.logs import Log
from hallmark.twin.kubelet.pulling import SYNC, Pulling
from hallmark.twin.kubelet.record import START_ERROR, Record
from hallmark.twin.kubelet.reports import Reports
from hallmark.twin.kubelet.runtime import Process, lines
from hallmark.twin.kubelet.volumes import MountFailed

if TYPE_CHECKING:
    from hallmark.twin.kubelet.pod import Pod

FIRST_BACK_OFF, LAST_BACK_OFF, FORGIVEN_AFTER = 10.0, 300.0, 600.0
"""Seconds: pauses before a restart, and how long a run must last for the pause to shrink again."""
CONFIG_RETRY = 10.0
"""Seconds after which a container that cannot be configured is looked at again."""
NOTED_WITHIN = 5.0
"""Seconds within which the end of a killed process is noted."""
MESSAGE_LIMIT = 4096


class Container:
    """One container of a pod.

    Args:
        pod: Its pod.
        spec: Its specification.
        policy: Its restart policy.
        earlier: Its status as an earlier kubelet left it.
        initial: Whether it is an init container.
    """

    def __init__(self, pod: "Pod", spec: Object, policy: str, earlier: Object | None, *, initial: bool) -> None:
        self._pod = pod
        self._machine = pod.machine
        self.spec = spec
        self.name: str = spec["name"]
        self._policy = policy
        self._initial = initial
        self.log = Log(pod.log_folder / self.name)
        self.interior = Interior(pod, lambda: self.spec)
        self.reports = Reports(pod.machine, lambda: self.spec)
        self.started = asyncio.Event()
        self._pulling = Pulling(pod, lambda: self.spec, self._wait_for, self._sleep)
        self._image: Image | None = None
        self._process: Process | None = None
        self._noted = asyncio.Event()
        self._back_off = 0.0
        self._health = self._new_health()
        self._record = Record("PodInitializing" if pod.has_inits and not initial else "ContainerCreating")
        self._done = earlier is not None and self._take_over(earlier)

    def _take_over(self, earlier: Object) -> bool:
        done = self._record.take_over(earlier, self._restarts_after)
        if "running" in self._record.state:
            self._health.go_on(started=bool(earlier.get("started")), ready=earlier["ready"])
        self.log.resume(self._record.restarts)
        return done

    def _new_health(self) -> Health:
        machine, changed, complain = self._machine, self._pod.publishing.soon, self._pod.warning
        return Health(self.spec, self.interior, machine.session, machine.speed, changed=changed, complain=complain)

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and not self._process.exit.done()

    @property
    def is_working(self) -> bool:
        """Whether its process lives and has been found ready, whatever the API still says of an earlier one."""
        return self.is_running and self._health.ready and self._health.seen

    def status(self) -> Object:
        """Its status, as in the API."""
        state = self._record.state
        running = "running" in state
        identity = {} if "waiting" in state and not self._record.last else {"containerID": self._identity()}
        return {
            "name": self.name,
            "image": self._image.name if self._image else self.spec["image"],
            "imageID": self._image.identity if self._image else "",
            "ready": (running and self._health.ready) or (self._initial and self._record.exit_code == 0),
            "started": running and self._health.started,
            "restartCount": self._record.restarts,
            "state": state,
            "lastState": self._record.last,
            **identity,
        }

    def _identity(self) -> str:
        run = f"{self._pod.uid}/{self.name}/{self._record.restarts}"
        return f"containerd://{sha256(run.encode()).hexdigest()}"

    # Its life.

    async def run(self) -> int:
        """Run until it has ended and is not to be started again; returns its exit code."""
        while not self._done:
            self._image = await self._pulling.image()
            code = await self._once(await self._configured(self._image))
            self._done = self._done or self._pod.stopping or not self._restarts_after(code)
            if not self._done:
                await self._pause()
        return self._record.exit_code or 0

    def _restarts_after(self, code: int) -> bool:
        return self._policy == "Always" or (self._policy == "OnFailure" and code != 0)

    async def _configured(self, image: Image) -> Program:
        while True:
            try:
                return self.interior.furnish(image)
            except (ConfigError, MountFailed) as error:
                self._wait_for("CreateContainerConfigError", str(error))
                await self._pod.warning("Failed", f"Error: {error}")
            await self._sleep(CONFIG_RETRY)

    async def _once(self, program: Program) -> int:
        self.log.begin(self._record.restarts)
        await self._pod.normal("Created", f"Created container: {self.name}")
        if missing := program.missing(self.interior.arguments):
            return await self._not_started(missing)
        began = time.monotonic()
        self._noted.clear()
        if not self._record.runs_on:  # else it is as healthy as it was, until a probe says something else
            self._health = self._new_health()
        self._process = await self.interior.start(program)
        self._record.run(timestamp())
        self._pod.publishing.soon()
        await self._pod.normal("Started", f"Started container {self.name}")
        self.started.set()
        code = await self._watched(self._process, program)
        reason = "OOMKilled" if self.reports.out_of_memory else "Completed" if code == 0 else "Error"
        self._end(code, reason, self._last_message(code))
        if time.monotonic() - began > FORGIVEN_AFTER / self._machine.speed:
            self._back_off = 0.0
        return code

    async def _watched(self, process: Process, program: Program) -> int:
        output = asyncio.create_task(self._copy(process))
        reports = asyncio.create_task(self.reports.heed(process, program))
        self.reports.begin(process, program)
        health = asyncio.create_task(self._stay_healthy())
        try:
            status = await asyncio.shield(process.exit)  # whoever gives up waiting must not make it look ended
            await asyncio.gather(output, reports)
        finally:
            for task in (health, output, reports):
                task.cancel()
            self._machine.runtime.kill(process, signal.SIGKILL)
            process.close()
            self.reports.end()
        return status if status >= 0 else 128 - status

    async def _copy(self, process: Process) -> None:
        async for line in lines(process.output):
            self.log.write(line)

    async def _stay_healthy(self) -> None:
        if kind := await self._health.watch():
            await self._pod.normal("Killing", f"Container {self.name} failed {kind} probe, will be restarted")
            await self.stop(self._pod.grace)

    async def _not_started(self, missing: str) -> int:
        said = (
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
            "runc create failed: unable to start container process: error during container init: "
            + not_executed(missing)
        )
        await self._pod.warning("Failed", f"Error: {said}")
        self._end(START_ERROR, "StartError", said)
        if self._restarts_after(START_ERROR):
            self._wait_for("RunContainerError", said)
        return START_ERROR

    def _end(self, code: int, reason: str, message: str) -> None:
        self._record.end(code, reason, timestamp(), message, self._identity())
        self.log.end()
        self._pod.publishing.soon()
        self._noted.set()

    def _last_message(self, code: int) -> str:
        path = self.spec.get("terminationMessagePath") or "/dev/termination-log"
        with suppress(OSError):
            return self.interior.path(path).read_text(encoding="utf-8", errors="replace")[:MESSAGE_LIMIT]
        falls_back = self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError" and code != 0
        return self.log.last_lines() if falls_back else ""

    async def _pause(self) -> None:
        """Wait before the next run: hardly at all the first time, then longer each time."""
        if self._back_off:
            name = f"{self._pod.name}_{self._pod.namespace}({self._pod.uid})"
            shown = _duration(self._back_off)
            self._wait_for("CrashLoopBackOff", f"back-off {shown} restarting failed container={self.name} pod={name}")
            await self._pod.warning("BackOff", f"Back-off restarting failed container {self.name} in pod {name}")
        await asyncio.sleep((self._back_off or SYNC) / self._machine.speed)
        self._back_off = min(max(self._back_off * 2, FIRST_BACK_OFF), LAST_BACK_OFF)
        self._record.again()

    def _wait_for(self, reason: str, message: str) -> None:
        self._record.wait(reason, message)
        self._pod.publishing.soon()

    async def _sleep(self, seconds: float) -> None:
        # Less if what the container is made of has changed.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds / self._machine.speed):
                await self._pod.changed.wait()

    async def start_again(self) -> None:
        """Start it again because its image has changed."""
        if self.is_running:
            await self._pod.normal("Killing", f"Container {self.name} definition changed, will be restarted")
            await self.stop(self._pod.grace)

    async def finish(self, grace: float) -> None:
        """End it for good: a sidecar whose pod's work is done."""
        self._done = True
        await self.stop(grace)

    async def stop(self, grace: float) -> None:
        """End its process: asked, and after *grace* seconds forced."""
        process = self._process
        if process is None or process.exit.done():
            return
        self._machine.runtime.kill(process, signal.SIGTERM)
        await asyncio.wait([process.exit], timeout=max(grace, 1.0) / self._machine.speed)
        self._machine.runtime.kill(process, signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(NOTED_WITHIN):
                await self._noted.wait()

    async def killed(self) -> None:
        """Kill its process and wait until it is gone."""
        if process := self._process:
            self._machine.runtime.kill(process, signal.SIGKILL)
            await asyncio.wait([process.exit], timeout=NOTED_WITHIN)


def _duration(seconds: float) -> str:
    # As Go prints it: 10s, 1m20s, 5m0s.
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
