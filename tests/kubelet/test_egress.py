"""From a pod to AWS's own endpoints: as routes, security groups, network ACLs and policies of the account say."""

import json
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hallmark.waiting import until

Json = dict[str, Any]
S3, STS = "s3.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com"
DEFAULT = "0.0.0.0/0"
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
ALL = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": DEFAULT}]}


def reached(lab: Any, host: str) -> bool:
    """Wait until a pod reaches an endpoint."""
    return until(lambda: bool(lab.exec("try", "nc", "-z", host, "443")[0] == 0), 15)


def lost(lab: Any, host: str) -> bool:
    """Wait until a pod's connection to an endpoint times out."""
    return until(lambda: "timed out" in lab.exec("try", "nc", "-z", host, "443")[2], 15)


@contextmanager
def no_nat(account: Any) -> Iterator[None]:
    """The node's subnet without its route to the NAT gateway."""
    ec2, network = account.clients("ec2"), account.network
    ec2.delete_route(RouteTableId=network.private, DestinationCidrBlock=DEFAULT)
    try:
        yield
    finally:
        ec2.create_route(RouteTableId=network.private, DestinationCidrBlock=DEFAULT, NatGatewayId=network.nat)


@contextmanager
def endpoint(account: Any, service: str, **more: Any) -> Iterator[str]:
    """A VPC endpoint for a while."""
    ec2 = account.clients("ec2")
    wanted = {"VpcId": account.network.vpc, "ServiceName": f"com.amazonaws.us-east-1.{service}", **more}
    made: str = ec2.create_vpc_endpoint(**wanted)["VpcEndpoint"]["VpcEndpointId"]
    try:
        yield made
    finally:
        ec2.delete_vpc_endpoints(VpcEndpointIds=[made])


def test_a_route_to_a_nat_gateway_leads_out(account: Any, lab: Any) -> None:
    """Endpoints answer through it, under their name and in TLS; without it connections time out."""
    assert reached(lab, S3)
    assert "ListAllMyBucketsResult" in lab.exec("try", "curl", "-s", f"https://{S3}/")[1]
    assert "198.51.100.10" in lab.exec("try", "nslookup", STS)[1]
    assert "bad address" in lab.exec("try", "nc", "-z", "s4.us-east-1.amazonaws.com", "443")[2]
    with no_nat(account):
        assert lost(lab, S3)
        assert lost(lab, STS)
    assert reached(lab, S3)


def test_a_gateway_endpoint_leads_to_s3_alone(account: Any, lab: Any) -> None:
    """With it S3 needs no NAT gateway; STS does."""
    with no_nat(account), endpoint(account, "s3", VpcEndpointType="Gateway", RouteTableIds=[account.network.private]):
        assert reached(lab, S3)
        assert lost(lab, STS)


