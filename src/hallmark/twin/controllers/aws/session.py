"""Clients of the emulated AWS that act as the role of a service account, as a pod's SDK would.

The role comes from the account's annotation, or from an EKS Pod Identity association. The token is a real one of the
cluster, and STS decides; so a broken trust policy or a missing permission ends in AWS's own AccessDenied.

An association wins: a pod that has one is given no other credentials (amazon-eks-pod-identity-webhook,
``buildPodPatchConfig``). Other sources: EKS user guide, "IAM roles for service accounts" and "EKS Pod Identity".
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, NoReturn

import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from hallmark.twin.clients import Clients
from hallmark.twin.descriptions import loader
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import NotFound
from hallmark.twin.kube.kinds import SERVICE_ACCOUNTS, Key

ROLE = "eks.amazonaws.com/role-arn"
IRSA_AUDIENCE, POD_IDENTITY_AUDIENCE = "sts.amazonaws.com", "pods.eks.amazonaws.com"
FRESH = 60.0
"""Seconds a session is used. AWS's last an hour; here a trust policy that was broken, or mended, is felt soon."""
NO_ROLE = "no EC2 IMDS role found, operation error ec2imds: GetMetadata, canceled, context deadline exceeded"
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 2})


@dataclass
class _Acting:
    """A role that is acted as: its clients stay, their credentials are renewed in place."""

    session: Any
    credentials: Credentials
    role: str
    renewed: float
    clients: dict[str, Any] = field(default_factory=dict)


class Sessions:
    """Clients for service accounts, each made once and kept supplied with fresh credentials.

    Args:
        caches: The cluster.
        account: Clients of the account itself, for what EKS and STS do without a role.
    """

    def __init__(self, caches: Caches, account: Clients) -> None:
        self._api = caches.api
        self._accounts = caches[SERVICE_ACCOUNTS]
        self._account = account
        self._acting: dict[Key, _Acting] = {}
        self._locks: dict[Key, asyncio.Lock] = {}

    async def client(self, service: str, identity: Key, cluster: str = "") -> Any:
        """Return a boto3 client that acts as a service account.

        Args:
            service: For example ``ec2``.
            identity: Namespace and name of the account.
            cluster: Name of the EKS cluster; without one, Pod Identity associations are not looked for.

        Raises:
            ClientError: In AWS's words: the role may not be assumed, or there is none to assume.
        """
        async with self._locks.setdefault(identity, asyncio.Lock()):
            role, by_pod_identity = await self._role(identity, cluster)
            acting = self._acting.get(identity)
            if acting is None or acting.role != role or time.monotonic() - acting.renewed > FRESH:
                acting = self._renew(identity, role, await self._assume(identity, role, cluster, by_pod_identity))
            if service not in acting.clients:
                acting.clients[service] = await asyncio.to_thread(self._make, acting.session, service)
            return acting.clients[service]

    def forget(self, identity: Key) -> None:
        """Assume the role anew at the next call."""
        self._acting.pop(identity, None)

    async def _role(self, identity: Key, cluster: str) -> tuple[str, bool]:
        if cluster:
            eks, (namespace, name) = self._account("eks"), identity
            wanted = {"clusterName": cluster, "namespace": namespace, "serviceAccount": name}
            found = (await asyncio.to_thread(eks.list_pod_identity_associations, **wanted))["associations"]
            if found:
                key = {"clusterName": cluster, "associationId": found[0]["associationId"]}
                one = await asyncio.to_thread(eks.describe_pod_identity_association, **key)
                return one["association"]["roleArn"], True
        account = self._accounts.get(identity)
        role = ((account or {"metadata": {}})["metadata"].get("annotations") or {}).get(ROLE, "")
        return (role, False) if role else _no_role()

    async def _assume(self, identity: Key, role: str, cluster: str, by_pod_identity: bool) -> dict[str, Any]:  # noqa: FBT001  (a fact about the role, passed on)
        token = await self._token(identity, POD_IDENTITY_AUDIENCE if by_pod_identity else IRSA_AUDIENCE)
        if by_pod_identity:
            auth = self._account("eks-auth")
            answer = await asyncio.to_thread(auth.assume_role_for_pod_identity, clusterName=cluster, token=token)
            given: dict[str, Any] = answer["credentials"]
            return {name[0].upper() + name[1:]: value for name, value in given.items()}
        web = {"RoleArn": role, "RoleSessionName": str(time.time_ns()), "WebIdentityToken": token}
        answer = await asyncio.to_thread(self._account("sts").assume_role_with_web_identity, **web)
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    async def _token(self, identity: Key, audience: str) -> str:
        namespace, name = identity
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [audience], "expirationSeconds": 3600},
        }
        try:
            answer = await self._api.call("POST", SERVICE_ACCOUNTS.path(namespace, name, "token"), body)
        except NotFound:
            _no_role()
        return str(answer["status"]["token"])

    def _renew(self, identity: Key, role: str, given: dict[str, Any]) -> _Acting:
        acting = self._acting.get(identity)
        if acting is None:
            credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
            acting = _Acting(_session(credentials), credentials, role, 0.0)
            self._acting[identity] = acting
        acting.credentials.access_key = given["AccessKeyId"]
        acting.credentials.secret_key = given["SecretAccessKey"]
        acting.credentials.token = given["SessionToken"]
        acting.role, acting.renewed = role, time.monotonic()
        return acting

    def _make(self, session: Any, service: str) -> Any:
        where = {"region_name": self._account.region, "endpoint_url": self._account.endpoint}
        return session.create_client(service, config=_CONFIG, **where)


def _session(credentials: Credentials) -> Any:
    core = botocore.session.Session()
    core.register_component("data_loader", loader())
    core._credentials = credentials  # noqa: SLF001  (what set_credentials does, but with an object that can be renewed)
    return core


def _no_role() -> NoReturn:
    raise ClientError({"Error": {"Code": "NoCredentialProviders", "Message": NO_ROLE}}, "GetMetadata")
