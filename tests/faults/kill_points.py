"""Kill an inject or a revert at every point it has, and take the way back each time.

``python kill_points.py inject|revert KIND PARAMS PROFILE STAGE HOME`` (the middle three as JSON) prints one JSON line
a point. A point is *before* an event (a journal entry written, a call made) or after the last one. The child that is
killed is a real process, ended by SIGKILL; its watchdog is left out here, so that nobody but ``revert`` can have
mended anything.
"""

import itertools
import json
import os
import runpy
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hallmark.faults import journal, runner, watchdog
from hallmark.faults.definition import Fault
from hallmark.faults.target import Target
from hallmark.model import Call
from hallmark.targets.profile import Profile
from hallmark.targets.writer import AwsWriter, Outcome

Stage = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stage.py")))).Stage
front, vault = [
    SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name(each)))) for each in ("front.py", "vault.py")
]


class Fuse:
    """Ends the process with SIGKILL at the n-th event."""

    def __init__(self, point: int) -> None:
        self.left = point

    def burn(self) -> None:
        """One event is about to happen."""
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


@dataclass(frozen=True)
class System:
    """What is broken and mended.

    Attributes:
        profile: How to reach it.
        home: The state directory.
        aws: Its AWS; clients take longer to make than to use.
        stage: Its cluster.
    """

    profile: Profile
    home: Path
    aws: AwsWriter
    stage: Any

    def state(self) -> Any:
        """Everything that faults may touch, without what the target gives anew."""
        rules = self._ask("ec2", "describe_security_group_rules")["SecurityGroupRules"]
        stripped = [{k: v for k, v in rule.items() if not k.startswith("SecurityGroupRule")} for rule in rules]
        acls = self._ask("wafv2", "list_web_acls", Scope="REGIONAL")["WebACLs"]
        found = [
            self._ask("wafv2", "get_web_acl", Scope="REGIONAL", Name=a["Name"], Id=a["Id"])["WebACL"] for a in acls
        ]
        groups = self._ask("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"]
        sizes = [(each["MinSize"], each["DesiredCapacity"], each["MaxSize"]) for each in groups]
        volumes = self._ask("ec2", "describe_volumes")["Volumes"]
        figures = sorted((each["VolumeId"], each.get("Iops"), each.get("Throughput")) for each in volumes)
        around = front.state(self.aws, self.stage), vault.state(self.aws), self.stage.state()
        return sorted(map(json.dumps, stripped)), found, sizes, figures, around

    def _ask(self, service: str, operation: str, **params: Any) -> Any:
        return self.aws.answer(Call.of(service, operation, **params)).value


class Mortal(Target):
    """A target whose writer dies with its fuse; the cluster lives on and does what was written."""

    def __init__(self, system: System, fuse: Fuse | None = None) -> None:
        super().__init__(system.profile, system.aws)
        self._stage, self._fuse = system.stage, fuse

    def write(self, call: Call) -> Outcome:
        """Make the write, unless it is time to die."""
        if self._fuse:
            self._fuse.burn()
        outcome = super().write(call)
        self._stage.follow(call)
        return outcome


def main(verb: str, fault: Fault, system: System) -> None:
    """Try points until the verb survives; then the last point was after its last event."""
    setattr(watchdog, "start", lambda *_: None)  # noqa: B010  (mypy rightly objects to plain assignment)
    engine = runner.Runner(system.profile, system.home, Mortal(system))
    for point in itertools.count():
        before = system.state()
        if verb == "revert":
            engine.inject(fault)
        died = is_killed(partial(act, verb, fault, system, Fuse(point)))
        for left in runner.active(system.home):
            engine.revert(left)
        recovered = system.state() == before and not runner.active(system.home)
        sys.stdout.write(json.dumps({"point": point, "died": died, "recovered": recovered}) + "\n")
        if not died:
            return


def act(verb: str, fault: Fault, system: System, fuse: Fuse) -> None:
    """Inject or revert with a fuse at every journal entry and every call."""
    for client in system.aws._clients.values():
        client.close()  # the connections are the parent's
    save = journal.save

    def mortal_save(home: Path, entry: journal.Journal) -> journal.Journal:
        fuse.burn()
        return save(home, entry)

    setattr(journal, "save", mortal_save)  # noqa: B010  (the same)
    engine = runner.Runner(system.profile, system.home, Mortal(system, fuse))
    if verb == "inject":
        engine.inject(fault)
    else:
        engine.revert(runner.active(system.home)[0])


def is_killed(action: Callable[[], None]) -> bool:
    """Run *action* in a child; whether SIGKILL ended it."""
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _system(profile: str, stage: str, home: str) -> System:
    where, fields = Profile(**json.loads(profile)), json.loads(stage)
    made = Stage(Path(fields["kubeconfig"]), fields["namespace"], fields["node_group"])
    return System(where, Path(home), AwsWriter(where), made)


if __name__ == "__main__":
    asked = Fault("lab", sys.argv[2], timedelta(minutes=5), "symptom", params=json.loads(sys.argv[3]))
    main(sys.argv[1], asked, _system(*sys.argv[4:7]))
