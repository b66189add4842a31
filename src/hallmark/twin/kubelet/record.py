"""What a container's status tells: its state, the one before, and how often it was started again. No clock of its own.

A kubelet that starts again, or meets a restored cluster, takes the record over: a container that was running counts
as running on, without a restart; one that had ended for good stays ended.
"""

from collections.abc import Callable, Mapping

from hallmark.twin.kube.kinds import Object

START_ERROR = 128
"""Exit code of what could not be started (CRI)."""
NEVER = "1970-01-01T00:00:00Z"


class Record:
    """The record of one container.

    Args:
        reason: What it waits for at first.
    """

    def __init__(self, reason: str) -> None:
        self.state: Object = {"waiting": {"reason": reason}}
        self.last: Object = {}
        self.restarts = 0
        self._runs_on = ""

    def take_over(self, earlier: Mapping[str, Object], restarts_after: Callable[[int], bool]) -> bool:
        """Read the status an earlier kubelet left.

        Args:
            earlier: The container's status in the API.
            restarts_after: Whether the restart policy asks for a restart after an exit code.

        Returns:
            Whether the container has ended for good.
        """
        self.restarts = int(str(earlier["restartCount"]))
        self.last = earlier.get("lastState") or {}
        state = earlier.get("state") or {}
        if running := state.get("running"):
            self._runs_on, self.state = running["startedAt"], state
            return False
        ended = state.get("terminated")
        if ended and not restarts_after(ended["exitCode"]):
            self.state = state
            return True
        if ended:
            self.last = state
        if self.last:
            self.restarts += 1
        return False

    @property
    def runs_on(self) -> bool:
        """Whether it ran under an earlier kubelet, and its process is about to be started for this one."""
        return bool(self._runs_on)

    @property
    def exit_code(self) -> int | None:
        """The exit code, if it has ended."""
        code: int | None = (self.state.get("terminated") or {}).get("exitCode")
        return code

    def wait(self, reason: str, message: str) -> None:
        """It waits."""
        self._keep()
        self.state = {"waiting": {"reason": reason, "message": message}}

    def run(self, now: str) -> None:
        """It runs, since *now* unless it ran before."""
        self._keep()
        self.state = {"running": {"startedAt": self._runs_on or now}}
        self._runs_on = ""

    def end(self, code: int, reason: str, now: str, message: str, identity: str) -> None:
        """It has ended."""
        started = (self.state.get("running") or {}).get("startedAt", NEVER)
        told = {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now, "containerID": identity}
        self.state = {"terminated": {**told, **({"message": message} if message else {})}}

    def again(self) -> None:
        """It is about to be started again."""
        self._keep()
        self.restarts += 1

    def _keep(self) -> None:
        if "terminated" in self.state:
            self.last = self.state
