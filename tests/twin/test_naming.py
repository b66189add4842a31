"""Names for one command: what its table of hosts and its variables say, and that nobody else sees them."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault
from hallmark.twin import naming
from hallmark.twin.edge import names, reading
from hallmark.twin.entrance import Entrance

ELB = "main-1.us-east-1.elb.amazonaws.com"
NAME, ADDRESS = "langsmith.hallmark.example", "127.1.2.3"
PROXY = "http://127.0.0.1:9"
ENTRANCE = Entrance(f"https://{NAME}", PROXY, Path("ca.pem"), (ADDRESS, 8443))
NOBODY = 65534
PROGRAM = """
import codecs, ctypes, os, signal, sys
from pathlib import Path
from hallmark.errors import HallmarkError
from hallmark.twin import naming
codecs.lookup("idna")
signal.pthread_sigmask(signal.SIG_SETMASK, [])  # a command inherits what the runner of the tests holds back
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1)  # as after an exec: its files in /proc are its own, see PR_SET_DUMPABLE
try:
    naming.run(sys.argv[2:], os.environ, Path(sys.argv[1]), "127.1.2.3", ["langsmith.hallmark.example"])
except HallmarkError as error:
    sys.exit(error.message)
"""
"""Gives up every right that root has, then becomes a command; users may not even read root's Python."""


def alias(name: str, target: str = ELB) -> dict[str, Any]:
    """An alias record."""
    return {"Name": name, "Type": "A", "AliasTarget": {"DNSName": target}}


def zone(name: str, *records: Any, private: bool = False) -> names.Zone:
    """A hosted zone."""
    return names.zone({"Name": name, "Config": {"PrivateZone": private}}, records)