def test_an_interface_endpoint_has_the_name(account: Any, lab: Any) -> None:
    """Its private DNS name leads into the VPC, and its security group decides."""
    ec2 = account.clients("ec2")
    instance = ec2.describe_instances(InstanceIds=[account.instance])["Reservations"][0]["Instances"][0]
    group = ec2.create_security_group(GroupName="e", Description="e", VpcId=account.network.vpc)["GroupId"]
    about = {"VpcEndpointType": "Interface", "SubnetIds": [instance["SubnetId"]], "SecurityGroupIds": [group]}
    with no_nat(account), endpoint(account, "sts", PrivateDnsEnabled=True, **about):
        assert lost(lab, STS)
        rule = {**HTTPS, "UserIdGroupPairs": [{"GroupId": account.node_group}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        assert reached(lab, STS)
        assert "Address: 10.7.0." in lab.exec("try", "nslookup", STS)[1]


def test_egress_rules_of_the_node(account: Any, lab: Any) -> None:
    """Without one nothing leaves; one for the prefix list of S3 lets connections to S3 out, and no others."""
    ec2 = account.clients("ec2")
    lists = ec2.describe_managed_prefix_lists()["PrefixLists"]
    listed = next(each["PrefixListId"] for each in lists if each["PrefixListName"].endswith(".s3"))
    rule = {**HTTPS, "PrefixListIds": [{"PrefixListId": listed}]}
    ec2.revoke_security_group_egress(GroupId=account.node_group, IpPermissions=[ALL])
    try:
        assert lost(lab, S3)
        ec2.authorize_security_group_egress(GroupId=account.node_group, IpPermissions=[rule])
        assert reached(lab, S3)
        assert lost(lab, STS)
    finally:
        ec2.authorize_security_group_egress(GroupId=account.node_group, IpPermissions=[ALL])


def test_a_network_acl(account: Any, lab: Any) -> None:
    """A rule of the subnet's ACL that denies comes before one that allows."""
    ec2, mine = account.clients("ec2"), [{"Name": "vpc-id", "Values": [account.network.vpc]}]
    acl = ec2.describe_network_acls(Filters=mine)["NetworkAcls"][0]["NetworkAclId"]
    rule = {"NetworkAclId": acl, "RuleNumber": 50, "Egress": True}
    ec2.create_network_acl_entry(
        **rule, Protocol="6", PortRange={"From": 443, "To": 443}, RuleAction="deny", CidrBlock=DEFAULT
    )
    try:
        assert lost(lab, S3)
    finally:
        ec2.delete_network_acl_entry(**rule)
    assert reached(lab, S3)


def test_images_come_the_same_way(account: Any, lab: Any, shell: Any) -> None:
    """A node without a way to a registry cannot pull from it; an image that it has is no matter."""
    with no_nat(account):
        assert lost(lab, STS)
        old = lab.pod("old", shell("sleep 600"))
        lab.when(old, lambda pod: pod["status"]["phase"] == "Running")
        new = lab.pod("new", {"containers": [{"name": "c", "image": "busybox:1.37"}], "restartPolicy": "Never"})
        name = "docker.io/library/busybox:1.37"
        asked = 'Head "https://registry-1.docker.io/v2/library/busybox/manifests/1.37"'
        said = f'failed to resolve reference "{name}": failed to do request: {asked}: dial tcp 198.51.100.10:443'
        assert lab.happened("new", "Failed", f"{said}: i/o timeout")
        lab.when(new, lambda pod: "ImagePullBackOff" in json.dumps(pod["status"]))
    lab.when(new, lambda pod: pod["status"]["phase"] == "Succeeded", 30)
    for path in (old, new):
        lab.call("DELETE", path)


def test_images_outlive_a_kubelet(account: Any, lab: Any, shell: Any) -> None:
    """A kubelet that starts anew finds the images that its node has."""
    with no_nat(account):
        assert lost(lab, STS)
        lab.stop()
        lab.start()
        again = lab.pod("again", shell("sleep 600"))
        lab.when(again, lambda pod: pod["status"]["phase"] == "Running")
    lab.call("DELETE", again)


TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        (
            {"AWS_ROLE_ARN": "arn:aws:iam::1:role/app", "AWS_WEB_IDENTITY_TOKEN_FILE": TOKEN},
            f'operation error STS: request send failed, Post "https://{STS}/": dial tcp 198.51.100.10:443: i/o timeout',
        ),
        (
            {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": TOKEN},
            'AssumeRoleForPodIdentity, Post "https://eks-auth.us-east-1.api.aws/": dial tcp 198.51.100.10:443: i/o',
        ),
    ],
)
def test_no_way_to_credentials(account: Any, lab: Any, platform: Any, identity: dict[str, str], words: str) -> None:
    """Roles of service accounts need a way to STS, the agent of Pod Identity one from its node to EKS."""
    account.allow()
    assert until(lambda: lab.exec("try", "nc", "-z", account.database, "5432")[0] == 0, 10)
    spec = platform(account, account.password)
    blobs = {"FF_BLOB_STORAGE_ENABLED": "true", "S3_BUCKET_NAME": "traces", "S3_API_URL": f"https://{S3}"}
    spec["containers"][0]["env"] += [{"name": name, "value": each} for name, each in (blobs | identity).items()]
    agent = {"name": "eks-pod-identity-agent", "image": "busybox:1.36", "command": ["sleep", "600"]}
    paths = [lab.pod("agent", {"containers": [agent]}), lab.pod("app", spec)]
    for path in paths:
        lab.when(path, lambda pod: pod["status"]["phase"] == "Running")
    with no_nat(account):
        assert words in lab.logged("app", "i/o timeout", 30)
    for path in paths:
        lab.call("DELETE", path)
        assert lab.gone(path)


@pytest.mark.parametrize("way", ["black hole", "cut"])
def test_the_way_to_s3_can_be_shaped(lab: Any, way: str) -> None:
    """The switchboard knows the names of endpoints that programs call, and carries what goes there."""
    known = json.loads(lab.ask("GET", "/network"))
    assert {S3, STS} <= known.keys()
    if way == "cut":
        lab.ask("POST", f"/network/{S3}/cut")
        assert reached(lab, S3)
        return
    lab.ask("PUT", f"/network/{S3}", json.dumps({"black_hole": True}).encode())
    try:
        assert lost(lab, S3)
        assert reached(lab, STS)
    finally:
        lab.ask("DELETE", f"/network/{S3}")
    assert reached(lab, S3)


@pytest.fixture
def enforcing(account: Any) -> Iterator[list[str]]:
    """Policies count in the account's cluster; CIDRs of the subnets it is in."""
    group = account.clients("rds").describe_db_subnet_groups()["DBSubnetGroups"][0]
    subnets = [each["SubnetIdentifier"] for each in group["Subnets"]]
    eks, role = account.clients("eks"), f"arn:aws:iam::{account.clients.account}:role/cluster"
    eks.create_cluster(name="lab", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
    told = json.dumps({"enableNetworkPolicy": "true"})
    eks.create_addon(clusterName="lab", addonName="vpc-cni", configurationValues=told)
    yield [each["CidrBlock"] for each in account.clients("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]]
    eks.delete_addon(clusterName="lab", addonName="vpc-cni")
    eks.delete_cluster(name="lab")


@contextmanager
def policy(lab: Any, **spec: Any) -> Iterator[str]:
    """A policy for every pod, for a while; its path."""
    path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "all"}}
    lab.create(path, {**kind, "spec": {"podSelector": {}, **spec}})
    try:
        yield f"{path}/all"
    finally:
        lab.call("DELETE", f"{path}/all")


@pytest.mark.usefixtures("enforcing")
def test_policies_count_on_the_way_out(lab: Any) -> None:
    """A policy that lets a pod out to its own network only keeps it from endpoints outside."""
    inside = {"to": [{"ipBlock": {"cidr": "10.7.0.0/16"}}]}
    with policy(lab, policyTypes=["Egress"], egress=[inside]) as path:
        assert lost(lab, S3)
        everywhere = {"to": [{"ipBlock": {"cidr": DEFAULT}}], "ports": [{"port": 443}]}
        lab.merge(path, {"spec": {"egress": [everywhere]}})
        assert reached(lab, S3)


def test_the_api_comes_from_the_subnets_of_its_cluster(lab: Any, enforcing: list[str]) -> None:
    """Its proxy reaches a pod that lets all of them in, and no other."""
    proxy = "/api/v1/namespaces/default/pods/web:80/proxy/"
    web = lab.pod("web", {"containers": [{"name": "c", "image": "nginx:1.27"}]})
    lab.when(web, lambda pod: pod["status"]["phase"] == "Running")

    def said() -> str:
        try:
            return str(lab.call("GET", proxy))
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()

    blocks = [{"ipBlock": {"cidr": each}} for each in enforcing]
    with policy(lab, ingress=[{"from": blocks[:1]}]) as path:
        assert until(lambda: "i/o timeout" in said(), 15)
        lab.merge(path, {"spec": {"ingress": [{"from": blocks}]}})
        assert until(lambda: "Welcome" in said(), 15)
    lab.call("DELETE", web)
