"""Who an EKS token is: what the authentication webhook of EKS answers the Kubernetes API.

A token is a signed STS GetCallerIdentity request. AWS's authenticator sends it to STS; here the emulator knows the
sessions itself. Source: aws-iam-authenticator, `pkg/token`; EKS user guide, "Grant IAM users access with access
entries".
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from moto.eks.models import eks_backends
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

PREFIX = "k8s-aws-v1."
HEADER = "x-k8s-aws-id"
LIFETIME = timedelta(minutes=15)
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
MASTERS = "system:masters"
HOST = re.compile(r"sts(\.[a-z0-9-]+)?\.amazonaws\.com|127\.\d+\.\d+\.\d+|localhost")


class NobodyKnown(Exception):
    """The token proves nothing, or its owner may not enter. The reason is for the log of whoever asked."""


@dataclass(frozen=True)
class Identity:
    """An AWS identity that signed a token.

    Attributes:
        arn: As GetCallerIdentity gives it.
        principal: ARN that access entries name: of the role behind a session, of a user, or of the account.
        access_key: The key id that signed.
        session: Name of the role session, or empty.
        secret: What the signature was made with; empty where any secret is taken.
        user: AWS's id of the user or session.
    """

    arn: str
    principal: str
    access_key: str
    session: str = ""
    secret: str = ""
    user: str = ""


def review(account: str, region: str, cluster: str, request: Any) -> dict[str, Any]:
    """Answer a TokenReview of ``authentication.k8s.io/v1``.

    Args:
        account: The account of the cluster.
        region: Its region.
        cluster: Its name; empty takes the only one there is.
        request: The TokenReview as JSON.
    """
    try:
        token = str(request["spec"]["token"])
        status: dict[str, Any] = {"authenticated": True, "user": _user(account, region, cluster, token)}
    except (NobodyKnown, KeyError, TypeError) as error:
        status = {"authenticated": False, "error": str(error)}
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}


def _user(account: str, region: str, name: str, token: str) -> dict[str, Any]:
    known = eks_backends[account][region].clusters
    cluster = known.get(name) if name else next(iter(known.values()), None)
    if cluster is None:
        raise NobodyKnown("there is no such cluster")
    query, signed = _opened(token)
    identity = _identity(account, query)
    if identity.secret and not _genuine(signed, query, identity.secret, cluster.name):
        raise NobodyKnown("the signature does not match")
    username, groups = _mapped(cluster, account, identity)
    return {
        "username": username,
        "uid": f"aws-iam-authenticator:{account}:{identity.user}",
        "groups": groups,
        "extra": {
            "accessKeyId": [identity.access_key],
            "arn": [identity.arn],
            "canonicalArn": [identity.principal],
            "principalId": [identity.user],
            "sessionName": [identity.session],
        },
    }


def _opened(token: str) -> tuple[dict[str, str], str]:
    """Return the query of the signed request and the request's URL."""
    if not token.startswith(PREFIX):
        raise NobodyKnown("this is no token of EKS")
    try:
        encoded = token.removeprefix(PREFIX)
        url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        made = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except (binascii.Error, UnicodeDecodeError, ValueError, KeyError) as error:
        raise NobodyKnown("the token cannot be read") from error
    if query.get("Action") != "GetCallerIdentity" or not HOST.fullmatch(parts.hostname or ""):
        raise NobodyKnown("the token is not a request to STS")
    if HEADER not in query.get("X-Amz-SignedHeaders", "").lower().split(";"):
        raise NobodyKnown(f"client did not sign the {HEADER} header in the pre-signed URL")
    if datetime.now(UTC) > made + LIFETIME:
        raise NobodyKnown("the token has expired")
    return query, url


def _identity(account: str, query: dict[str, str]) -> Identity:
    key = query.get("X-Amz-Credential", "").split("/")[0]
    if key == account:
        return Identity(f"arn:aws:iam::{account}:root", f"arn:aws:iam::{account}:root", key, user=account)
    session = sts_backends[account]["aws"].get_assumed_role_from_access_key(key)
    if session:
        if session.expiration < datetime.now(session.expiration.tzinfo):
            raise NobodyKnown("the session is over")
        return Identity(
            session.arn, session.role_arn, key, session.session_name, session.secret_access_key, session.user_id
        )
    for user in iam_backends[account]["aws"].users.values():
        for each in user.access_keys:
            if each.access_key_id == key:
                return Identity(user.arn, user.arn, key, secret=each.secret_access_key, user=user.id)
    raise NobodyKnown("AWS does not know the access key")


def _genuine(url: str, query: dict[str, str], secret: str, cluster: str) -> bool:
    """Signature Version 4 of a presigned request (IAM user guide, "Create a signed AWS API request")."""
    parts = urlsplit(url)
    signature = query.get("X-Amz-Signature", "")
    pairs = sorted(
        (quote(key, "-_.~"), quote(value, "-_.~")) for key, value in query.items() if key != "X-Amz-Signature"
    )
    canonical = "\n".join(
        (
            "GET",
            parts.path or "/",
            "&".join(f"{key}={value}" for key, value in pairs),
            f"host:{parts.netloc}",
            f"{HEADER}:{cluster}",
            "",
            query["X-Amz-SignedHeaders"],
            hashlib.sha256(b"").hexdigest(),
        )
    )
    scope = "/".join(query["X-Amz-Credential"].split("/")[1:])
    text = "\n".join(("AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.new(key, text.encode(), "sha256").hexdigest(), signature)


def _mapped(cluster: Any, account: str, identity: Identity) -> tuple[str, list[str]]:
    entry = cluster.access_entries.get(identity.principal)
    if entry is None or cluster.access_config["authenticationMode"] == "CONFIG_MAP":
        root = f"arn:aws:iam::{account}:root"
        # Whoever runs Terraform with the account's own key made the cluster.
        if identity.principal == root and cluster.access_config["bootstrapClusterCreatorAdminPermissions"]:
            return "kubernetes-admin", [MASTERS]
        raise NobodyKnown(f"{identity.principal} is not mapped")
    groups = list(entry["kubernetesGroups"])
    if ADMIN in entry["policies"]:
        groups.append(MASTERS)
    return entry["username"].replace("{{SessionName}}", identity.session), groups
