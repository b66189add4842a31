"""The ways in that people take on AWS: to the cluster with a token that AWS vouches for, to LangSmith by its name."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.deployment import kubectl

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("sharp-edges")]
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
HALLMARK = (sys.executable, "-c", "from hallmark.cli import main; main()")
SDK = """
import json, os, time, uuid, warnings
from langsmith import Client, traceable
from langsmith.utils import LangSmithError

warnings.simplefilter("ignore")
proxies = [name for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy")]
client, identity = Client(), uuid.uuid4()

def wait_for(ask):
    for _ in range(300):
        try:
            if found := ask():
                return found
        except LangSmithError:
            pass
        time.sleep(0.2)
    raise SystemExit("nothing came")

@traceable(project_name="by-name", client=client)
def answer(question):
    return {"size": len(question)}

answer("x" * 100_000, langsmith_extra={"run_id": identity})
client.flush()
run = wait_for(lambda: client.read_run(identity))
names = wait_for(lambda: [each.name for each in client.list_runs(project_name="by-name")])
client.create_feedback(identity, "good", score=1.0)
client.flush()
feedback = wait_for(lambda: [each.key for each in client.list_feedback(run_ids=[identity])])
print(json.dumps([proxies, len(run.inputs["question"]), run.outputs, names, feedback]))
"""
"""What a person writes who never heard of the twin: only the usual variables say where LangSmith is."""


@pytest.fixture
def kubeconfig(person: Any, tmp_path: Path) -> str:
    """What the AWS CLI writes for the cluster."""
    file = tmp_path / "kubeconfig"
    aws, cluster = shutil.which("aws"), person.aws("eks").list_clusters()["clusters"][0]
    assert aws, "the AWS CLI is one of the tools a person needs"
    done = person.run(aws, "eks", "update-kubeconfig", "--name", cluster, "--kubeconfig", str(file))
    assert done.returncode == 0, done.stderr
    return str(file)


@pytest.fixture
def stranger(person: Any) -> dict[str, str]:
    """Variables of an IAM user of the account who made no cluster and has no access entry."""
    iam = person.aws("iam")
    iam.create_user(UserName="stranger")
    key = iam.create_access_key(UserName="stranger")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def _nodes(person: Any, kubeconfig: str, **who: str) -> Any:
    return person.run(kubectl(), "--kubeconfig", kubeconfig, "get", "nodes", "-o", "name", **who)


def test_whoever_made_the_cluster_gets_in(person: Any, kubeconfig: str) -> None:
    """The file names the twin's own API, and the token of `aws eks get-token` is taken there."""
    done = _nodes(person, kubeconfig)

    assert (done.returncode, len(done.stdout.split())) == (0, 3), done.stderr
    assert str(person.twin.status().kubernetes) in Path(kubeconfig).read_text()


def test_se_65_a_stranger_is_refused_until_an_access_entry_admits(
    person: Any, kubeconfig: str, stranger: dict[str, str], wait_for: Callable[..., Any]
) -> None:
    """A key of the account is not enough: the cluster's access entries say who may enter, and as what."""
    refused = _nodes(person, kubeconfig, **stranger)
    assert refused.returncode == 1
    assert "You must be logged in to the server" in refused.stderr

    eks, cluster = person.aws("eks"), person.aws("eks").list_clusters()["clusters"][0]
    principal = person.aws("iam").get_user(UserName="stranger")["User"]["Arn"]
    assert principal not in eks.list_access_entries(clusterName=cluster)["accessEntries"]
    eks.create_access_entry(clusterName=cluster, principalArn=principal)
    eks.associate_access_policy(
        clusterName=cluster, principalArn=principal, policyArn=ADMIN, accessScope={"type": "cluster"}
    )

    wait_for(lambda: _nodes(person, kubeconfig, **stranger).returncode == 0)
    eks.delete_access_entry(clusterName=cluster, principalArn=principal)
    wait_for(lambda: "You must be logged in" in _nodes(person, kubeconfig, **stranger).stderr)


def test_a_forged_signature_is_refused(person: Any, kubeconfig: str, stranger: dict[str, str]) -> None:
    """Knowing the id of a key is not having the key."""
    forged = stranger | {"AWS_SECRET_ACCESS_KEY": "guessed"}

    done = _nodes(person, kubeconfig, **forged)

    assert "You must be logged in to the server" in done.stderr


@pytest.fixture
def by_name(person: Any) -> Callable[..., Any]:
    """Start `hallmark twin run` in a shell that still has the variables of the proxy."""
    entrance = person.twin.entrance()
    proxied = {**os.environ, **entrance.environment("an old key")}
    place = {"HALLMARK_HOME": str(person.twin._state.parent), "HALLMARK_ROOT": str(person.twin._root)}

    def start(*command: str) -> subprocess.Popen[str]:
        whole, pipe = [*HALLMARK, "twin", "run", "--", *command], subprocess.PIPE
        return subprocess.Popen(
            whole, env=proxied | place, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )

    return start


def test_the_unmodified_sdk_reaches_langsmith_by_its_name(by_name: Callable[..., Any]) -> None:
    """A trace of 100 KB, read back, listed and rated: endpoint, key and CA are all that the SDK is told."""
    with by_name(sys.executable, "-c", SDK) as process:
        output, remarks = process.communicate(timeout=180)

    assert process.returncode == 0, remarks
    assert json.loads(output) == [[], 100_000, {"size": 100_000}, ["answer"], ["good"]]


def test_a_command_is_on_its_own_with_the_names(person: Any, by_name: Callable[..., Any]) -> None:
    """It is the process that was started, so signals and exit codes are its own; outside, no name has a meaning."""
    entrance, before = person.twin.entrance(), Path("/etc/hosts").read_text()
    host = entrance.url.removeprefix("https://")
    look = f"echo $$; getent hosts {host}; aws sts get-caller-identity --query Account --output text; exec sleep 60"
    with by_name(*HALLMARK, "twin", "run", "--", "sh", "-c", look) as process:  # one in another, as from a shell
        assert int(process.stdout.readline()) == process.pid
        assert process.stdout.readline().split() == [entrance.place[0], host]
        assert process.stdout.readline().strip() == person.twin.account
        with pytest.raises(socket.gaierror):
            socket.gethostbyname(host)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert process.returncode == -signal.SIGINT
    assert Path("/etc/hosts").read_text() == before
