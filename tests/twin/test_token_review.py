"""Whom EKS lets into the Kubernetes API."""

import base64
import json
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.signers import RequestSigner

from hallmark.twin.aws import token_review
from hallmark.twin.clients import SECRET, Clients

ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
Review = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.usefixtures("cluster")


def token(keys: tuple[str, ...], cluster: str = "lab", seconds: int = 60) -> str:
    """Make a token as `aws eks get-token` does."""
    session = boto3.session.Session(*keys, region_name="us-east-1")
    client = session.client("sts")
    service, events = client.meta.service_model.service_id, client.meta.events
    signer = RequestSigner(service, "us-east-1", "sts", "v4", session.get_credentials(), events)
    request = {
        "method": "GET",
        "url": "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster},
        "context": {},
    }
    url = signer.generate_presigned_url(request, region_name="us-east-1", expires_in=seconds, operation_name="")
    client.close()
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def post(url: str, content: str) -> tuple[int, bytes]:
    """Send without the control token."""
    place = urlsplit(url)
    with closing(HTTPConnection(place.netloc)) as connection:
        connection.request("POST", f"{place.path}?{place.query}", content)
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture
def review(emulator: Any, account: str) -> Review:
    """Ask as the API server does."""

    def ask(given: str) -> dict[str, Any]:
        content = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": given}}
        url = f"{emulator.endpoint}/_hallmark/token-review?account={account}&cluster=lab"
        status: dict[str, Any] = json.loads(post(url, json.dumps(content))[1])["status"]
        return status

    return ask


def test_the_creator_is_administrator(review: Review, account: str) -> None:
    """Whoever holds the account's own key made the cluster."""
    status = review(token((account, SECRET)))

    assert status["authenticated"]
    assert (status["user"]["username"], status["user"]["groups"]) == ("kubernetes-admin", ["system:masters"])


def test_a_role_needs_an_access_entry(review: Review, aws: Clients, account: str) -> None:
    """And gets the groups of the entry, and those of the administrator's policy."""
    trust = {"Version": "2012-10-17", "Statement": []}
    role = aws("iam").create_role(RoleName="dev", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    given = aws("sts").assume_role(RoleArn=role, RoleSessionName="ann")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    entry = {"clusterName": "lab", "principalArn": role}

    assert review(token(keys)) == {"authenticated": False, "error": f"{role} is not mapped"}
    aws("eks").create_access_entry(**entry, kubernetesGroups=["developers"])
    user = review(token(keys))["user"]
    assert (user["username"], user["groups"]) == (f"arn:aws:sts::{account}:assumed-role/dev/ann", ["developers"])
    assert user["extra"]["canonicalArn"] == [role]
    aws("eks").associate_access_policy(**entry, policyArn=ADMIN, accessScope={"type": "cluster"})
    assert review(token(keys))["user"]["groups"] == ["developers", "system:masters"]
    assert review(token(keys, cluster="other"))["error"] == "the signature does not match"


def test_a_creator_without_permissions_stays_out(review: Review, aws: Clients, role: str, network: Any) -> None:
    """A cluster can be made so that nobody is administrator by himself."""
    aws("eks").delete_cluster(name="lab")
    aws("eks").create_cluster(
        name="lab",
        roleArn=role,
        resourcesVpcConfig={"subnetIds": network.subnets},
        accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
    )

    assert not review(token((aws.account, SECRET)))["authenticated"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("k8s-aws-v1.%%%", "the token cannot be read"),
        ("eyJhbGciOi", "this is no token of EKS"),
        (
            "k8s-aws-v1." + base64.urlsafe_b64encode(b"https://evil.example/?X-Amz-Date=20200101T000000Z").decode(),
            "the token is not a request to STS",
        ),
    ],
)
def test_what_is_no_token_is_nobody(review: Review, given: str, words: str) -> None:
    """Whatever is sent, the answer is an answer."""
    assert review(given) == {"authenticated": False, "error": words}


def test_a_token_lives_a_quarter_of_an_hour(review: Review, account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from its signature, however short the URL itself is valid."""
    fresh = token((account, SECRET))
    monkeypatch.setattr(token_review, "LIFETIME", -token_review.LIFETIME)

    assert review(fresh)["authenticated"]
    with pytest.raises(token_review.NobodyKnown, match="expired"):
        token_review._opened(fresh)


def test_an_unknown_cluster_or_a_broken_question_is_answered(emulator: Any) -> None:
    """With a status, not with a traceback."""
    url = f"{emulator.endpoint}/_hallmark/token-review?account=000000000001"
    status, answer = post(url, '{"spec": {"token": "x"}}')

    assert status == 200
    assert json.loads(answer)["status"] == {"authenticated": False, "error": "there is no such cluster"}
    assert post(url, "{")[0] == 400
