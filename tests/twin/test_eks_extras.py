"""EKS add-ons, access entries, Pod Identity and tags: what moto does not have at all."""

from typing import Any

import pytest

from hallmark.twin.clients import Clients

ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

pytestmark = pytest.mark.usefixtures("cluster")


def test_an_addon_lives_and_dies(aws: Clients, role: str) -> None:
    """Created active, changed by an update, gone when deleted."""
    eks, name = aws("eks"), {"clusterName": "lab", "addonName": "aws-ebs-csi-driver"}

    assert eks.create_addon(**name, serviceAccountRoleArn=role)["addon"]["status"] == "ACTIVE"
    eks.update_addon(**name, configurationValues='{"a": 1}')
    assert eks.describe_addon(**name)["addon"]["configurationValues"] == '{"a": 1}'
    assert eks.list_addons(clusterName="lab")["addons"] == ["aws-ebs-csi-driver"]
    eks.delete_addon(**name)
    assert eks.list_addons(clusterName="lab")["addons"] == []


def test_an_addon_that_is_not_there_is_not_found(aws: Clients, refused: Any) -> None:
    """And one that EKS does not offer is refused."""
    with refused("ResourceNotFoundException", "No addon: coredns found in cluster: lab"):
        aws("eks").describe_addon(clusterName="lab", addonName="coredns")
    with refused("InvalidParameterException", "is not supported in 1.35 kubernetes version"):
        aws("eks").create_addon(clusterName="lab", addonName="nonsense")


def test_addon_versions_fit_the_cluster(aws: Clients) -> None:
    """kube-proxy follows Kubernetes."""
    asked = aws("eks").describe_addon_versions(addonName="kube-proxy", kubernetesVersion="1.34")

    assert asked["addons"][0]["addonVersions"][0]["addonVersion"].startswith("v1.34.")


def test_an_access_entry_and_its_policy(aws: Clients, role: str, refused: Any) -> None:
    """Who may reach the API, and with what."""
    eks, entry = aws("eks"), {"clusterName": "lab", "principalArn": role}

    eks.create_access_entry(**entry)
    eks.associate_access_policy(**entry, policyArn=ADMIN, accessScope={"type": "cluster"})

    assert eks.list_access_entries(clusterName="lab")["accessEntries"] == [role]
    policies = eks.list_associated_access_policies(**entry)["associatedAccessPolicies"]
    assert [policy["policyArn"] for policy in policies] == [ADMIN]
    with refused("ResourceInUseException", "already in use"):
        eks.create_access_entry(**entry)
    eks.disassociate_access_policy(**entry, policyArn=ADMIN)
    eks.delete_access_entry(**entry)
    with refused("ResourceNotFoundException", "principalArn could not be found"):
        eks.describe_access_entry(**entry)


def test_access_entries_need_their_authentication_mode(aws: Clients, role: str, network: Any, refused: Any) -> None:
    """A cluster that knows the ConfigMap only refuses them."""
    eks = aws("eks")
    eks.create_cluster(name="old", roleArn=role, resourcesVpcConfig={"subnetIds": network.subnets})

    with refused("InvalidParameterException", "authentication mode"):
        eks.create_access_entry(clusterName="old", principalArn=role)


def test_a_pod_identity_association(aws: Clients, role: str, refused: Any) -> None:
    """One role a service account."""
    eks = aws("eks")
    wanted = {"clusterName": "lab", "namespace": "langsmith", "serviceAccount": "langsmith-backend", "roleArn": role}

    made = eks.create_pod_identity_association(**wanted)["association"]

    named = {"clusterName": "lab", "associationId": made["associationId"]}
    assert eks.describe_pod_identity_association(**named)["association"]["roleArn"] == role
    assert len(eks.list_pod_identity_associations(clusterName="lab", namespace="langsmith")["associations"]) == 1
    assert eks.list_pod_identity_associations(clusterName="lab", namespace="other")["associations"] == []
    with refused("ResourceInUseException", "already exists"):
        eks.create_pod_identity_association(**wanted)
    eks.delete_pod_identity_association(**named)
    assert eks.list_pod_identity_associations(clusterName="lab")["associations"] == []


def test_everything_can_be_tagged(aws: Clients, role: str) -> None:
    """Add-ons and access entries too, not clusters only."""
    eks = aws("eks")
    addon = eks.create_addon(clusterName="lab", addonName="coredns")["addon"]["addonArn"]
    entry = eks.create_access_entry(clusterName="lab", principalArn=role)["accessEntry"]["accessEntryArn"]
    cluster = eks.describe_cluster(name="lab")["cluster"]["arn"]

    for arn in (addon, entry, cluster):
        eks.tag_resource(resourceArn=arn, tags={"owner": "lab", "other": "x"})
        eks.untag_resource(resourceArn=arn, tagKeys=["other"])
        assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"owner": "lab"}
