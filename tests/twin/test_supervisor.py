"""The twin's life: up, down, reset, snapshots; killed, hung, interrupted and called twice at once.

The baseline here is a topic instead of an architecture, so that no Terraform is needed, and there is no cluster; what
Terraform builds is tested in `test_terraform_life.py`, the cluster in `test_whole_twin.py`.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin import baseline, control, process
from hallmark.twin.clients import Clients
from hallmark.twin.emulator import Server
from hallmark.twin.files import is_held
from hallmark.twin.process import is_free
from hallmark.twin.snapshots import Snapshot, Snapshots
from hallmark.twin.states import REGION
from hallmark.twin.supervisor import ACCOUNT, Twin
from hallmark.waiting import until


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A clone of the repository, as far as the twin looks at it."""
    folder = tmp_path / "root" / "terraform" / "baseline"
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text("")
    (folder.parent / "twin.tfvars").write_text("")
    return tmp_path / "root"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state directory."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def sealed(emulator: Any) -> bytes:
    """A baseline that the emulator of this session sealed."""
    emulator.control.drop(ACCOUNT)
    Clients(emulator.endpoint, ACCOUNT, REGION)("sns").create_topic(Name="baseline")
    made: bytes = emulator.control.snapshot(ACCOUNT)
    return made


@pytest.fixture
def twin(home: Path, root: Path, emulator: Any, sealed: bytes) -> Iterator[Twin]:
    """A twin that is down and has a baseline."""
    state = home / "twin"
    state.mkdir(parents=True)
    (state / "key").write_bytes((emulator.state / "key").read_bytes())
    kept = Snapshot(sealed, b'{"outputs": {}}', ACCOUNT, "2026-11-24T00:00:00+00:00", baseline.digest(root))
    Snapshots(state / "snapshots").keep(baseline.NAME, kept)
    yield Twin(home, root, port=0, kubernetes=False)
    Server(state).stop()


def _topics(twin: Twin) -> list[str]:
    return sorted(topic["TopicArn"].rpartition(":")[2] for topic in twin.clients("sns").list_topics()["Topics"])


def _pid(home: Path) -> int:
    pid: int = json.loads((home / "twin" / "server.json").read_text())["pid"]
    return pid


def test_up_brings_the_baseline(twin: Twin, home: Path) -> None:
    """AWS and Terraform's state together, and it says what it does."""
    said: list[str] = []

    twin.up(said.append)

    assert _topics(twin) == ["baseline"]
    assert (home / "twin" / "terraform" / "terraform.tfstate").read_text() == '{"outputs": {}}'
    assert said == ["Starting the emulated AWS.", f"It answers at {twin.endpoint}.", "Bringing back the baseline."]


def test_up_twice_is_up_once(twin: Twin, home: Path) -> None:
    """The second finds the first one's server and changes nothing."""
    twin.up()
    first = _pid(home)
    twin.clients("sns").create_topic(Name="mine")

    twin.up()

    assert _pid(home) == first
    assert _topics(twin) == ["baseline", "mine"]


def test_down_and_up_keeps_what_was_there(twin: Twin) -> None:
    """Down saves; up goes on; down twice is down."""
    twin.up()
    twin.clients("sns").create_topic(Name="mine")

    twin.down()
    twin.down()
    assert not twin.status().running
    twin.up()

    assert _topics(twin) == ["baseline", "mine"]


