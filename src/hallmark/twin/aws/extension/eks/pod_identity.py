"""Pod Identity associations: the other way to give a service account a role."""

import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.eks.responses import EKSResponse

from hallmark.twin.aws.extension.eks.common import arn, cluster_of, in_use, not_found
from hallmark.twin.aws.extension.patching import extend, parameter


def install() -> None:
    """Add the five operations."""
    extend(
        EKSResponse,
        create_pod_identity_association,
        describe_pod_identity_association,
        update_pod_identity_association,
        delete_pod_identity_association,
        list_pod_identity_associations,
    )


def associate(backend: Any, cluster: Any, namespace: str, account: str, role: str) -> dict[str, Any]:
    """Associate a service account with a role.

    Raises:
        ResourceInUseException: The service account has an association already.
    """
    if any(
        (one["namespace"], one["serviceAccount"]) == (namespace, account) for one in cluster.pod_identities.values()
    ):
        raise in_use(f"Association already exists: {namespace}/{account}", clusterName=cluster.name)
    identifier, now = f"a-{uuid.uuid4().hex[:18]}", utcnow()
    cluster.pod_identities[identifier] = {
        "clusterName": cluster.name,
        "namespace": namespace,
        "serviceAccount": account,
        "roleArn": role,
        "associationArn": arn(backend, f"podidentityassociation/{cluster.name}/{identifier}"),
        "associationId": identifier,
        "createdAt": now,
        "modifiedAt": now,
        "tags": {},
        "disableSessionTags": False,
    }
    association: dict[str, Any] = cluster.pod_identities[identifier]
    return association


def _association(request: Any) -> tuple[Any, dict[str, Any]]:
    cluster, identifier = cluster_of(request), parameter(request, "associationId")
    if identifier not in cluster.pod_identities:
        raise not_found(f"No association found with the associationId {identifier}", clusterName=cluster.name)
    return cluster, cluster.pod_identities[identifier]


def create_pod_identity_association(request: Any) -> ActionResult:
    """CreatePodIdentityAssociation."""
    association = associate(
        request.eks_backend,
        cluster_of(request),
        parameter(request, "namespace"),
        parameter(request, "serviceAccount"),
        parameter(request, "roleArn"),
    )
    association["tags"] = dict(parameter(request, "tags") or {})
    return ActionResult({"association": association})


def describe_pod_identity_association(request: Any) -> ActionResult:
    """DescribePodIdentityAssociation."""
    return ActionResult({"association": _association(request)[1]})


def update_pod_identity_association(request: Any) -> ActionResult:
    """UpdatePodIdentityAssociation."""
    association = _association(request)[1]
    association["roleArn"] = parameter(request, "roleArn") or association["roleArn"]
    return ActionResult({"association": association})


def delete_pod_identity_association(request: Any) -> ActionResult:
    """DeletePodIdentityAssociation."""
    cluster, association = _association(request)
    del cluster.pod_identities[association["associationId"]]
    return ActionResult({"association": association})


def list_pod_identity_associations(request: Any) -> ActionResult:
    """ListPodIdentityAssociations, of all service accounts, a namespace, or one service account."""
    namespace, account = parameter(request, "namespace"), parameter(request, "serviceAccount")
    found = [
        one
        for one in cluster_of(request).pod_identities.values()
        if namespace in {None, one["namespace"]} and account in {None, one["serviceAccount"]}
    ]
    return ActionResult({"associations": found})
