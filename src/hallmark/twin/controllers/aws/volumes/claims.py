"""The controller of claims: binds them, has the driver make volumes for them, and grows them."""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.controllers.aws.cloud import Cloud, Inactive
from hallmark.twin.controllers.aws.gate import EBS_CSI_CONTROLLER
from hallmark.twin.controllers.aws.volumes import binding, parameters
from hallmark.twin.controllers.aws.volumes.driver import Driver, words
from hallmark.twin.controllers.aws.volumes.parameters import DRIVER, Refused
from hallmark.twin.controllers.workloads.pods import annotations, is_finished, is_leaving
from hallmark.twin.controllers.workloads.scheduling.volumes import claim_names
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import CLAIMS, NODES, PODS, STORAGE_CLASSES, VOLUMES, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper

AGAIN, UNTIL_ACTIVE = 10.0, 2.0
"""Seconds before a refused volume is tried again, and before a driver that is not running is looked for again."""
NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
LOST = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
WAITING_FOR_POD = "waiting for first consumer to be created before binding"
WAITING_FOR_DRIVER = (
    f"Waiting for a volume to be created either by the external provisioner '{DRIVER}' or manually by the system "
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
    "registered."
)


class Claims:
    """Keeps PersistentVolumeClaims.

    Args:
        cloud: The cluster and its account.
    """

    name = "persistentvolume-controller"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._caches = cloud.caches
        self._driver = Driver(cloud)
        self._events = Recorder(cloud.caches.api, self.name)
        self._told = Recorder(cloud.caches.api, f"{DRIVER}_ebs-csi-controller")
        self._resizer = Recorder(cloud.caches.api, f"external-resizer {DRIVER}")

    def watches(self) -> Mapping[Kind, Mapper]:
        """Claims, and what may let one be bound or removed."""
        return {
            CLAIMS: lambda claim: [key_of(claim)],
            VOLUMES: self._of_volume,
            STORAGE_CLASSES: lambda _: self._unbound(),
            PODS: self._of_pod,
            NODES: lambda _: (),
        }

    async def reconcile(self, key: Key) -> float | None:
        """Look at one claim."""
        claim = self._caches[CLAIMS].get(key)
        if claim is None:
            return None
        if is_leaving(claim):
            await self._let_go(claim)
            return None
        claim = await self._protect(claim)
        if binding.is_bound(claim):
            return await self._grow(claim)
        volume = binding.choose(claim, self._caches[VOLUMES].all())
        if volume:
            await self._bind(claim, volume)
            return None
        return await self._provide(claim)

    async def _protect(self, claim: Object) -> Object:
        finalizers = claim["metadata"].get("finalizers") or []
        if binding.CLAIM_PROTECTION in finalizers:
            return claim
        patch = {"metadata": {"finalizers": [*finalizers, binding.CLAIM_PROTECTION]}}
        return await self._caches.patch(CLAIMS, claim, patch)

    async def _let_go(self, claim: Object) -> None:
        finalizers = claim["metadata"].get("finalizers") or []
        if binding.CLAIM_PROTECTION in finalizers and not self._users(claim):
            left = [each for each in finalizers if each != binding.CLAIM_PROTECTION]
            await self._caches.patch(CLAIMS, claim, {"metadata": {"finalizers": left}})

    def _users(self, claim: Object) -> list[Object]:
        namespace, name = key_of(claim)
        return [pod for pod in self._caches[PODS].all(namespace) if name in claim_names(pod) and not is_finished(pod)]

    async def _bind(self, claim: Object, volume: Object) -> None:
        if not (volume["spec"].get("claimRef") or {}).get("uid"):
            notes = {"annotations": {binding.BOUND_BY_CONTROLLER: "yes"}}
            patch = {"metadata": notes, "spec": {"claimRef": binding.reference(claim)}}
            volume = await self._caches.patch(VOLUMES, volume, patch)
        if (volume.get("status") or {}).get("phase") != "Bound":
            await self._caches.patch(VOLUMES, volume, {"status": {"phase": "Bound"}}, "status")
        patch, told = binding.bound_claim(claim, volume)
        claim = await self._caches.patch(CLAIMS, claim, patch)
        await self._caches.patch(CLAIMS, claim, told, "status")

    async def _provide(self, claim: Object) -> float | None:
        """Have a volume made, or say why there is none yet."""
        name = claim["spec"].get("storageClassName")
        if claim["spec"].get("volumeName"):
            return None
        if not name:
            await self._events.normal(claim, "FailedBinding", NO_CLASS)
            return None
        class_ = self._caches[STORAGE_CLASSES].get(("", name))
        if class_ is None:
            await self._events.warning(claim, "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found')
            return None
        if class_.get("volumeBindingMode") == "WaitForFirstConsumer" and binding.SELECTED not in annotations(claim):
            await self._events.normal(claim, "WaitForFirstConsumer", WAITING_FOR_POD)
            return None
        if not parameters.is_ours(class_):
            return None
        return await self._provision(await self._hand_over(claim), class_)

    async def _hand_over(self, claim: Object) -> Object:
        if annotations(claim).get(binding.PROVISIONER) == DRIVER:
            return claim
        await self._events.normal(claim, "ExternalProvisioning", WAITING_FOR_DRIVER)
        notes = {binding.PROVISIONER: DRIVER, binding.OLD_PROVISIONER: DRIVER}
        return await self._caches.patch(CLAIMS, claim, {"metadata": {"annotations": notes}})

    async def _provision(self, claim: Object, class_: Mapping[str, Any]) -> float | None:
        if not self._cloud.gate.active(EBS_CSI_CONTROLLER):
            return UNTIL_ACTIVE
        place, about = binding.zone(class_, claim, self._caches[NODES].all()), "/".join(key_of(claim))
        if not place:
            if binding.SELECTED in annotations(claim):  # the chosen node is gone: the scheduler chooses again
                await self._caches.patch(CLAIMS, claim, {"metadata": {"annotations": {binding.SELECTED: None}}})
            return UNTIL_ACTIVE
        await self._told.normal(
            claim, "Provisioning", f'External provisioner is provisioning volume for claim "{about}"'
        )
        try:
            handle = await self._driver.create(class_, claim, place)
        except Inactive:
            return UNTIL_ACTIVE
        except (Refused, ClientError) as error:
            cause = words(error, f'Could not create volume "{parameters.volume_name(claim)}"', "CreateVolume")
            await self._told.warning(
                claim,
                "ProvisioningFailed",
                f'failed to provision volume with StorageClass "{class_["metadata"]["name"]}": {cause}',
            )
            return AGAIN
        volume = await self._caches.create(VOLUMES, binding.new_volume(class_, claim, handle, place))
        message = f"Successfully provisioned volume {volume['metadata']['name']}"
        await self._told.normal(claim, "ProvisioningSucceeded", message)
        await self._bind(claim, volume)
        return None

    async def _grow(self, claim: Object) -> float | None:
        has = ((claim.get("status") or {}).get("capacity") or {}).get("storage", "0")
        volume = self._caches[VOLUMES].get(("", claim["spec"].get("volumeName", "")))
        if volume is None:
            await self._caches.patch(CLAIMS, claim, {"status": {"phase": "Lost"}}, "status")
            await self._events.warning(claim, "ClaimLost", LOST)
            return None
        if quantities.of(binding.requested(claim)) <= quantities.of(has):
            return None
        class_ = self._caches[STORAGE_CLASSES].get(("", claim["spec"].get("storageClassName") or ""))
        if not (class_ or {}).get("allowVolumeExpansion") or not self._cloud.gate.active(EBS_CSI_CONTROLLER):
            return UNTIL_ACTIVE if class_ and class_.get("allowVolumeExpansion") else None
        name, handle = volume["metadata"]["name"], volume["spec"]["csi"]["volumeHandle"]
        await self._resizer.normal(claim, "Resizing", f"External resizer is resizing volume {name}")
        try:
            await self._driver.grow(handle, binding.requested(claim))
        except Inactive:
            return UNTIL_ACTIVE
        except ClientError as error:
            cause = words(error, f'Could not resize volume "{handle}"', "ModifyVolume")
            message = f'resize volume "{name}" by resizer "{DRIVER}" failed: {cause}'
            await self._resizer.warning(claim, "VolumeResizeFailed", message)
            return AGAIN
        await self._has_grown(claim, volume)
        return None

    async def _has_grown(self, claim: Object, volume: Object) -> None:
        size = {"storage": f"{parameters.gib(binding.requested(claim))}Gi"}
        await self._caches.patch(VOLUMES, volume, {"spec": {"capacity": size}})
        message = "Require file system resize of volume on node"
        await self._resizer.normal(claim, "FileSystemResizeRequired", message)
        await self._caches.patch(CLAIMS, claim, {"status": {"capacity": size}}, "status")

    def _of_volume(self, volume: Object) -> Iterable[Key]:
        reference = volume["spec"].get("claimRef")
        return [(reference["namespace"], reference["name"])] if reference else self._unbound()

    def _of_pod(self, pod: Object) -> Iterable[Key]:
        gone = self._caches[PODS].get(key_of(pod)) is None
        names = claim_names(pod) if gone or is_finished(pod) else ()
        return [(pod["metadata"]["namespace"], name) for name in names]

    def _unbound(self) -> Iterable[Key]:
        return [key_of(each) for each in self._caches[CLAIMS].all() if not binding.is_bound(each)]
