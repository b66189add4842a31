"""The controller of volumes: released when their claim is gone, then deleted or kept, as their policy says."""

from collections.abc import Mapping

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.cloud import Cloud, Inactive
from hallmark.twin.controllers.aws.gate import EBS_CSI_CONTROLLER
from hallmark.twin.controllers.aws.volumes import binding
from hallmark.twin.controllers.aws.volumes.attachments import ATTACHMENTS
from hallmark.twin.controllers.aws.volumes.driver import Driver, words
from hallmark.twin.controllers.aws.volumes.parameters import DRIVER
from hallmark.twin.controllers.workloads.pods import annotations, is_leaving, status
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import CLAIMS, VOLUMES, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper

AGAIN, UNTIL_ACTIVE = 10.0, 2.0


class Reclaiming:
    """Keeps PersistentVolumes.

    Args:
        cloud: The cluster and its account.
    """

    name = "persistentvolume-reclaimer"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._caches = cloud.caches
        self._driver = Driver(cloud)
        self._events = Recorder(cloud.caches.api, f"{DRIVER}_ebs-csi-controller")

    def watches(self) -> Mapping[Kind, Mapper]:
        """Volumes, and claims: their end releases one."""
        return {
            VOLUMES: lambda volume: [key_of(volume)],
            CLAIMS: lambda claim: [("", claim["spec"]["volumeName"])] if claim["spec"].get("volumeName") else [],
            ATTACHMENTS: lambda one: [("", one["spec"]["source"].get("persistentVolumeName", ""))],
        }

    async def reconcile(self, key: Key) -> float | None:
        """Look at one volume."""
        volume = self._caches[VOLUMES].get(key)
        if volume is None:
            return None
        reference = volume["spec"].get("claimRef")
        if not reference:
            await self._say(volume, "Available")
            await self._let_go_if_leaving(volume)
            return None
        claim = self._caches[CLAIMS].get((reference["namespace"], reference["name"]))
        if claim and binding.belongs_to(volume, claim):
            return None
        if reference.get("uid"):
            await self._say(volume, "Released")
        return await self._reclaim(volume)

    async def _reclaim(self, volume: Object) -> float | None:
        policy = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain")
        if policy == "Delete" and annotations(volume).get(binding.PROVISIONED_BY) == DRIVER:
            return await self._delete(volume)
        await self._let_go_if_leaving(volume)
        return None

    async def _delete(self, volume: Object) -> float | None:
        if not self._cloud.gate.active(EBS_CSI_CONTROLLER):
            return UNTIL_ACTIVE
        if self._attached(volume):
            return AGAIN
        handle = volume["spec"]["csi"]["volumeHandle"]
        try:
            await self._driver.delete(handle)
        except Inactive:
            return UNTIL_ACTIVE
        except ClientError as error:
            cause = words(error, f'Could not delete volume ID "{handle}"', "DeleteVolume")
            await self._events.warning(volume, "VolumeFailedDelete", cause)
            return AGAIN
        await self._let_go(volume)
        present = self._caches[VOLUMES].get(key_of(volume))
        if present and not is_leaving(present):
            await self._caches.delete(VOLUMES, present)
        return None

    def _attached(self, volume: Object) -> bool:
        name = volume["metadata"]["name"]
        return any(
            each["spec"]["source"].get("persistentVolumeName") == name for each in self._caches[ATTACHMENTS].all()
        )

    async def _let_go_if_leaving(self, volume: Object) -> None:
        if is_leaving(volume):
            await self._let_go(volume)

    async def _let_go(self, volume: Object) -> None:
        ours = {binding.VOLUME_PROTECTION, binding.DELETION_FINALIZER}
        finalizers = volume["metadata"].get("finalizers") or []
        left = [each for each in finalizers if each not in ours]
        if left != finalizers:
            await self._caches.patch(VOLUMES, volume, {"metadata": {"finalizers": left}})

    async def _say(self, volume: Object, phase: str) -> None:
        if status(volume).get("phase") != phase:
            await self._caches.patch(VOLUMES, volume, {"status": {"phase": phase}}, "status")
