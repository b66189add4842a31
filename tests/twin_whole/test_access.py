"""The way into the cluster that people take on EKS: `aws eks update-kubeconfig`, and a token that AWS vouches for."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.deployment import kubectl

pytestmark = pytest.mark.xdist_group("sharp-edges")
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


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
