"""STS: a web identity is checked, and Pod Identity is there."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hallmark.twin.clients import Clients

SUBJECT = "system:serviceaccount:langsmith:langsmith-backend"
Sign = Callable[..., str]


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """What the Kubernetes API signs with."""
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def sign(key: rsa.RSAPrivateKey, cluster: dict[str, Any]) -> Sign:
    """Make a token of a service account."""

    def make(subject: str = SUBJECT, audience: str = "sts.amazonaws.com", minutes: int = 60, **more: str) -> str:
        ends = datetime.now(UTC) + timedelta(minutes=minutes)
        claims = {"iss": cluster["identity"]["oidc"]["issuer"], "sub": subject, "aud": [audience]}
        parts = ({"alg": "RS256"}, claims | {"exp": int(ends.timestamp())} | more)
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_encoded(key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"

    return make


@pytest.fixture
def published(emulator: Any, account: str, key: rsa.RSAPrivateKey) -> Iterator[None]:
    """A real API server stands for the account's cluster."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    content = {"endpoint": "https://127.0.0.1:6443", "ca": "Q0E=", "serviceAccountKey": public, "account": account}
    file = emulator.state / "cluster.json"
    file.write_text(json.dumps(content))
    yield
    file.unlink()


@pytest.fixture
def backend_role(aws: Clients, cluster: dict[str, Any]) -> str:
    """A role for one service account, and the cluster's identity provider."""
    issuer = cluster["identity"]["oidc"]["issuer"]
    iam = aws("iam")
    provider = iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[])
    host = issuer.removeprefix("https://")
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": provider["OpenIDConnectProviderArn"]},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{host}:sub": SUBJECT, f"{host}:aud": "sts.amazonaws.com"}},
        },
    }
    arn: str = iam.create_role(RoleName="backend", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    return arn


def _assume(aws: Clients, role: str, token: str) -> dict[str, Any]:
    answer: dict[str, Any] = aws("sts").assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="pod", WebIdentityToken=token
    )
    return answer


@pytest.mark.usefixtures("published")
def test_the_service_account_that_is_trusted_gets_a_session(aws: Clients, sign: Sign, backend_role: str) -> None:
    """Signed by the published key, in time, for STS, and named by the trust policy."""
    answer = _assume(aws, backend_role, sign())

    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/backend/pod")
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("token", "code", "words"),
    [
        (
            {"subject": "system:serviceaccount:default:x"},
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
        ({"audience": "kubernetes.default.svc"}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"minutes": -1}, "ExpiredTokenException", "must be before the expiration date/time"),
        (
            {"iss": "https://elsewhere.example"},
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account",
        ),
    ],
)
def test_any_other_token_is_refused(
    *, aws: Clients, sign: Sign, backend_role: str, refused: Any, token: dict[str, Any], code: str, words: str
) -> None:
    """Each in AWS's words."""
    with refused(code, words):
        _assume(aws, backend_role, sign(**token))


@pytest.mark.usefixtures("published")
def test_a_forged_token_is_refused(aws: Clients, sign: Sign, backend_role: str, refused: Any) -> None:
    """The signature is checked with the key that the API server published."""
    header, claims, _ = sign().split(".")

    with refused("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider"):
        _assume(aws, backend_role, f"{header}.{claims}.{_encoded(b'x' * 256)}")
    with refused("InvalidIdentityToken", "not a valid JWT"):
        _assume(aws, backend_role, "nonsense")


def test_a_role_that_is_not_there_cannot_be_assumed(aws: Clients, account: str, refused: Any) -> None:
    """Moto would give a session of it."""
    with refused("AccessDenied", "is not authorized to perform: sts:AssumeRole on resource"):
        aws("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/none", RoleSessionName="run")


@pytest.mark.usefixtures("published")
def test_eks_names_the_api_server_that_works(aws: Clients, cluster: dict[str, Any], emulator: Any) -> None:
    """While one is published; then its own invention again."""
    shown = aws("eks").describe_cluster(name="lab")["cluster"]

    assert (shown["endpoint"], shown["certificateAuthority"]) == ("https://127.0.0.1:6443", {"data": "Q0E="})
    (emulator.state / "cluster.json").write_text("{}")
    assert aws("eks").describe_cluster(name="lab")["cluster"]["endpoint"] == cluster["endpoint"]


@pytest.mark.usefixtures("published")
def test_pod_identity_gives_the_role_of_the_association(
    aws: Clients, sign: Sign, cluster: dict[str, Any], refused: Any
) -> None:
    """To the service account that has one, if the role trusts the service."""
    service = {"Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **service}]})
    role = aws("iam").create_role(RoleName="pods", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    wanted = {"clusterName": cluster["name"], "namespace": "langsmith", "serviceAccount": "langsmith-backend"}
    aws("eks").create_pod_identity_association(**wanted, roleArn=role)

    answer = aws("eks-auth").assume_role_for_pod_identity(
        clusterName="lab", token=sign(audience="pods.eks.amazonaws.com")
    )

    assert answer["assumedRoleUser"]["arn"].endswith(":assumed-role/pods/eks-lab-langsmith-backend")
    assert answer["subject"] == {"namespace": "langsmith", "serviceAccount": "langsmith-backend"}
    with refused("AccessDeniedException", "No association found"):
        other = sign(subject="system:serviceaccount:default:x", audience="pods.eks.amazonaws.com")
        aws("eks-auth").assume_role_for_pod_identity(clusterName="lab", token=other)
    aws("iam").update_assume_role_policy(RoleName="pods", PolicyDocument=trust.replace("pods.", "other."))
    with refused("InvalidRequestException", "cannot be assumed by pods.eks.amazonaws.com"):
        aws("eks-auth").assume_role_for_pod_identity(clusterName="lab", token=sign(audience="pods.eks.amazonaws.com"))
