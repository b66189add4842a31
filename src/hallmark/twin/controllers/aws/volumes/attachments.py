"""The controller of attachments: a volume is attached to the node of the pod that mounts it, and detached after it.

Which attachments are wanted says kube-controller-manager (a VolumeAttachment for each); the driver makes them true.
"""

import hashlib
from collections.abc import Iterable, Mapping

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.cloud import Cloud, Inactive
from hallmark.twin.controllers.aws.gate import EBS_CSI_CONTROLLER
from hallmark.twin.controllers.aws.volumes.driver import Driver, words
from hallmark.twin.controllers.aws.volumes.parameters import DRIVER
from hallmark.twin.controllers.workloads.pods import is_finished, node_name, status
from hallmark.twin.controllers.workloads.scheduling.volumes import claim_names
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import CLAIMS, NODES, PODS, VOLUMES, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper

ATTACHMENTS = Kind("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", namespaced=False)
FINALIZER = "external-attacher/ebs-csi-aws-com"
AGAIN, UNTIL_ACTIVE = 5.0, 2.0


def attachment_name(handle: str, node: str) -> str:
    """Name of the VolumeAttachment of a volume on a node."""
    return f"csi-{hashlib.sha256(f'{handle}{DRIVER}{node}'.encode()).hexdigest()}"


def instance_of(node: Object) -> str:
    """Id of the instance behind a node, or empty."""
    return str(node["spec"].get("providerID", "")).rpartition("/")[2]


class Attachments:
    """Keeps VolumeAttachments, one volume at a time.

    Args:
        cloud: The cluster and its account.
    """

    name = "attachdetach-controller"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._caches = cloud.caches
        self._driver = Driver(cloud)
        self._events = Recorder(cloud.caches.api, self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """Volumes, and pods that mount them."""
        return {
            VOLUMES: lambda volume: [key_of(volume)],
            CLAIMS: lambda claim: [("", claim["spec"]["volumeName"])] if claim["spec"].get("volumeName") else [],
            PODS: self._of_pod,
            ATTACHMENTS: lambda one: [("", one["spec"]["source"].get("persistentVolumeName", ""))],
            NODES: lambda _: (),
        }

    async def reconcile(self, key: Key) -> float | None:
        """Attach or detach one volume."""
        volume = self._caches[VOLUMES].get(key)
        if volume is None or (volume["spec"].get("csi") or {}).get("driver") != DRIVER:
            return None
        users = self._users(volume)
        present = [one for one in self._caches[ATTACHMENTS].all() if _is_of(one, volume)]
        waits = [await self._detach(volume, one) for one in present if one["spec"]["nodeName"] not in users]
        for node, pods in users.items():
            waits.append(await self._attach(volume, node, pods, present))
        return min((each for each in waits if each is not None), default=None)

    async def _attach(self, volume: Object, node: str, pods: list[Object], present: list[Object]) -> float | None:
        others = [one for one in present if one["spec"]["nodeName"] != node]
        name, handle = volume["metadata"]["name"], volume["spec"]["csi"]["volumeHandle"]
        if others:
            message = (
                f'Multi-Attach error for volume "{name}" Volume is already exclusively attached to one node and '
                "can't be attached to another"
            )
            await self._warn(pods, message)
            return AGAIN
        one = next((each for each in present if each["spec"]["nodeName"] == node), None)
        one = one or await self._caches.create(ATTACHMENTS, _attachment(name, handle, node))
        if status(one).get("attached"):
            return None
        machine = self._caches[NODES].get(("", node))
        if machine is None or not self._cloud.gate.active(EBS_CSI_CONTROLLER):
            return UNTIL_ACTIVE
        return await self._publish(volume, machine, one, pods)

    async def _publish(self, volume: Object, node: Object, one: Object, pods: list[Object]) -> float | None:
        name, handle, instance = volume["metadata"]["name"], volume["spec"]["csi"]["volumeHandle"], instance_of(node)
        try:
            device = await self._driver.attach(handle, instance)
        except Inactive:
            return UNTIL_ACTIVE
        except ClientError as error:
            cause = words(error, f'Could not attach volume "{handle}" to node "{instance}"', "AttachVolume")
            await self._warn(pods, f'AttachVolume.Attach failed for volume "{name}" : {cause}')
            return AGAIN
        told = {"attached": True, "attachmentMetadata": {"devicePath": device}}
        await self._caches.patch(ATTACHMENTS, one, {"status": told}, "status")
        for pod in pods:
            message = f'AttachVolume.Attach succeeded for volume "{name}" '
            await self._events.normal(pod, "SuccessfulAttachVolume", message)
        return None

    async def _detach(self, volume: Object, one: Object) -> float | None:
        node = self._caches[NODES].get(("", one["spec"]["nodeName"]))
        if status(one).get("attached") and node:
            try:
                await self._driver.detach(volume["spec"]["csi"]["volumeHandle"], instance_of(node))
            except Inactive:
                return UNTIL_ACTIVE
            except ClientError:
                return AGAIN
        await self._caches.patch(ATTACHMENTS, one, {"metadata": {"finalizers": []}})
        await self._caches.delete(ATTACHMENTS, one)
        return None

    async def _warn(self, pods: list[Object], message: str) -> None:
        for pod in pods:
            await self._events.warning(pod, "FailedAttachVolume", message)

    def _users(self, volume: Object) -> dict[str, list[Object]]:
        """Pods that mount a volume, by node."""
        reference = volume["spec"].get("claimRef") or {}
        claim = self._caches[CLAIMS].get((reference.get("namespace", ""), reference.get("name", "")))
        if claim is None or claim["spec"].get("volumeName") != volume["metadata"]["name"]:
            return {}
        found: dict[str, list[Object]] = {}
        for pod in self._caches[PODS].all(claim["metadata"]["namespace"]):
            if node_name(pod) and not is_finished(pod) and claim["metadata"]["name"] in claim_names(pod):
                found.setdefault(node_name(pod), []).append(pod)
        return found

    def _of_pod(self, pod: Object) -> Iterable[Key]:
        if not node_name(pod):
            return []
        claims = [self._caches[CLAIMS].get((pod["metadata"]["namespace"], name)) for name in claim_names(pod)]
        return [("", claim["spec"]["volumeName"]) for claim in claims if claim and claim["spec"].get("volumeName")]


def _is_of(one: Object, volume: Object) -> bool:
    return bool(one["spec"]["source"].get("persistentVolumeName") == volume["metadata"]["name"])


def _attachment(volume: str, handle: str, node: str) -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "VolumeAttachment",
        "metadata": {"name": attachment_name(handle, node), "finalizers": [FINALIZER]},
        "spec": {"attacher": DRIVER, "nodeName": node, "source": {"persistentVolumeName": volume}},
    }
