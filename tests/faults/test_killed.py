"""A process killed at any point leaves a target that `revert` brings back."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hallmark.faults import by_hand, journal, kinds
from hallmark.waiting import until

FOLDER = Path(__file__).parent
PARAMS = tomllib.loads((FOLDER / "params.toml").read_text())
STEPS = {"api-key-salt-changed": 4, "certificate-replaced": 2, "clickhouse-memory-lowered": 2,
         "database-password-wrong": 4, "database-security-group": 2, "external-secret-key-missing": 3,
         "external-secret-switched-off": 2, "node-group-capped": 2, "redis-token-changed": 4,
         "role-annotation-removed": 2, "role-policy-removed": 2, "role-trust-moved": 2}  # fmt: skip
"""How many calls a kind makes in the test system, if more than one."""


@pytest.mark.proof
@pytest.mark.parametrize("verb", ["inject", "revert"])
@pytest.mark.parametrize("kind", kinds.names())
def test_every_kill_point_is_recovered(system: Any, kind: str, verb: str) -> None:
    """SIGKILL before the first event, between any two, and after the last: revert restores the recorded state."""
    about = [
        PARAMS.get(kind, {}),
        asdict(system.profile),
        {**vars(system.stage), "kubeconfig": system.profile.kubeconfig},
    ]
    command = [sys.executable, FOLDER / "kill_points.py", verb, kind, *map(json.dumps, about), system.home]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    points = [json.loads(line) for line in done.stdout.splitlines()]
    # Two journal entries, and an entry and a call for each step.
    assert [each["died"] for each in points] == [True] * (2 + 2 * STEPS.get(kind, 1)) + [False]
    assert all(each["recovered"] for each in points), points


INJECT = """
import json, os, signal, sys
from datetime import timedelta
from pathlib import Path
from hallmark.faults import runner
from hallmark.faults.definition import Fault
from hallmark.targets.profile import Profile
from hallmark.targets.writer import AwsWriter

class Mortal(AwsWriter):
    calls = 0
    def write(self, call):
        outcome = super().write(call)
        self.calls += 1
        if self.calls == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome

profile = Profile(**json.loads(sys.argv[1]))
fault = Fault("lab", "database-security-group", timedelta(seconds=float(sys.argv[4])), "symptom")
runner.Runner(profile, Path(sys.argv[2]), Mortal(profile)).inject(fault)
print("injected", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def injector(system: Any) -> Callable[[int, float], subprocess.Popen[str]]:
    """Start a process that injects, dies after its n-th call, and otherwise lives on."""

    def start(calls: int, seconds: float) -> subprocess.Popen[str]:
        values = [json.dumps(asdict(system.profile)), str(system.home), str(calls), str(seconds)]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, "-c", INJECT, *values], start_new_session=True, **pipes)

    return start


def test_the_watchdog_reverts_after_the_time_to_live(
    system: Any, injector: Callable[[int, float], subprocess.Popen[str]]
) -> None:
    """The whole process group of the injecting shell is killed; the fault is gone soon after its time to live."""
    before = system.state()
    with injector(0, 4) as process:
        assert process.stdout
        assert process.stdout.readline() == "injected\n"
        assert len(system.rules()) == 1
        os.killpg(process.pid, signal.SIGKILL)
    assert until(lambda: not journal.active(system.home), 60)
    assert system.state() == before


def test_the_watchdog_mends_an_inject_that_was_killed_half_way(
    system: Any, injector: Callable[[int, float], subprocess.Popen[str]]
) -> None:
    """SIGKILL after the first of two calls, and nobody runs revert: the watchdog does."""
    before = system.state()
    with injector(1, 4) as process:
        assert process.wait(60) == -signal.SIGKILL
    assert len(system.rules()) == 2
    assert until(lambda: not journal.active(system.home), 60)
    assert system.state() == before


def test_a_watchdog_loads_nothing_to_reach_the_target_with_unless_it_has_to(system: Any) -> None:
    """There is one for each fault, and most never revert anything: boto3 takes three times as long as the rest."""
    injected = system.runner().inject(by_hand.fault("database-security-group", {}))
    system.revert()
    end = "import sys; from pathlib import Path; from hallmark.faults.__main__ import main; home, name = sys.argv[1:]; "
    look = "print(main(Path(home), name), sorted({'boto3', 'botocore', 'moto'} & set(sys.modules)))"
    command = [sys.executable, "-c", end + look, str(system.home), injected.id]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "0 []\n"
