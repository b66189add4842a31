"""SecretStore and ClusterSecretStore: which AWS service, as whom, and whether that works."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.controllers.aws.external_secrets.kinds import CLUSTER_STORES, STORES
from hallmark.twin.controllers.aws.external_secrets.provider import Provider
from hallmark.twin.controllers.aws.gate import EXTERNAL_SECRETS
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.events import Recorder, timestamp
from hallmark.twin.kube.kinds import Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper

Identity = tuple[str, str]
"""Namespace and name of a service account."""
SERVICES = {"SecretsManager": "secretsmanager", "ParameterStore": "ssm"}
AGAIN, UNTIL_ACTIVE = 15.0, 2.0


class Invalid(Exception):
    """A store cannot be used; in the operator's words."""


async def provider(cloud: Cloud, store: Object) -> Provider:
    """Open a store: as the service account it names, else as the operator's own.

    Raises:
        Invalid: It is not of AWS, or its identity gets no credentials.
    """
    aws = (store["spec"].get("provider") or {}).get("aws")
    if aws is None or aws.get("service") not in SERVICES:
        raise Invalid("unable to create client: only the AWS provider is supported")
    identity = _identity(store, aws) or cloud.gate.identity(EXTERNAL_SECRETS)
    if identity is None:
        raise Invalid("unable to create session: no pod of the operator is ready")
    try:
        client = await cloud.sessions.client(SERVICES[aws["service"]], identity, cloud.cluster)
        return Provider(aws["service"], client, lambda: cloud.sessions.forget(identity))
    except ClientError as error:
        said = error.response["Error"]
        raise Invalid(f"unable to create session: {said['Code']}: {said['Message']}") from error


def _identity(store: Object, aws: Mapping[str, Any]) -> Identity | None:
    account = ((aws.get("auth") or {}).get("jwt") or {}).get("serviceAccountRef")
    if account is None:
        return None
    return account.get("namespace") or store["metadata"].get("namespace", "default"), account["name"]


class Stores:
    """Keeps the condition of the stores of one kind.

    Args:
        cloud: The cluster and the account it is in.
        kind: ``STORES`` or ``CLUSTER_STORES``.
    """

    def __init__(self, cloud: Cloud, kind: Kind) -> None:
        self._caches = cloud.caches
        self._cloud = cloud
        self._kind = kind
        self._events = Recorder(cloud.caches.api, "secret-store" if kind is STORES else "cluster-secret-store")
        self.name = f"external-secrets {kind.plural}"

    def watches(self) -> Mapping[Kind, Mapper]:
        """The stores."""
        return {self._kind: lambda store: [key_of(store)]}

    async def reconcile(self, key: Key) -> float | None:
        """Try the store and say what came of it."""
        store = self._caches[self._kind].get(key)
        if store is None:
            return None
        if not self._cloud.gate.active(EXTERNAL_SECRETS):
            return UNTIL_ACTIVE
        try:
            await provider(self._cloud, store)
        except Invalid as cause:
            await self._events.warning(store, "InvalidProviderConfig", str(cause))
            await self._say(store, "False", "InvalidProviderConfig", str(cause))
            return AGAIN
        await self._say(store, "True", "Valid", "store validated")
        return None

    async def _say(self, store: Object, status: str, reason: str, message: str) -> None:
        condition = {"type": "Ready", "status": status, "reason": reason, "message": message}
        present = (store.get("status") or {}).get("conditions") or []
        if [{k: v for k, v in each.items() if k != "lastTransitionTime"} for each in present] != [condition]:
            conditions = [condition | {"lastTransitionTime": timestamp()}]
            status_ = {"capabilities": "ReadWrite", "conditions": conditions}
            await self._caches.patch(self._kind, store, {"status": status_}, "status")


def find(caches: Caches, external: Object) -> Object:
    """Return the store an ExternalSecret names.

    Raises:
        Invalid: There is none.
    """
    reference = external["spec"].get("secretStoreRef") or {}
    name = reference.get("name", "")
    if reference.get("kind", "SecretStore") == "ClusterSecretStore":
        found, what = caches[CLUSTER_STORES].get(("", name)), f'ClusterSecretStore "{name}"'
    else:
        namespace = external["metadata"]["namespace"]
        found, what = caches[STORES].get((namespace, name)), f'SecretStore "{name}"'
    if found is None:
        raise Invalid(f"could not get {what}, {what.split()[0].lower()}s.external-secrets.io {name!r} not found")
    return found
