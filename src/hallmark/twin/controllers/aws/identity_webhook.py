"""The pod identity webhook of EKS: a pod whose service account has a role gets its token and its environment.

It acts when a pod is created and at no other time: annotating a service account changes no running pod (SE-44).
Source: github.com/aws/amazon-eks-pod-identity-webhook; EKS user guide, "IAM roles for service accounts" and
"EKS Pod Identity". Left out: token expiry by annotation on the pod, skipped containers.
"""

import asyncio
import base64
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import trustme
from aiohttp import web

from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.kube.client import APPLY
from hallmark.twin.kube.kinds import MUTATING_WEBHOOKS, SERVICE_ACCOUNTS, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper

CONFIGURATION = "pod-identity-webhook"
HOST = "127.0.0.1"
ROLE = "eks.amazonaws.com/role-arn"
AUDIENCE = "eks.amazonaws.com/audience"


@dataclass(frozen=True)
class Token:
    """A projected service account token.

    Attributes:
        volume: Name of its volume.
        folder: Where it is mounted.
        file: Name of the file.
        audience: Whom it is for.
    """

    volume: str
    folder: str
    file: str
    audience: str


IRSA = Token("aws-iam-token", "/var/run/secrets/eks.amazonaws.com/serviceaccount", "token", "sts.amazonaws.com")
POD_IDENTITY = Token(
    "eks-pod-identity-token",
    "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount",
    "eks-pod-identity-token",
    "pods.eks.amazonaws.com",
)


def patch(pod: Object, account: Object | None, region: str, *, associated: bool) -> list[dict[str, Any]]:
    """Return the JSON patch that gives a pod its identity; empty when it has none.

    Args:
        pod: The pod that is being created.
        account: Its service account.
        region: AWS region.
        associated: Whether EKS Pod Identity has an association for the account; it wins over an annotation.
    """
    annotations = (account or {}).get("metadata", {}).get("annotations") or {}
    if associated:
        return _with(pod, _identity(region), POD_IDENTITY)
    if role := annotations.get(ROLE):
        return _with(pod, _irsa(role, region), replace(IRSA, audience=annotations.get(AUDIENCE, IRSA.audience)))
    return []


def _irsa(role: str, region: str) -> dict[str, str]:
    return {
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ROLE_ARN": role,
        "AWS_WEB_IDENTITY_TOKEN_FILE": f"{IRSA.folder}/{IRSA.file}",
    }


def _identity(region: str) -> dict[str, str]:
    return {
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{POD_IDENTITY.folder}/{POD_IDENTITY.file}",
    }


def _with(pod: Object, environment: Mapping[str, str], token: Token) -> list[dict[str, Any]]:
    content = {"audience": token.audience, "expirationSeconds": 86400, "path": token.file}
    source = {"name": token.volume, "projected": {"sources": [{"serviceAccountToken": content}]}}
    mount = {"name": token.volume, "mountPath": token.folder, "readOnly": True}
    spec = dict(pod["spec"])
    for group in ("containers", "initContainers"):
        if spec.get(group):
            spec[group] = [_equipped(each, environment, mount) for each in spec[group]]
    present = [each for each in spec.get("volumes") or [] if each["name"] != token.volume]
    spec["volumes"] = [*present, source]
    return [{"op": "replace", "path": "/spec", "value": spec}]


def _equipped(container: Object, environment: Mapping[str, str], mount: Object) -> Object:
    """What the container sets itself wins, as with the real webhook."""
    own = {each["name"] for each in container.get("env") or []}
    more = [{"name": name, "value": value} for name, value in environment.items() if name not in own]
    mounts = [each for each in container.get("volumeMounts") or [] if each["mountPath"] != mount["mountPath"]]
    return {**container, "env": [*(container.get("env") or []), *more], "volumeMounts": [*mounts, mount]}


class IdentityWebhook:
    """Serves the webhook and keeps it registered.

    Args:
        cloud: The cluster and the account it is in.
    """

    name = CONFIGURATION

    def __init__(self, cloud: Cloud) -> None:
        self._caches = cloud.caches
        self._cloud = cloud
        self._url = ""
        self._served: asyncio.Task[None] | None = None
        authority = trustme.CA(organization_name="Hallmark", organization_unit_name=CONFIGURATION)
        self._authority = authority.cert_pem.bytes()
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(HOST).configure_cert(self._tls)

    def watches(self) -> Mapping[Kind, Mapper]:
        """Its own configuration, and the service accounts whose roles it hands on."""
        return {MUTATING_WEBHOOKS: _own, SERVICE_ACCOUNTS: lambda _: [("", CONFIGURATION)] if not self._url else ()}

    async def reconcile(self, key: Key) -> float | None:
        """Serve, and register where."""
        if not self._url:
            self._url = await self._serve()
        present = self._caches[MUTATING_WEBHOOKS].get(key)
        if present is None or present["webhooks"][0]["clientConfig"].get("url") != self._url:
            body = self._configuration()
            answer = await self._caches.api.patch(MUTATING_WEBHOOKS, body, body, content_type=APPLY)
            self._caches[MUTATING_WEBHOOKS].note(answer)
        return None

    async def _serve(self) -> str:
        application = web.Application()
        application.router.add_post("/mutate", self._review)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0, ssl_context=self._tls).start()
        self._served = asyncio.create_task(_until_cancelled(runner), name=CONFIGURATION)
        port = runner.addresses[0][1]
        return f"https://{HOST}:{port}/mutate"

    async def _review(self, request: web.Request) -> web.Response:
        review = await request.json()
        asked = review["request"]
        pod, namespace = asked["object"], asked.get("namespace", "")
        name = pod["spec"].get("serviceAccountName") or "default"
        account = self._caches[SERVICE_ACCOUNTS].get((namespace, name))
        associated = await self._associated(namespace, name)
        changes = patch(pod, account, self._cloud.region, associated=associated)
        response: dict[str, Any] = {"uid": asked["uid"], "allowed": True}
        if changes:
            encoded = base64.b64encode(json.dumps(changes).encode()).decode()
            response |= {"patchType": "JSONPatch", "patch": encoded}
        return web.json_response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})

    async def _associated(self, namespace: str, account: str) -> bool:
        """Whether EKS Pod Identity has an association for a service account."""
        if not self._cloud.cluster:
            return False
        wanted = {"clusterName": self._cloud.cluster, "namespace": namespace, "serviceAccount": account}
        found = await self._cloud.run(self._cloud.account("eks").list_pod_identity_associations, **wanted)
        return bool(found["associations"])

    def _configuration(self) -> Object:
        rules = [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]
        webhook = {
            "name": "iam-for-pods.amazonaws.com",
            "clientConfig": {"url": self._url, "caBundle": base64.b64encode(self._authority).decode()},
            "rules": rules,
            "failurePolicy": "Ignore",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
        return {
            "apiVersion": MUTATING_WEBHOOKS.api_version,
            "kind": MUTATING_WEBHOOKS.kind,
            "metadata": {"name": CONFIGURATION},
            "webhooks": [webhook],
        }


async def _until_cancelled(runner: web.AppRunner) -> None:
    """Hold the server open; the end of the process's tasks closes it."""
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _own(configuration: Object) -> Sequence[Key]:
    return [key_of(configuration)] if configuration["metadata"]["name"] == CONFIGURATION else ()
