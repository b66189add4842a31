"""EKS clusters: what AWS adds to what was asked for, what changes, and what it refuses."""

from typing import Any

import pytest

from hallmark.twin.clients import Clients


def _create(aws: Clients, role: str, subnets: list[str], **more: Any) -> Any:
    network = {"subnetIds": subnets, **more.pop("network", {})}
    return aws("eks").create_cluster(name="other", roleArn=role, resourcesVpcConfig=network, **more)["cluster"]


def test_a_cluster_has_a_network_and_a_security_group(aws: Clients, cluster: Any, network: Any) -> None:
    """VPC and cluster security group are AWS's doing; the group trusts itself."""
    found = cluster["resourcesVpcConfig"]
    group = aws("ec2").describe_security_groups(GroupIds=[found["clusterSecurityGroupId"]])["SecurityGroups"][0]

    assert found["vpcId"] == network.vpc == group["VpcId"]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    assert {"Key": "kubernetes.io/cluster/lab", "Value": "owned"} in group["Tags"]


def test_a_cluster_says_what_was_not_asked_for(cluster: Any) -> None:
    """The defaults of the API are in the answer."""
    assert cluster["version"] == "1.35"
    assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["0.0.0.0/0"]
    assert cluster["logging"]["clusterLogging"] == [
        {"types": ["api", "audit", "authenticator", "controllerManager", "scheduler"], "enabled": False}
    ]
    assert cluster["upgradePolicy"] == {"supportType": "EXTENDED"}
    assert cluster["accessConfig"]["authenticationMode"] == "API"


def test_each_cluster_has_an_issuer_of_its_own(aws: Clients, cluster: Any, role: str, network: Any) -> None:
    """Roles trust one issuer; two clusters must not share it."""
    other = _create(aws, role, network.subnets)

    assert other["identity"]["oidc"]["issuer"] != cluster["identity"]["oidc"]["issuer"]
    assert other["endpoint"] != cluster["endpoint"]


def test_access_and_logging_can_be_changed(aws: Clients, cluster: Any) -> None:
    """Each change is an update that succeeded; the rest stays as it was."""
    eks, name = aws("eks"), cluster["name"]

    network = {"publicAccessCidrs": ["203.0.113.0/24"], "endpointPrivateAccess": True}
    update = eks.update_cluster_config(name=name, resourcesVpcConfig=network)["update"]
    eks.update_cluster_config(name=name, logging={"clusterLogging": [{"types": ["audit"], "enabled": True}]})

    assert eks.describe_update(name=name, updateId=update["id"])["update"]["status"] == "Successful"
    assert len(eks.list_updates(name=name)["updateIds"]) == 2
    now = eks.describe_cluster(name=name)["cluster"]
    assert now["resourcesVpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/24"]
    assert now["resourcesVpcConfig"]["subnetIds"] == cluster["resourcesVpcConfig"]["subnetIds"]
    assert {"types": ["audit"], "enabled": True} in now["logging"]["clusterLogging"]


def test_the_security_group_goes_with_the_cluster(aws: Clients, cluster: Any) -> None:
    """Nothing is left behind."""
    aws("eks").delete_cluster(name=cluster["name"])

    groups = [group["GroupName"] for group in aws("ec2").describe_security_groups()["SecurityGroups"]]
    assert not [name for name in groups if name.startswith("eks-cluster-sg")]


def test_versions_say_how_long_they_are_supported(aws: Clients) -> None:
    """Newest first; one is the default; the calendar is in the answer."""
    versions = aws("eks").describe_cluster_versions()["clusterVersions"]
    by_name = {version["clusterVersion"]: version for version in versions}

    assert [name for name, version in by_name.items() if version["defaultVersion"]] == ["1.35"]
    assert by_name["1.33"]["endOfStandardSupportDate"].strftime("%Y-%m-%d") == "2026-07-29"
    assert list(by_name) == sorted(by_name, reverse=True)


def test_a_cluster_can_be_upgraded(aws: Clients, role: str, network: Any, refused: Any) -> None:
    """To a version there is, and to no other."""
    eks = aws("eks")
    _create(aws, role, network.subnets, version="1.34")

    eks.update_cluster_version(name="other", version="1.35")
    assert eks.describe_cluster(name="other")["cluster"]["version"] == "1.35"

    with refused("InvalidParameterException", "unsupported Kubernetes version 9.99"):
        eks.update_cluster_version(name="other", version="9.99")


@pytest.mark.parametrize("version", ["9.99", "1.19", "latest"])
def test_a_version_eks_does_not_have_is_refused(
    aws: Clients, role: str, network: Any, refused: Any, version: str
) -> None:
    """Moto would take any."""
    with refused("InvalidParameterException", f"unsupported Kubernetes version {version}"):
        _create(aws, role, network.subnets, version=version)


def test_a_cluster_in_one_zone_is_refused(aws: Clients, role: str, network: Any, refused: Any) -> None:
    """EKS wants two zones."""
    with refused("InvalidParameterException", "at least two different AZs"):
        _create(aws, role, network.subnets[:1])


def test_a_cluster_nobody_can_reach_is_refused(aws: Clients, role: str, network: Any, refused: Any) -> None:
    """One of the two endpoints has to be on, from the beginning and for ever."""
    closed = {"endpointPublicAccess": False, "endpointPrivateAccess": False}
    with refused("InvalidParameterException", "cannot be false"):
        _create(aws, role, network.subnets, network=closed)
    _create(aws, role, network.subnets)
    with refused("InvalidParameterException", "cannot be false"):
        aws("eks").update_cluster_config(name="other", resourcesVpcConfig=closed)
