"""A real AWS emulator and a real Kubernetes API in processes of their own, and in them small systems to be broken."""

import itertools
import json
import os
import runpy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hallmark.faults import runner
from hallmark.faults.runner import Runner
from hallmark.faults.target import Target
from hallmark.model import Call
from hallmark.targets.profile import Profile
from hallmark.targets.writer import AwsWriter, Outcome
from hallmark.twin.cluster.bench import running

CLUSTER = "lab-eks"
MARKS = {"hallmark:lab": "twin", "hallmark:owner": "hallmark", "hallmark:expires": "2099-12-31"}
INGESTION = ("/api/v1/runs", "/api/v1/otel/", "/api/runs")
stage, front, vault, inhabited = [
    SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name(each))))
    for each in ("stage.py", "front.py", "vault.py", "inhabited.py")
]
_accounts = itertools.count(730000000000 + os.getpid() % 90000 * 100000)


@dataclass(frozen=True)
class System:
    """One account with a lab in it.

    Attributes:
        profile: How to reach it.
        home: A state directory of its own.
        aws: Reads its AWS, and hands out clients.
        stage: Its cluster, which does what was written as soon as it was.
        database_group: Security group of the database.
        node_group: Security group of the nodes.
        acl: Name, scope and id of the web ACL.
        balancer: ARN of the load balancer.
        volume: Id of ClickHouse's volume.
        certificate: ARN of the certificate.
    """

    profile: Profile
    home: Path
    aws: AwsWriter
    stage: Any
    database_group: str
    node_group: str
    acl: dict[str, str]
    balancer: str
    volume: str
    certificate: str

    def runner(self, target: Target | None = None) -> Runner:
        """An engine on this system; it shares its clients, which take longer to make than to use."""
        return Runner(self.profile, self.home, target or Staged(self.profile, self.aws, stage=self.stage))

    def revert(self) -> None:
        """Revert every active fault, as the watchdog would, and let the cluster do what follows from it."""
        runner.revert(self.home, self.profile)
        self.stage.label({stage.TOKEN: None})
        self.stage.settle()

    def rules(self) -> list[dict[str, Any]]:
        """Ingress rules of the database's group, without the ids AWS gives anew."""
        mine = [{"Name": "group-id", "Values": [self.database_group]}]
        answer = self.aws.answer(Call.of("ec2", "describe_security_group_rules", Filters=mine)).value
        found = [rule for rule in answer["SecurityGroupRules"] if not rule["IsEgress"]]
        stripped = [{k: v for k, v in rule.items() if not k.startswith("SecurityGroupRule")} for rule in found]
        return sorted(stripped, key=json.dumps)

    def web_acl(self) -> dict[str, Any]:
        """The web ACL's definition, without the lock token."""
        acl: dict[str, Any] = self.aws.answer(Call.of("wafv2", "get_web_acl", **self.acl)).value["WebACL"]
        return acl

    def state(self) -> dict[str, Any]:
        """Everything a fault of this folder may touch."""
        around = {"front": front.state(self.aws, self.stage), "cluster": self.stage.state(), "gates": self.gates()}
        around["stores"] = vault.state(self.aws)
        return {"rules": self.rules(), "web ACL": self.web_acl(), **self.hardware(), **around}

    def gates(self) -> list[str]:
        """Ingress rules of all groups of the account, without the ids AWS gives anew."""
        found = self.aws.answer(Call.of("ec2", "describe_security_group_rules")).value["SecurityGroupRules"]
        stripped = [{k: v for k, v in rule.items() if not k.startswith("SecurityGroupRule")} for rule in found]
        return sorted(map(json.dumps, stripped))

    def hardware(self) -> dict[str, Any]:
        """Sizes of the node group, figures of the volume."""
        which = {"clusterName": self.profile.cluster, "nodegroupName": self.stage.node_group}
        group = self.aws.answer(Call.of("eks", "describe_nodegroup", **which)).value["nodegroup"]
        volume = self.aws.answer(Call.of("ec2", "describe_volumes", VolumeIds=[self.volume])).value["Volumes"][0]
        return {"sizes": group["scalingConfig"], "figures": (volume["Iops"], volume["Throughput"])}


class Staged(Target):
    """A target whose cluster has done what was written to it before the writer looks again."""

    def __init__(self, profile: Profile, aws: Any = None, cluster: Any = None, *, stage: Any) -> None:
        super().__init__(profile, aws, cluster)
        self._stage = stage

    def write(self, call: Call) -> Outcome:
        """Make the write, and let the cluster do what follows from it."""
        outcome = super().write(call)
        self._stage.follow(call)
        return outcome


