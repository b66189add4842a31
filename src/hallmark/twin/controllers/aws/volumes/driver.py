"""The EBS CSI driver's calls of AWS, made with the driver's own role."""

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws import words as go
from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.controllers.aws.gate import EBS_CSI_CONTROLLER
from hallmark.twin.controllers.aws.volumes import parameters
from hallmark.twin.kube.kinds import Object

OPERATIONS = {
    "CreateVolume": "create volume",
    "ModifyVolume": "modify volume",
    "DeleteVolume": "delete volume",
    "AttachVolume": "attach volume",
}
GONE = frozenset({"InvalidVolume.NotFound", "InvalidAttachment.NotFound", "InvalidInstanceID.NotFound"})
"""Codes that say that there is nothing left to delete or detach."""
DEVICES = [f"/dev/xvd{first}{second}" for first in "ab" for second in "abcdefghijklmnopqrstuvwxyz"]


class Driver:
    """What the driver's controller does in AWS.

    Args:
        cloud: The cluster and its account.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._log = cloud.log("ebs-csi-controller")

    async def create(self, class_: Mapping[str, Any], claim: Object, zone: str) -> str:
        """Make the volume of a claim, once: a volume that carries its name is taken. Returns its id.

        Raises:
            Refused: The StorageClass says something that the driver does not take.
            ClientError: AWS refused.
            Inactive: The driver does not run.
        """
        wanted = parameters.volume(class_, _asked(claim), zone)
        name = parameters.volume_name(claim)
        if found := await self._find(name):
            return found
        tags = parameters.tags(class_, claim, self._cloud.cluster, self._extra_tags())
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        answer = await self._call(
            "create_volume",
            **wanted,
            ClientToken=hashlib.sha256(name.encode()).hexdigest()[:64],
            TagSpecifications=[{"ResourceType": "volume", "Tags": listed}],
        )
        self._log.info('"[Debug] Volume created" volumeName="%s" volumeID="%s"', name, answer["VolumeId"])
        return str(answer["VolumeId"])

    async def grow(self, handle: str, size: str) -> None:
        """Grow a volume; see :meth:`create` for the errors."""
        await self._call("modify_volume", VolumeId=handle, Size=parameters.gib(size))

    async def delete(self, handle: str) -> None:
        """Delete a volume; one that is gone already counts as deleted."""
        try:
            await self._call("delete_volume", VolumeId=handle)
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise

    async def attach(self, handle: str, instance: str) -> str:
        """Attach a volume to an instance, unless it is. Returns the device.

        Raises:
            ClientError: AWS refused, for example because it is attached elsewhere.
        """
        volume = (await self._call("describe_volumes", VolumeIds=[handle]))["Volumes"][0]
        for attachment in volume.get("Attachments") or []:
            if attachment["InstanceId"] == instance:
                return str(attachment["Device"])
        filters = [{"Name": "attachment.instance-id", "Values": [instance]}]
        others = (await self._call("describe_volumes", Filters=filters))["Volumes"]
        taken = {one["Device"] for each in others for one in each.get("Attachments") or []}
        device = next(each for each in DEVICES if each not in taken)
        await self._call("attach_volume", VolumeId=handle, InstanceId=instance, Device=device)
        self._log.info(
            '"ControllerPublishVolume: attached" volumeID="%s" nodeID="%s" devicePath="%s"', handle, instance, device
        )
        return device

    async def detach(self, handle: str, instance: str) -> None:
        """Detach a volume; one that is not attached there, or gone, counts as detached."""
        try:
            await self._call("detach_volume", VolumeId=handle, InstanceId=instance)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"IncorrectState", *GONE}:
                raise

    async def _find(self, name: str) -> str:
        answer = await self._call("describe_volumes", Filters=[{"Name": "tag:CSIVolumeName", "Values": [name]}])
        return next((str(each["VolumeId"]) for each in answer["Volumes"]), "")

    def _extra_tags(self) -> dict[str, str]:
        arguments = [
            argument
            for pod in self._cloud.gate.pods(EBS_CSI_CONTROLLER)[:1]
            for container in pod["spec"]["containers"]
            for argument in container.get("args") or []
        ]
        return parameters.extra_tags(arguments)

    async def _call(self, operation: str, **asked: Any) -> Any:
        try:
            return await self._cloud.act(EBS_CSI_CONTROLLER, "ec2", operation, **asked)
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                self._log.error('"%s failed" err="%s"', operation, error)
            raise


def words(error: Exception, what: str, operation: str) -> str:
    """What the driver's gRPC answer says of an error.

    Args:
        error: The driver's own refusal, or AWS's.
        what: What could not be done.
        operation: Operation of EC2 that failed, for example ``CreateVolume``.
    """
    if not isinstance(error, ClientError):
        return str(error)
    did = OPERATIONS[operation]
    return f"rpc error: code = Internal desc = {what}: could not {did} in EC2: {go.of(error, 'EC2', operation)}"


def _asked(claim: Object) -> str:
    return str(claim["spec"]["resources"]["requests"]["storage"])
