"""Access entries: who may reach the Kubernetes API, and with which access policies."""

import uuid
from typing import Any
from urllib.parse import unquote

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.eks.responses import EKSResponse

from hallmark.twin.aws.extension.eks.common import arn, cluster_of, in_use, invalid, not_found
from hallmark.twin.aws.extension.patching import extend, parameter

POLICIES = "arn:aws:eks::aws:cluster-access-policy/"


def install() -> None:
    """Add the eight operations."""
    extend(
        EKSResponse,
        create_access_entry,
        describe_access_entry,
        update_access_entry,
        delete_access_entry,
        list_access_entries,
        associate_access_policy,
        disassociate_access_policy,
        list_associated_access_policies,
    )


def _principal(request: Any) -> str:
    return unquote(parameter(request, "principalArn"))


def _entry(request: Any) -> tuple[Any, dict[str, Any]]:
    cluster, principal = cluster_of(request), _principal(request)
    if principal not in cluster.access_entries:
        raise not_found(
            "The specified principalArn could not be found. You can view your available access entries "
            "with 'aws eks list-access-entries'."
        )
    return cluster, cluster.access_entries[principal]


def create_access_entry(request: Any) -> ActionResult:
    """CreateAccessEntry; refused while the cluster knows the aws-auth ConfigMap only."""
    cluster, principal, backend = cluster_of(request), _principal(request), request.eks_backend
    if cluster.access_config["authenticationMode"] == "CONFIG_MAP":
        raise invalid(
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] "
            "to perform this operation."
        )
    if principal in cluster.access_entries:
        raise in_use("The specified access entry resource is already in use on this cluster.")
    now = utcnow()
    kind, name = principal.split(":")[-1].split("/")[0], principal.split("/")[-1]
    session = principal.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/{{SessionName}}"
    cluster.access_entries[principal] = {
        "clusterName": cluster.name,
        "principalArn": principal,
        "kubernetesGroups": parameter(request, "kubernetesGroups") or [],
        "accessEntryArn": arn(
            backend, f"access-entry/{cluster.name}/{kind}/{backend.account_id}/{name}/{uuid.uuid4()}"
        ),
        "createdAt": now,
        "modifiedAt": now,
        "tags": dict(parameter(request, "tags") or {}),
        "username": parameter(request, "username") or (session if kind == "role" else principal),
        "type": parameter(request, "type") or "STANDARD",
        "policies": {},
    }
    return ActionResult({"accessEntry": cluster.access_entries[principal]})


def describe_access_entry(request: Any) -> ActionResult:
    """DescribeAccessEntry."""
    return ActionResult({"accessEntry": _entry(request)[1]})


def update_access_entry(request: Any) -> ActionResult:
    """UpdateAccessEntry."""
    entry = _entry(request)[1]
    asked = {name: parameter(request, name) for name in ("kubernetesGroups", "username")}
    entry.update({name: value for name, value in asked.items() if value is not None}, modifiedAt=utcnow())
    return ActionResult({"accessEntry": entry})


def delete_access_entry(request: Any) -> ActionResult:
    """DeleteAccessEntry."""
    cluster, entry = _entry(request)
    del cluster.access_entries[entry["principalArn"]]
    return EmptyResult()


def list_access_entries(request: Any) -> ActionResult:
    """ListAccessEntries, all of them or those with one policy."""
    policy = parameter(request, "associatedPolicyArn")
    entries = cluster_of(request).access_entries
    return ActionResult(
        {"accessEntries": [name for name, one in entries.items() if policy in {None, *one["policies"]}]}
    )


def associate_access_policy(request: Any) -> ActionResult:
    """AssociateAccessPolicy."""
    cluster, entry = _entry(request)
    policy, now = parameter(request, "policyArn"), utcnow()
    if not policy.startswith(POLICIES):
        raise invalid(f"The policyArn parameter format is not valid: {policy}")
    scope = {"namespaces": [], **(parameter(request, "accessScope") or {})}
    entry["policies"][policy] = {"policyArn": policy, "accessScope": scope, "associatedAt": now, "modifiedAt": now}
    return ActionResult(_about(cluster, entry) | {"associatedAccessPolicy": entry["policies"][policy]})


def disassociate_access_policy(request: Any) -> ActionResult:
    """DisassociateAccessPolicy."""
    entry, policy = _entry(request)[1], unquote(parameter(request, "policyArn"))
    if policy not in entry["policies"]:
        raise not_found(f"The specified policyArn {policy} is not associated with the access entry.")
    del entry["policies"][policy]
    return EmptyResult()


def list_associated_access_policies(request: Any) -> ActionResult:
    """ListAssociatedAccessPolicies."""
    cluster, entry = _entry(request)
    return ActionResult(_about(cluster, entry) | {"associatedAccessPolicies": list(entry["policies"].values())})


def _about(cluster: Any, entry: dict[str, Any]) -> dict[str, Any]:
    return {"clusterName": cluster.name, "principalArn": entry["principalArn"]}