ZONES = [
    zone(
        "example.com.",
        alias("a.example.com."),
        alias("A.Deep.example.com."),
        alias("\\052.example.com."),
        alias("gone.example.com.", "gone-1.us-east-1.elb.amazonaws.com"),
        {"Name": "www.example.com.", "Type": "CNAME", "ResourceRecords": [{"Value": "a.example.com"}]},
        {"Name": "ip.example.com.", "Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}]},
        {"Name": "_proof.example.com.", "Type": "CNAME", "ResourceRecords": [{"Value": "_x.acm-validations.aws"}]},
    ),
    zone("inner.example.org.", alias("a.inner.example.org."), private=True),
]


def test_names_are_those_that_lead_to_a_load_balancer(monkeypatch: pytest.MonkeyPatch) -> None:
    """By an alias or a CNAME, in a public zone; a table of hosts holds no wildcards."""
    monkeypatch.setattr(reading, "zones", lambda _: ZONES)
    monkeypatch.setattr(reading, "balancers", lambda _: {ELB: "main"})
    clients: Any = None

    assert naming.names(clients) == ["a.deep.example.com", "a.example.com", "www.example.com"]


def test_the_table_begins_with_our_names() -> None:
    """What the machine's own says stays; the first line of a name counts."""
    assert naming.table(f"10.0.0.1 {NAME}\n", ADDRESS, [NAME]) == f"{ADDRESS} {NAME}\n10.0.0.1 {NAME}\n"
    assert naming.table("x\n", ADDRESS, []) == "x\n"
    assert naming.table(naming.table("x\n", ADDRESS, [NAME]), ADDRESS, [NAME]) == f"{ADDRESS} {NAME}\nx\n"


def test_variables_lead_to_the_name_without_the_twins_proxy() -> None:
    """What `twin env --langsmith` may have left in the shell is taken out; everything else is kept."""
    given = {"HTTPS_PROXY": PROXY, "HTTP_PROXY": PROXY, "https_proxy": PROXY, "EDITOR": "vi", "CURL_CA_BUNDLE": "x"}

    assert naming.environment(given, ENTRANCE, "key", [NAME]) == {
        "EDITOR": "vi",
        "LANGSMITH_ENDPOINT": f"https://{NAME}:8443/api/v1",
        "LANGSMITH_API_KEY": "key",
        "LANGSMITH_TRACING": "true",
        "REQUESTS_CA_BUNDLE": "ca.pem",
        "CURL_CA_BUNDLE": "ca.pem",
        "SSL_CERT_FILE": "ca.pem",
    }


def test_a_proxy_of_somebody_else_keeps_out() -> None:
    """The person's own proxy stays for everything but the twin's names."""
    given = {"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": ".corp"}
    found = naming.environment(given, ENTRANCE, "key", [NAME])

    assert found["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert found["NO_PROXY"] == found["no_proxy"] == f".corp,127.0.0.1,localhost,{NAME}"


def test_the_usual_port_is_not_in_the_url() -> None:
    """Where 443 may be taken the URL is as on AWS."""
    usual = Entrance(ENTRANCE.url, PROXY, ENTRANCE.authority, (ADDRESS, 443))

    assert usual.by_name("key")["LANGSMITH_ENDPOINT"] == f"https://{NAME}/api/v1"


def test_without_an_address_the_other_way_is_named() -> None:
    """As on macOS, whose loopback is one address."""
    with pytest.raises(EnvironmentFault, match="use the proxy") as caught:
        Entrance(ENTRANCE.url, PROXY, ENTRANCE.authority).by_name("key")

    assert caught.value.hint == 'eval "$(hallmark twin env --langsmith)"'


def test_a_machine_without_namespaces_says_the_other_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AppArmor and containers forbid them: one sentence, and the command that works there."""

    def forbid(name: str, *_: object) -> None:
        raise PermissionError(1, f"{name} is not permitted")

    monkeypatch.setattr(naming, "_call", forbid)
    with pytest.raises(EnvironmentFault, match=r"unshare is not permitted\); use the proxy") as caught:
        naming.enter(tmp_path / "hosts")

    assert caught.value.hint == 'eval "$(hallmark twin env --langsmith)"'


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of whoever runs the command."""
    made = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(made, NOBODY, NOBODY)
    yield made
    shutil.rmtree(made)


def as_a_user(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the names, without any right that root has."""
    whole = [sys.executable, "-c", PROGRAM, str(folder), *command]
    return subprocess.run(whole, capture_output=True, text=True, check=False, timeout=60)


def refused(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether a command was refused its names in one sentence, by a machine that refuses them to its own tools, too."""
    told = re.fullmatch(r"This machine gives a command no names of its own \(.*\); use the proxy\.\n", done.stderr)
    tool = ["unshare", "--user", "--map-root-user", "--mount", "mount", "--bind", "/etc/hosts", "/etc/hosts"]
    nobody: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return bool(told) and subprocess.run(tool, capture_output=True, check=False, **nobody).returncode != 0


def test_a_user_without_rights_sees_the_names_alone(folder: Path) -> None:
    """The command has its own user id, resolves the name, and has no right that it had not before."""
    before = naming.HOSTS.read_text()
    done = as_a_user(folder, "sh", "-c", f"id -u; getent hosts {NAME}; grep CapEff /proc/self/status")

    assert refused(done) or done.returncode == 0, done.stderr
    user = os.geteuid() or NOBODY
    assert refused(done) or done.stdout.split() == [str(user), ADDRESS, NAME, "CapEff:", "0" * 16]
    assert naming.HOSTS.read_text() == before
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(("script", "code"), [("exit 42", 42), ("kill -TERM $$", -15), ("kill -PIPE $$", -13)])
def test_how_the_command_ends_is_how_it_ends(folder: Path, script: str, code: int) -> None:
    """There is no process between: exit codes and signals are the command's own, those that Python ignores, too."""
    done = as_a_user(folder, "sh", "-c", script)

    assert refused(done) or done.returncode == code


def test_a_command_that_is_not_there(folder: Path) -> None:
    """Named in one sentence."""
    done = as_a_user(folder, "/no/such/command")

    assert refused(done) or done.stderr == "Cannot run /no/such/command: No such file or directory.\n"
