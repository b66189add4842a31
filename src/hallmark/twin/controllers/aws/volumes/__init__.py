"""Volumes: claims become EBS volumes, pods get them attached, and what nobody wants any more is deleted.

Three parts of the real thing: the volume controllers of kube-controller-manager, which work without any add-on; the
EBS CSI driver, which works while a pod of its controller is ready and with the permissions of its role; and the
protection of what is in use.
"""

from hallmark.twin.controllers.aws.volumes.attachments import Attachments
from hallmark.twin.controllers.aws.volumes.claims import Claims
from hallmark.twin.controllers.aws.volumes.reclaiming import Reclaiming

__all__ = ["Attachments", "Claims", "Reclaiming"]
