"""Kill an inject or a revert at every point it has, and take the way back each time.

``python kill_points.py inject|revert KIND PARAMS_JSON PROFILE_JSON STAGE_JSON HOME`` prints one JSON line a point. A point is *before* an
event (a journal entry written, a call made) or after the last one. The child that is killed is a real process, ended
by SIGKILL; its watchdog is left out here, so that nobody but ``revert`` can have mended anything.
"""

import itertools
import json
import os
import runpy
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hallmark.faults import journal, runner, watchdog
from hallmark.faults.definition import Fault
from hallmark.faults.target import Target
from hallmark.model import Call
from hallmark.targets.aws import AwsSource
from hallmark.targets.profile import Profile
from hallmark.targets.writer import AwsWriter, Outcome

Stage = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stage.py")))).Stage


class Fuse:
    """Ends the process with SIGKILL at the n-th event."""

    def __init__(self, point: int) -> None:
        self.left = point

    def burn(self) -> None:
        """One event is about to happen."""
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


class Mortal(Target):
    """A target whose writer dies with its fuse; the cluster lives on and does what was written."""

    def __init__(self, profile: Profile, aws: AwsWriter, stage: Any, fuse: Fuse | None = None) -> None:
        super().__init__(profile, aws)
        self._stage, self._fuse = stage, fuse

    def write(self, call: Call) -> Outcome:
        """Make the write, unless it is time to die."""
        if self._fuse:
            self._fuse.burn()
        outcome = super().write(call)
        if call.service == "kubernetes":
            self._stage.settle()
        return outcome


def main(verb: str, fault: Fault, profile: Profile, stage: Any, home: Path) -> None:
    """Try points until the verb survives; then the last point was after its last event."""
    setattr(watchdog, "start", lambda *_: None)  # noqa: B010  (mypy rightly objects to plain assignment)
    aws = AwsWriter(profile)
    engine = runner.Runner(profile, home, Mortal(profile, aws, stage))
    for point in itertools.count():
        before = state(aws, stage)
        if verb == "revert":
            engine.inject(fault)
        died = is_killed(partial(act, verb, fault, profile, aws, stage, home, Fuse(point)))
        for left in runner.active(home):
            engine.revert(left)
        recovered = state(aws, stage) == before and not runner.active(home)
        sys.stdout.write(json.dumps({"point": point, "died": died, "recovered": recovered}) + "\n")
        if not died:
            return


def act(verb: str, fault: Fault, profile: Profile, aws: AwsWriter, stage: Any, home: Path, fuse: Fuse) -> None:
    """Inject or revert with a fuse at every journal entry and every call."""
    for client in aws._clients.values():
        client.close()  # the connections are the parent's
    save = journal.save

    def mortal_save(home: Path, entry: journal.Journal) -> journal.Journal:
        fuse.burn()
        return save(home, entry)

    setattr(journal, "save", mortal_save)  # noqa: B010  (the same)
    engine = runner.Runner(profile, home, Mortal(profile, aws, stage, fuse))
    if verb == "inject":
        engine.inject(fault)
    else:
        engine.revert(runner.active(home)[0])


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


def state(source: AwsSource, stage: Any) -> Any:
    """Everything of the account and the namespace that faults may touch, without what the target gives anew."""
    rules = source.answer(Call.of("ec2", "describe_security_group_rules")).value["SecurityGroupRules"]
    stripped = [{k: v for k, v in rule.items() if not k.startswith("SecurityGroupRule")} for rule in rules]
    acls = source.answer(Call.of("wafv2", "list_web_acls", Scope="REGIONAL")).value["WebACLs"]
    found = [
        source.answer(Call.of("wafv2", "get_web_acl", Scope="REGIONAL", Name=a["Name"], Id=a["Id"])).value["WebACL"]
        for a in acls
    ]
    groups = source.answer(Call.of("autoscaling", "describe_auto_scaling_groups")).value["AutoScalingGroups"]
    sizes = [(each["MinSize"], each["DesiredCapacity"], each["MaxSize"]) for each in groups]
    volumes = source.answer(Call.of("ec2", "describe_volumes")).value["Volumes"]
    figures = sorted((each["VolumeId"], each.get("Iops"), each.get("Throughput")) for each in volumes)
    return sorted(map(json.dumps, stripped)), found, sizes, figures, stage.state()


def _stage(text: str) -> Any:
    fields = json.loads(text)
    return Stage(Path(fields["kubeconfig"]), fields["namespace"], fields["node_group"])


if __name__ == "__main__":
    asked = Fault("lab", sys.argv[2], timedelta(minutes=5), "symptom", params=json.loads(sys.argv[3]))
    main(sys.argv[1], asked, Profile(**json.loads(sys.argv[4])), _stage(sys.argv[5]), Path(sys.argv[6]))
