"""What processes take of the machine is counted with all that descend from them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hallmark.errors import EnvironmentFault
from hallmark.twin import bench, footprint
from hallmark.twin.files import hold
from hallmark.waiting import until

BUSY = """
import time
while time.process_time() < 0.5:
    pass
print(flush=True)
input()
"""


def test_processes_are_found_by_their_locks_with_their_children(tmp_path: Path) -> None:
    """A lock that nobody holds counts for nothing."""
    (tmp_path / "old.lock").write_text("1")
    pipe = subprocess.PIPE
    with (
        hold(tmp_path / "part" / "part.lock", "") as lock,
        subprocess.Popen([sys.executable, "-c", BUSY], stdin=pipe, stdout=pipe, text=True) as child,
    ):
        lock.write(str(os.getpid()))
        lock.flush()
        assert child.stdout
        child.stdout.readline()
        found = footprint.processes(tmp_path)

        assert {os.getpid(), child.pid} <= found
        assert 1 not in found
        assert footprint.seconds({child.pid})[child.pid] >= 0.2
        assert 1 < footprint.megabytes({child.pid}) < footprint.megabytes(found)
        child.communicate("\n")

    assert until(lambda: footprint.seconds({child.pid}) == {}, 5.0)


def test_without_the_sdk_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started."""
    monkeypatch.setattr(bench, "find_spec", lambda _: None)

    with pytest.raises(EnvironmentFault) as caught:
        bench.measure(tmp_path, tmp_path, lambda _: None)

    assert caught.value.hint == "python -m pip install langsmith"
    assert list(tmp_path.iterdir()) == []