def test_reset_goes_back_to_the_baseline(twin: Twin) -> None:
    """What was added is gone, what was removed is back."""
    twin.up()
    sns = twin.clients("sns")
    sns.create_topic(Name="mine")
    sns.delete_topic(TopicArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:baseline")

    twin.reset()

    assert _topics(twin) == ["baseline"]


def test_an_emptied_account_is_empty(twin: Twin, home: Path) -> None:
    """And Terraform remembers nothing."""
    twin.up()

    twin.empty()

    assert _topics(twin) == []
    assert not (home / "twin" / "terraform" / "terraform.tfstate").exists()


def test_a_snapshot_keeps_aws_and_terraform_together(twin: Twin, home: Path) -> None:
    """Restored, both are as they were."""
    state = home / "twin" / "terraform" / "terraform.tfstate"
    twin.up()
    twin.clients("sns").create_topic(Name="mine")
    state.write_text('{"serial": 7}')

    twin.snapshot("mine")
    twin.reset()
    twin.restore("mine")

    assert _topics(twin) == ["baseline", "mine"]
    assert state.read_text() == '{"serial": 7}'
    assert twin.snapshots() == ("baseline", "mine")


def test_a_snapshot_there_is_not_is_said_to_be_missing(twin: Twin) -> None:
    """With the names there are; a name that is a path is none."""
    twin.up()

    with pytest.raises(UsageError, match="There is no snapshot 'nothing'") as caught:
        twin.restore("nothing")
    assert "baseline" in caught.value.hint
    with pytest.raises(UsageError, match="is no name for a snapshot"):
        twin.snapshot("../../etc/passwd")


def test_a_snapshot_of_another_twin_is_refused(twin: Twin, home: Path) -> None:
    """It was sealed with another key."""
    twin.up()
    twin.snapshot("mine")
    twin.down()
    (home / "twin" / "key").write_bytes(b"k" * 32)
    (home / "twin" / "snapshots" / "baseline.zip").unlink()
    Server(home / "twin").start(0)

    with pytest.raises(UsageError, match="was not made by this twin"):
        twin.restore("mine")


def test_a_damaged_snapshot_is_refused(twin: Twin, home: Path) -> None:
    """With what to remove."""
    twin.up()
    (home / "twin" / "snapshots" / "mine.zip").write_bytes(b"PK\x03\x04 half")

    with pytest.raises(UsageError, match="Snapshot 'mine' is damaged") as caught:
        twin.restore("mine")
    assert "mine.zip" in caught.value.hint


def test_a_clone_fills_another_account(twin: Twin, home: Path) -> None:
    """Terraform's state goes with it, with the other account's number."""
    twin.up()
    state = home / "twin" / "terraform" / "terraform.tfstate"
    state.write_text(f'{{"arn": "arn:aws:sns:us-east-1:{ACCOUNT}:baseline"}}')

    copy = twin.clone("222233334444")

    assert json.loads(copy.read_text())["arn"] == "arn:aws:sns:us-east-1:222233334444:baseline"
    other = Twin(home, home, account="222233334444", kubernetes=False)
    assert _topics(other) == ["baseline"]
    twin.down()
    twin.up()
    assert _topics(other) == ["baseline"], "a clone comes back too"


def test_a_killed_server_comes_back_with_what_was_saved(twin: Twin, home: Path) -> None:
    """And the person is told what may be lost."""
    twin.up()
    twin.clients("sns").create_topic(Name="mine")
    saved = home / "twin" / "autosave" / f"{ACCOUNT}.snapshot"
    brought_back = saved.read_bytes()
    assert until(lambda: saved.read_bytes() != brought_back, 20)
    os.kill(_pid(home), signal.SIGKILL)
    said: list[str] = []

    twin.up(said.append)

    assert _topics(twin) == ["baseline", "mine"]
    lost = "The server had not ended in order. Changes since its last save, up to half a minute, are lost."
    assert lost in said
    assert said[-1].startswith("Brought back the state of 20")


def test_a_server_killed_right_after_a_reset_comes_back_as_it_was_reset(twin: Twin, home: Path) -> None:
    """Not as it was saved before: Terraform's state and the cluster are those of the reset."""
    twin.up()
    twin.clients("sns").create_topic(Name="mine")
    twin.down()
    twin.up()
    assert _topics(twin) == ["baseline", "mine"]
    twin.reset()
    os.kill(_pid(home), signal.SIGKILL)

    twin.up()

    assert _topics(twin) == ["baseline"]


def test_a_hung_server_is_replaced(twin: Twin, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lives, but it does not answer."""
    monkeypatch.setattr(control, "HEALTHY_WITHIN", 1.0)
    monkeypatch.setattr(process, "STOPS_WITHIN", 1.0)
    twin.up()
    hung = _pid(home)
    os.kill(hung, signal.SIGSTOP)
    said: list[str] = []

    twin.up(said.append)

    assert said[0].startswith("Stopping a server that does not answer")
    assert _pid(home) != hung
    assert _topics(twin) == ["baseline"]


def test_a_half_written_record_is_healed(twin: Twin, home: Path) -> None:
    """The server lives, but nobody knows where: it is replaced."""
    twin.up()
    for content in ("", "{", "[]", '{"pid": 1}', "null"):
        lost = _pid(home)
        (home / "twin" / "server.json").write_text(content)

        twin.up()

        assert _pid(home) != lost, content
        assert _topics(twin) == ["baseline"]


def test_a_reused_process_id_is_not_taken_for_the_server(twin: Twin, home: Path) -> None:
    """Neither believed nor killed: the lock says that no server lives."""
    state = home / "twin"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        record = {"pid": stranger.pid, "port": 1, "started": "", "versions": {}}
        (state / "server.json").write_text(json.dumps(record))
        (state / "server.lock").write_text(str(stranger.pid))

        twin.down()
        twin.up()

        assert stranger.poll() is None
        assert _topics(twin) == ["baseline"]
        stranger.kill()


def test_two_ups_at_once_make_one_server(home: Path, root: Path, twin: Twin) -> None:
    """The second waits for the first and finds it done."""
    said: list[str] = []
    twins = [Twin(home, root, port=0, kubernetes=False) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: one.up(said.append), twins))

    assert said.count("Starting the emulated AWS.") == 1
    assert {one.endpoint for one in twins} == {twin.endpoint}


def test_the_server_outlives_the_command(home: Path, root: Path, twin: Twin) -> None:
    """It goes on `down`, not with the terminal."""
    up = f"Twin(Path({str(home)!r}), Path({str(root)!r}), port=0, kubernetes=False).up()"
    program = f"from pathlib import Path; from hallmark.twin.supervisor import Twin; {up}"
    subprocess.run([sys.executable, "-c", program], check=True, start_new_session=True)

    assert twin.status().running
    assert os.getsid(_pid(home)) == _pid(home)


def test_it_goes_back_to_its_port(home: Path, root: Path, twin: Twin) -> None:
    """Shells that point to it stay right; a port that was taken meanwhile is left alone."""
    twin.up()
    port = int(twin.endpoint.rpartition(":")[2])
    twin.down()
    again = Twin(home, root, kubernetes=False)

    again.up()
    assert again.endpoint.endswith(f":{port}")
    again.down()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert not is_free(port)
        again.up()
        assert not again.endpoint.endswith(f":{port}")


def test_a_port_that_is_taken_is_one_clear_message(home: Path, root: Path, twin: Twin) -> None:
    """When the port was asked for; nothing is left running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(EnvironmentFault, match=f"Port {port} on 127.0.0.1 is taken"):
            Twin(home, root, port=port, kubernetes=False).up()
    assert not is_held(home / "twin" / "server.lock")
    assert not twin.status().running


def test_a_disk_that_is_full_is_one_clear_message(home: Path, root: Path, twin: Twin) -> None:
    """The snapshot that was there is still there; the limit is the operating system's own."""
    twin.up()
    before = (home / "twin" / "snapshots" / "baseline.zip").read_bytes()
    program = f"""
import resource, sys
from pathlib import Path
from hallmark.errors import EnvironmentFault
from hallmark.twin.supervisor import Twin
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    Twin(Path({str(home)!r}), Path({str(root)!r}), kubernetes=False).snapshot("baseline")
except EnvironmentFault as fault:
    sys.exit(f"{{fault.message}} {{fault.hint}}")
"""

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert finished.stderr.startswith(f"Cannot write to {home / 'twin' / 'snapshots'}: File too large. free some space")
    assert (home / "twin" / "snapshots" / "baseline.zip").read_bytes() == before
    assert [file.name for file in (home / "twin" / "snapshots").iterdir()] == ["baseline.zip"]


def test_a_state_directory_that_cannot_be_made_is_one_clear_message(tmp_path: Path, root: Path) -> None:
    """A file is in the way."""
    (tmp_path / "file").write_text("")

    with pytest.raises(EnvironmentFault, match=r"Cannot write to .*: Not a directory"):
        Twin(tmp_path / "file", root, kubernetes=False).up()


def test_what_needs_a_running_twin_says_so(twin: Twin) -> None:
    """With the command that starts it."""
    for verb in (twin.reset, twin.empty, twin.deploy, twin.environment, lambda: twin.snapshot("x")):
        with pytest.raises(EnvironmentFault, match="The twin is down") as caught:
            verb()
        assert caught.value.hint == "hallmark twin up"


def test_the_environment_leads_to_the_twin(twin: Twin) -> None:
    """And away from anybody's real account."""
    twin.up()

    environment = twin.environment()

    assert environment["AWS_ENDPOINT_URL"] == twin.endpoint
    assert environment["AWS_ACCESS_KEY_ID"] == ACCOUNT
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"


def test_status_changes_nothing(home: Path, root: Path) -> None:
    """A twin that never was is down."""
    status = Twin(home, root, kubernetes=False).status()

    assert (status.running, status.endpoint, status.snapshots) == (False, "", ())
    assert not home.exists()


def test_changed_terraform_files_do_not_fit_the_baseline(root: Path, twin: Twin) -> None:
    """Neither do changed variables; a test of the module or Terraform's own files do not matter."""
    folder = root / "terraform" / "baseline"
    (folder / ".terraform").mkdir()
    (folder / "tests").mkdir()
    (folder / ".terraform" / "x.tf").write_text("# a provider's")
    (folder / "tests" / "x.tf").write_text("# a test's")
    assert twin.status().baseline_fits

    (root / "terraform" / "twin.tfvars").write_text('region = "us-east-1"')
    assert not twin.status().baseline_fits


def test_a_warning_is_told(twin: Twin, home: Path) -> None:
    """Saving fails, and status says so although the twin runs."""
    twin.up()
    saves = home / "twin" / "autosave"
    until(saves.is_dir, 10)
    (saves / f"{ACCOUNT}.snapshot").unlink(missing_ok=True)
    (saves / f"{ACCOUNT}.snapshot").mkdir()
    twin.clients("sns").create_topic(Name="mine")

    assert until(lambda: twin.status().warning, 20).startswith("Saving fails: Cannot write to")
    (saves / f"{ACCOUNT}.snapshot").rmdir()
