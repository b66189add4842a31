"""Network interfaces of services: where a load balancer, a database, a cache and a control plane stand."""

from typing import Any

from hallmark.twin.clients import Clients


def _interfaces(aws: Clients, requester: str) -> list[Any]:
    found = aws("ec2").describe_network_interfaces()["NetworkInterfaces"]
    return [one for one in found if one["RequesterId"] == requester]


def _database(aws: Clients, network: Any, name: str = "pg", **more: Any) -> None:
    rds = aws("rds")
    if not rds.describe_db_subnet_groups()["DBSubnetGroups"]:
        rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="x", SubnetIds=network.subnets)
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        DBInstanceClass="db.t3.large",
        AllocatedStorage=20,
        MasterUsername="owner",
        MasterUserPassword="not-a-secret",
        DBSubnetGroupName="data",
        VpcSecurityGroupIds=[network.group],
        **more,
    )


def test_a_load_balancer_stands_in_each_of_its_subnets(aws: Clients, network: Any) -> None:
    """With its name in the description, and a public address when it is public."""
    balancer = aws("elbv2").create_load_balancer(Name="edge", Subnets=network.subnets, SecurityGroups=[network.group])[
        "LoadBalancers"
    ][0]

    found = _interfaces(aws, "amazon-elb")

    assert {one["SubnetId"] for one in found} == set(network.subnets)
    suffix = balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
    assert {one["Description"] for one in found} == {f"ELB {suffix}"}
    assert suffix.startswith("app/edge/")
    assert all(one["RequesterManaged"] and one["Association"]["PublicIp"] for one in found)
    assert found[0]["Attachment"]["InstanceOwnerId"] == "amazon-elb"
    assert [group["GroupId"] for group in found[0]["Groups"]] == [network.group]


def test_interfaces_stay_the_same_while_their_owner_lives(aws: Clients, network: Any) -> None:
    """Reading does not make new ones; other security groups are taken over; deletion removes them."""
    elb = aws("elbv2")
    arn = elb.create_load_balancer(Name="edge", Subnets=network.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    first = {one["NetworkInterfaceId"] for one in _interfaces(aws, "amazon-elb")}

    elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[network.group])

    found = _interfaces(aws, "amazon-elb")
    assert {one["NetworkInterfaceId"] for one in found} == first
    assert {group["GroupId"] for one in found for group in one["Groups"]} == {network.group}
    elb.delete_load_balancer(LoadBalancerArn=arn)
    assert _interfaces(aws, "amazon-elb") == []


def test_a_database_stands_in_its_zone(aws: Clients, network: Any) -> None:
    """One interface; a standby has a second one in another zone; each database has its own."""
    _database(aws, network)
    assert [one["SubnetId"] for one in _interfaces(aws, "amazon-rds")] == network.subnets[:1]

    _database(aws, network, "other", MultiAZ=True)

    found = _interfaces(aws, "amazon-rds")
    assert sorted(one["SubnetId"] for one in found) == sorted([*network.subnets[:2], network.subnets[0]])
    assert {one["Description"] for one in found} == {"RDSNetworkInterface"}
    assert not any("Association" in one for one in found)


def test_a_public_database_has_a_public_address(aws: Clients, network: Any) -> None:
    """What NET-5 forbids can be seen."""
    _database(aws, network, PubliclyAccessible=True)

    assert _interfaces(aws, "amazon-rds")[0]["Association"]["PublicIp"]


def test_a_cache_stands_in_its_zone(aws: Clients, network: Any) -> None:
    """One interface a node."""
    cache = aws("elasticache")
    cache.create_cache_subnet_group(
        CacheSubnetGroupName="data", CacheSubnetGroupDescription="data", SubnetIds=network.subnets
    )
    cache.create_replication_group(
        ReplicationGroupId="redis",
        ReplicationGroupDescription="redis",
        Engine="redis",
        CacheNodeType="cache.m6g.large",
        NumCacheClusters=2,
        CacheSubnetGroupName="data",
        SecurityGroupIds=[network.group],
    )

    found = _interfaces(aws, "amazon-elasticache")

    assert {one["Description"] for one in found} == {"ElastiCache redis-001", "ElastiCache redis-002"}
    assert {one["SubnetId"] for one in found} == set(network.subnets[:2])


def test_the_control_plane_stands_in_the_clusters_subnets(aws: Clients, cluster: Any, network: Any) -> None:
    """So that a cluster that was given public subnets is seen there."""
    found = _interfaces(aws, "amazon-eks")

    assert {one["SubnetId"] for one in found} == set(network.subnets)
    assert {one["Description"] for one in found} == {f"Amazon EKS {cluster['name']}"}


def test_interfaces_can_be_looked_for_by_subnet(aws: Clients, network: Any) -> None:
    """The filter a grader uses."""
    aws("elbv2").create_load_balancer(Name="edge", Subnets=network.subnets)

    here = [{"Name": "subnet-id", "Values": network.subnets[:1]}]
    found = aws("ec2").describe_network_interfaces(Filters=here)["NetworkInterfaces"]
    assert [one["SubnetId"] for one in found] == network.subnets[:1]