@pytest.fixture(scope="session")
def endpoint(emulated: Any) -> str:
    """URL of an emulator on a free port of this machine."""
    return str(emulated.endpoint)


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Kubernetes API without controllers."""
    state = tmp_path_factory.mktemp("cluster")
    with running(state):
        yield state / "kubeconfig"


@dataclass(frozen=True)
class Pattern:
    """An account with all of a lab that AWS holds, but for what is of one cluster alone; systems are copies of it.

    Attributes:
        control: Copies accounts.
        profile: How to reach it.
        made: What :class:`System` says of it.
        subnets: Ids of its subnets.
    """

    control: Any
    profile: Profile
    made: dict[str, Any]
    subnets: list[str]

    def copy(self, account: str) -> dict[str, Any]:
        """Copy it into another account; return what :class:`System` says of that."""
        self.control.clone(self.profile.account, account)
        renamed: dict[str, Any] = json.loads(json.dumps(self.made).replace(self.profile.account, account))
        return renamed


@pytest.fixture(scope="session")
def pattern(emulated: Any, endpoint: str) -> Pattern:
    """Make a cluster, a database, a cache and a load balancer with a web ACL."""
    profile = Profile(endpoint=endpoint, account=f"{next(_accounts):012d}", cluster=CLUSTER)
    aws = AwsWriter(profile)
    vpc, subnets = _network(aws.client("ec2"))
    node_group = _cluster(aws, subnets)
    database_group = _data_stores(aws, vpc, subnets, node_group)
    balancer, acl = _edge(aws, CLUSTER, subnets)
    made = {
        "database_group": database_group,
        "node_group": node_group,
        "acl": acl,
        "balancer": balancer,
        "certificate": front.build(aws, profile, balancer, vpc),
    }
    return Pattern(emulated.control, profile, made, subnets)


@pytest.fixture
def system(pattern: Pattern, kubeconfig: Path, tmp_path: Path) -> System:
    """A lab in an account and a namespace of its own."""
    return build(pattern, kubeconfig, tmp_path / "home")


@pytest.fixture(scope="module")
def twin(clone: Callable[[], Any]) -> Iterator[Any]:
    """A whole twin in which people live."""
    with inhabited.inhabit(clone()) as found:
        yield found


@pytest.fixture(scope="session")
def house(pattern: Pattern, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> System:
    """A lab that many tests share, each with a namespace of its own."""
    built = build(pattern, kubeconfig, tmp_path_factory.mktemp("house"))
    built.stage.leave()
    return built


@pytest.fixture
def staged(house: System, tmp_path: Path) -> Iterator[System]:
    """A release in a namespace of its own, in an account that tests share."""
    profile = replace(house.profile, namespace=f"lab-{next(_accounts)}")
    made = stage.Stage(house.stage.kubeconfig, profile.namespace, house.stage.node_group)
    volume = _volume(house.aws)
    made.build(volume)
    made.create(front.INGRESS, front.ingress(house.certificate))
    system = replace(house, profile=profile, home=tmp_path / "home", stage=made, volume=volume)
    yield system
    system.revert()
    made.leave()


def build(pattern: Pattern, kubeconfig: Path, home: Path) -> System:
    """Copy the pattern, and make nodes, a volume and a release for it."""
    number = next(_accounts)
    namespace = f"lab-{number}"
    profile = replace(pattern.profile, account=f"{number:012d}", kubeconfig=str(kubeconfig), namespace=namespace)
    copied, aws = pattern.copy(profile.account), AwsWriter(profile)
    front.role(aws.client("iam"), profile)
    made = stage.Stage(kubeconfig, namespace, f"general-{number}")
    volume = _hardware(aws, CLUSTER, pattern.subnets, made.node_group)
    made.build(volume)
    made.create(front.INGRESS, front.ingress(copied["certificate"]))
    return System(profile, home, aws, made, volume=volume, **copied)


def _network(ec2: Any) -> tuple[str, list[str]]:
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    places = [("10.9.1.0/24", "us-east-1a"), ("10.9.2.0/24", "us-east-1b")]
    made = [ec2.create_subnet(VpcId=vpc, CidrBlock=c, AvailabilityZone=z)["Subnet"]["SubnetId"] for c, z in places]
    return vpc, made


def _cluster(aws: AwsWriter, subnets: list[str]) -> str:
    trust = {"Version": "2012-10-17", "Statement": []}
    role = aws.client("iam").create_role(RoleName=f"{CLUSTER}-role", AssumeRolePolicyDocument=json.dumps(trust))
    cluster = aws.client("eks").create_cluster(
        name=CLUSTER, roleArn=role["Role"]["Arn"], resourcesVpcConfig={"subnetIds": subnets}, tags=MARKS
    )
    group: str = aws.client("eks").describe_cluster(name=cluster["cluster"]["name"])["cluster"]["resourcesVpcConfig"][
        "clusterSecurityGroupId"
    ]
    return group


def _hardware(aws: AwsWriter, cluster: str, subnets: list[str], node_group: str) -> str:
    role = aws.client("iam").get_role(RoleName=f"{cluster}-role")["Role"]["Arn"]
    aws.client("eks").create_nodegroup(
        clusterName=cluster, nodegroupName=node_group, subnets=subnets, nodeRole=role,
        scalingConfig={"minSize": 1, "maxSize": 3, "desiredSize": 1},
    )  # fmt: skip
    return _volume(aws)


def _volume(aws: AwsWriter) -> str:
    disk = {"AvailabilityZone": "us-east-1a", "Size": 50, "VolumeType": "gp3", "Iops": 7000, "Throughput": 1000}
    volume: str = aws.client("ec2").create_volume(**disk)["VolumeId"]
    return volume


def _group(ec2: Any, vpc: str, name: str, port: int, sources: list[dict[str, Any]]) -> str:
    group: str = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    for source in sources:
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}],
            TagSpecifications=[
                {"ResourceType": "security-group-rule", "Tags": [{"Key": "Name", "Value": f"{name}-rule"}]}
            ],
        )
    return group


def _data_stores(aws: AwsWriter, vpc: str, subnets: list[str], nodes: str) -> str:
    ec2, rds, cache = aws.client("ec2"), aws.client("rds"), aws.client("elasticache")
    pair = {"UserIdGroupPairs": [{"GroupId": nodes, "Description": "PostgreSQL from nodes and pods"}]}
    subnet = {"IpRanges": [{"CidrIp": "10.9.1.0/24", "Description": "from the first subnet"}]}
    elsewhere = {"IpRanges": [{"CidrIp": "10.9.77.0/24", "Description": "bastion"}]}
    database = _group(ec2, vpc, "lab-pg", 5432, [pair, subnet, elsewhere])
    redis = _group(ec2, vpc, "lab-redis", 6379, [{"UserIdGroupPairs": [{"GroupId": nodes}]}])
    rds.create_db_subnet_group(DBSubnetGroupName="lab", DBSubnetGroupDescription="lab", SubnetIds=subnets)
    rds.create_db_instance(
        DBInstanceIdentifier="lab-pg", Engine="postgres", EngineVersion="16.9", DBInstanceClass="db.m6g.large",
        AllocatedStorage=100, MasterUsername="langsmith", MasterUserPassword="a-planted-password",
        DBSubnetGroupName="lab", VpcSecurityGroupIds=[database], PubliclyAccessible=False, Port=5432,
    )  # fmt: skip
    cache.create_cache_subnet_group(CacheSubnetGroupName="lab", CacheSubnetGroupDescription="lab", SubnetIds=subnets)
    cache.create_replication_group(
        ReplicationGroupId="lab-redis", ReplicationGroupDescription="lab", Engine="redis", EngineVersion="7.1",
        CacheNodeType="cache.m6g.large", NumCacheClusters=1, CacheSubnetGroupName="lab", SecurityGroupIds=[redis],
        TransitEncryptionEnabled=True, AuthToken="a-planted-token-of-the-cache",
        CacheParameterGroupName=vault.parameters(cache),
    )  # fmt: skip
    vault.build(aws.client("secretsmanager"))
    return database


def _edge(aws: AwsWriter, cluster: str, subnets: list[str]) -> tuple[str, dict[str, str]]:
    balancer: str = aws.client("elbv2").create_load_balancer(
        Name="k8s-lab",
        Subnets=subnets,
        Tags=[
            {"Key": "elbv2.k8s.aws/cluster", "Value": cluster},
            {"Key": "ingress.k8s.aws/resource", "Value": "LoadBalancer"},
            {"Key": "ingress.k8s.aws/stack", "Value": "langsmith/langsmith-ingress"},
        ],
    )["LoadBalancers"][0]["LoadBalancerArn"]
    waf = aws.client("wafv2")
    summary = waf.create_web_acl(
        Name="lab-waf", Scope="REGIONAL", DefaultAction={"Allow": {}}, Description="Edge of the lab",
        VisibilityConfig=_seen("lab-waf"), Rules=[_rate(), *_managed()],
    )["Summary"]  # fmt: skip
    waf.associate_web_acl(WebACLArn=summary["ARN"], ResourceArn=balancer)
    return balancer, {"Name": "lab-waf", "Scope": "REGIONAL", "Id": summary["Id"]}


def _seen(name: str) -> dict[str, Any]:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}


def _rate() -> dict[str, Any]:
    limit = {"Limit": 10000, "EvaluationWindowSec": 300, "AggregateKeyType": "IP"}
    return {
        "Name": "rate-limit", "Priority": 0, "Action": {"Block": {}}, "VisibilityConfig": _seen("rate-limit"),
        "Statement": {"RateBasedStatement": limit},
    }  # fmt: skip


def _managed() -> list[dict[str, Any]]:
    paths = [
        {
            "ByteMatchStatement": {
                "SearchString": path, "PositionalConstraint": "STARTS_WITH", "FieldToMatch": {"UriPath": {}},
                "TextTransformations": [{"Priority": 0, "Type": "NORMALIZE_PATH"}],
            }
        }
        for path in INGESTION
    ]  # fmt: skip
    exempt = {"ScopeDownStatement": {"NotStatement": {"Statement": {"OrStatement": {"Statements": paths}}}}}
    groups = {"AWSManagedRulesKnownBadInputsRuleSet": {}, "AWSManagedRulesCommonRuleSet": exempt}
    return [
        {
            "Name": name, "Priority": 20 + 10 * rank, "OverrideAction": {"None": {}}, "VisibilityConfig": _seen(name),
            "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": name, **more}},
        }
        for rank, (name, more) in enumerate(groups.items())
    ]  # fmt: skip
