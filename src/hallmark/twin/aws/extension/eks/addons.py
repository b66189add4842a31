"""EKS add-ons."""

import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.eks.responses import EKSResponse

from hallmark.twin.aws.extension.eks.catalogue import ADDONS, addon_version, offered, today
from hallmark.twin.aws.extension.eks.common import arn, cluster_of, in_use, invalid, not_found
from hallmark.twin.aws.extension.eks.pod_identity import associate
from hallmark.twin.aws.extension.eks.updates import record
from hallmark.twin.aws.extension.patching import extend, parameter

CHANGEABLE = ("addonVersion", "serviceAccountRoleArn", "configurationValues")


def install() -> None:
    """Add the six operations."""
    extend(
        EKSResponse,
        create_addon,
        describe_addon,
        update_addon,
        delete_addon,
        list_addons,
        describe_addon_versions,
    )


def create_addon(request: Any) -> ActionResult:
    """CreateAddon; it is active at once."""
    cluster, name = cluster_of(request), parameter(request, "addonName")
    if name in cluster.addons:
        raise in_use("Addon already exists.", clusterName=cluster.name, addonName=name)
    if name not in ADDONS:
        message = f"Addon {name} specified is not supported in {cluster.version} kubernetes version"
        raise invalid(message, clusterName=cluster.name, addonName=name)
    now = utcnow()
    cluster.addons[name] = {
        "addonName": name,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "addonVersion": parameter(request, "addonVersion") or addon_version(name, cluster.version),
        "health": {"issues": []},
        "addonArn": arn(request.eks_backend, f"addon/{cluster.name}/{name}/{uuid.uuid4()}"),
        "createdAt": now,
        "modifiedAt": now,
        "serviceAccountRoleArn": parameter(request, "serviceAccountRoleArn"),
        "configurationValues": parameter(request, "configurationValues"),
        "tags": dict(parameter(request, "tags") or {}),
        "podIdentityAssociations": _associations(request, cluster),
    }
    return ActionResult({"addon": cluster.addons[name]})


def _associations(request: Any, cluster: Any) -> list[str]:
    asked = parameter(request, "podIdentityAssociations") or []
    made = (
        associate(request.eks_backend, cluster, "kube-system", one["serviceAccount"], one["roleArn"]) for one in asked
    )
    return [association["associationArn"] for association in made]


def _addon(request: Any) -> tuple[Any, dict[str, Any]]:
    cluster, name = cluster_of(request), parameter(request, "addonName")
    if name not in cluster.addons:
        message = f"No addon: {name} found in cluster: {cluster.name}"
        raise not_found(message, clusterName=cluster.name, addonName=name)
    return cluster, cluster.addons[name]


def describe_addon(request: Any) -> ActionResult:
    """DescribeAddon."""
    return ActionResult({"addon": _addon(request)[1]})


def update_addon(request: Any) -> ActionResult:
    """UpdateAddon."""
    cluster, addon = _addon(request)
    asked = {name: parameter(request, name) for name in CHANGEABLE}
    addon.update({name: value for name, value in asked.items() if value is not None}, modifiedAt=utcnow())
    return ActionResult({"update": record(cluster, "AddonUpdate")})


def delete_addon(request: Any) -> ActionResult:
    """DeleteAddon."""
    cluster, addon = _addon(request)
    del cluster.addons[addon["addonName"]]
    return ActionResult({"addon": addon | {"status": "DELETING"}})


def list_addons(request: Any) -> ActionResult:
    """ListAddons."""
    return ActionResult({"addons": sorted(cluster_of(request).addons)})


def describe_addon_versions(request: Any) -> ActionResult:
    """DescribeAddonVersions, of all add-ons or one, for all Kubernetes versions or one."""
    name, kubernetes = parameter(request, "addonName"), parameter(request, "kubernetesVersion")
    versions = [kubernetes] if kubernetes else offered(today())
    names = [one for one in ADDONS if name in {None, one}]
    return ActionResult({"addons": [_offer(one, versions) for one in names]})


def _offer(name: str, kubernetes: list[str]) -> dict[str, Any]:
    compatible: dict[str, list[str]] = {}
    for version in kubernetes:
        compatible.setdefault(addon_version(name, version), []).append(version)
    return {
        "addonName": name,
        "owner": "aws",
        "publisher": "eks",
        "addonVersions": [
            {
                "addonVersion": version,
                "architecture": ["amd64", "arm64"],
                "compatibilities": [
                    {"clusterVersion": one, "platformVersions": ["*"], "defaultVersion": True} for one in clusters
                ],
            }
            for version, clusters in compatible.items()
        ],
    }
