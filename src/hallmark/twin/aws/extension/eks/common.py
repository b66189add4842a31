"""What the EKS modules share: finding the cluster of a request, and AWS's ways to say no."""

from typing import Any

from moto.eks.exceptions import InvalidParameterException, ResourceInUseException, ResourceNotFoundException

from hallmark.twin.aws.extension.patching import parameter


def cluster_of(request: Any) -> Any:
    """The cluster a request is about.

    Raises:
        ResourceNotFoundException: There is no such cluster.
    """
    name = parameter(request, "name") or parameter(request, "clusterName")
    return request.eks_backend.describe_cluster(name)


def not_found(message: str, **about: str) -> ResourceNotFoundException:
    """404, with the fields the SDKs look for."""
    fields = {"clusterName": None, "nodegroupName": None, "addonName": None}
    return ResourceNotFoundException(**{**fields, **about}, message=message)


def in_use(message: str, **about: str) -> ResourceInUseException:
    """409."""
    fields = {"clusterName": None, "nodegroupName": None, "addonName": None}
    return ResourceInUseException(**{**fields, **about}, message=message)


def invalid(message: str, **about: str) -> InvalidParameterException:
    """400."""
    return InvalidParameterException(**about, message=message)


def arn(backend: Any, resource: str) -> str:
    """The ARN of an EKS resource."""
    return f"arn:{backend.partition}:eks:{backend.region_name}:{backend.account_id}:{resource}"
