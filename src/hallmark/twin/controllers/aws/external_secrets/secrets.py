"""ExternalSecret: its Secret, refreshed, put back when somebody edits it, left alone when the store fails."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.controllers.aws.external_secrets import desired, stores
from hallmark.twin.controllers.aws.external_secrets.kinds import (
    CLUSTER_STORES,
    DATA_HASH,
    FORCE,
    OBJECTS,
    STORES,
)
from hallmark.twin.controllers.aws.external_secrets.stores import AGAIN, UNTIL_ACTIVE, Invalid
from hallmark.twin.controllers.aws.gate import EXTERNAL_SECRETS
from hallmark.twin.kube.events import Recorder, timestamp
from hallmark.twin.kube.kinds import SECRETS, Key, Kind, Object, controller_of, key_of
from hallmark.twin.kube.reconcile import Mapper

SYNCED, FAILED = "SecretSynced", "SecretSyncedError"
HIDDEN = "could not get secret data from provider"
FOREVER = float("inf")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class ExternalSecrets:
    """The reconciler of ExternalSecrets.

    Args:
        cloud: The cluster and the account it is in.
    """

    name = EXTERNAL_SECRETS.name

    def __init__(self, cloud: Cloud) -> None:
        self._caches = cloud.caches
        self._cloud = cloud
        self._events = Recorder(cloud.caches.api, self.name)
        self._log = cloud.log(self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """ExternalSecrets, the Secrets they own, and the stores they read."""
        return {
            OBJECTS: lambda external: [key_of(external)],
            SECRETS: _owner,
            STORES: self._readers,
            CLUSTER_STORES: self._readers,
        }

    async def reconcile(self, key: Key) -> float | None:
        """Refresh one ExternalSecret if it is due."""
        external = self._caches[OBJECTS].get(key)
        if external is None or external["metadata"].get("deletionTimestamp"):
            return None
        if not self._cloud.gate.active(EXTERNAL_SECRETS):
            return UNTIL_ACTIVE
        left = self._seconds_left(external)
        if left > 0 and not self._was_edited(external):
            return left if left != FOREVER else None
        try:
            await self._refresh(external)
        except (Invalid, desired.NotSynced) as cause:
            self._log.error("%s: %s", "/".join(key), cause)
            await self._events.warning(external, "UpdateFailed", str(cause))
            await self._say(external, "False", FAILED, HIDDEN if isinstance(cause, desired.NotSynced) else str(cause))
            return AGAIN
        return _interval(external) or None

    async def _refresh(self, external: Object) -> None:
        provider = await stores.provider(self._cloud, stores.find(self._caches, external))
        data = await asyncio.to_thread(desired.values, external["spec"], provider)
        wanted = desired.secret(external, data)
        if external["spec"].get("target", {}).get("creationPolicy", "Owner") != "None":
            await self._write(external, wanted)
        await self._say(external, "True", SYNCED, "secret synced", refreshed=True)

    async def _write(self, external: Object, wanted: Object) -> None:
        present = self._caches[SECRETS].get(key_of(wanted))
        policy = external["spec"].get("target", {}).get("creationPolicy", "Owner")
        if present is None:
            if policy == "Merge":
                raise desired.NotSynced(f"the desired secret {wanted['metadata']['name']} was not found")
            await self._caches.create(SECRETS, wanted)
            await self._events.normal(external, "Created", "secret created")
            return
        owner = controller_of(present)
        if policy == "Owner" and owner and owner["uid"] != external["metadata"]["uid"]:
            raise desired.NotSynced(f"secret is owned by {owner['kind']} {owner['name']}")
        if _differs(present, wanted):
            gone = dict.fromkeys(set(present.get("data") or {}) - set(wanted["data"])) if policy != "Merge" else {}
            change = {"metadata": wanted["metadata"], "data": {**wanted["data"], **gone}}
            await self._caches.patch(SECRETS, present, change)
            await self._events.normal(external, "Updated", "secret updated")

    def _seconds_left(self, external: Object) -> float:
        """Return how long the last refresh is good for; 0 when the spec or the force-sync annotation changed since."""
        status = external.get("status") or {}
        ready = any(each["status"] == "True" for each in status.get("conditions") or [])
        if not ready or status.get("syncedResourceVersion") != _version(external):
            return 0.0
        if not (interval := _interval(external)):
            return FOREVER if self._secret(external) else 0.0
        age = (datetime.now(UTC) - datetime.fromisoformat(status["refreshTime"])).total_seconds()
        return max(0.0, interval - age)

    def _was_edited(self, external: Object) -> bool:
        """Whether the Secret is gone, or holds something else than was written."""
        if external["spec"].get("target", {}).get("creationPolicy", "Owner") == "None":
            return False
        secret = self._secret(external)
        if secret is None:
            return True
        written = (secret["metadata"].get("annotations") or {}).get(DATA_HASH)
        merged = external["spec"].get("target", {}).get("creationPolicy") == "Merge"
        return not merged and written != desired.digest(secret.get("data") or {})

    def _secret(self, external: Object) -> Object | None:
        name = external["spec"].get("target", {}).get("name") or external["metadata"]["name"]
        return self._caches[SECRETS].get((external["metadata"]["namespace"], name))

    async def _say(self, external: Object, status: str, reason: str, message: str, *, refreshed: bool = False) -> None:
        condition = {"type": "Ready", "status": status, "reason": reason, "message": message}
        present = ((external.get("status") or {}).get("conditions") or [{}])[0]
        unchanged = {k: v for k, v in present.items() if k != "lastTransitionTime"} == condition
        if unchanged and not refreshed:
            return
        since = present["lastTransitionTime"] if present.get("status") == status else timestamp()
        content: Object = {"conditions": [condition | {"lastTransitionTime": since}]}
        if refreshed:
            name = external["spec"].get("target", {}).get("name") or external["metadata"]["name"]
            content |= {
                "refreshTime": timestamp(),
                "syncedResourceVersion": _version(external),
                "binding": {"name": name},
            }
        await self._caches.patch(OBJECTS, external, {"status": content}, "status")

    def _readers(self, store: Object) -> Iterable[Key]:
        name, place = store["metadata"]["name"], store["metadata"].get("namespace", "")
        everything = self._caches[OBJECTS].all(place)
        return [key_of(each) for each in everything if each["spec"].get("secretStoreRef", {}).get("name") == name]


def _owner(secret: Object) -> Iterable[Key]:
    owner = controller_of(secret)
    ours = owner is not None and owner["kind"] == OBJECTS.kind
    return [(secret["metadata"]["namespace"], owner["name"])] if ours and owner else []


def _differs(present: Object, wanted: Object) -> bool:
    metadata, asked = present["metadata"], wanted["metadata"]
    annotations = metadata.get("annotations") or {}
    same = present.get("data") == wanted["data"] and annotations.get(DATA_HASH) == asked["annotations"][DATA_HASH]
    return not same or metadata.get("ownerReferences", []) != asked.get("ownerReferences", [])


def _version(external: Object) -> str:
    """Return what a refresh depends on: the spec's generation, and whatever asks for a refresh by annotation."""
    forced = (external["metadata"].get("annotations") or {}).get(FORCE, "")
    return f"{external['metadata'].get('generation', 1)}-{forced}"


def _interval(external: Object) -> float:
    """Return the refresh interval in seconds; 0: once."""
    text = str(external["spec"].get("refreshInterval", "1h"))
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|h|m|s)", text))
