"""The load balancer controller's hands: what it makes in AWS, changes there, and takes away again."""

from dataclasses import dataclass
from typing import Any

import pytest

from hallmark.twin.clients import Clients
from hallmark.twin.controllers.aws.load_balancer.annotations import Unusable
from hallmark.twin.controllers.aws.load_balancer.deploy import Deployer
from hallmark.twin.controllers.aws.load_balancer.model import Model, build
from hallmark.twin.controllers.aws.load_balancer.naming import Group
from hallmark.twin.controllers.aws.load_balancer.network import Network as Place

GROUP = Group("", "shop")
PODS = [("10.0.0.10", 8080), ("10.0.0.11", 8080)]


@dataclass(frozen=True)
class Bench:
    """A VPC whose subnets are tagged for load balancers, a certificate and a web ACL."""

    aws: Clients
    place: Place
    certificate: str
    acl: str

    @property
    def deployer(self) -> Deployer:
        """What is tested."""
        return Deployer(self.aws("elbv2"), self.aws("wafv2"), self.place, "lab")

    def model(self, **annotations: str) -> Model:
        """An Ingress on HTTPS with a redirect, and whatever the test changes."""
        usual = {
            "scheme": "internet-facing",
            "target-type": "ip",
            "listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
            "ssl-redirect": "443",
            "certificate-arn": self.certificate,
            "wafv2-acl-arn": self.acl,
            "healthcheck-path": "/health",
            "load-balancer-attributes": "idle_timeout.timeout_seconds=300",
        }
        chosen = {**usual, **{name.replace("_", "-"): value for name, value in annotations.items()}}
        backend = {"service": {"name": "front", "port": {"number": 80}}}
        ingress = {
            "metadata": {
                "name": "web",
                "namespace": "shop",
                "annotations": {f"alb.ingress.kubernetes.io/{name}": value for name, value in chosen.items()},
            },
            "spec": {"rules": [{"host": "shop.example", "http": {"paths": [{"path": "/", "backend": backend}]}}]},
        }
        service = {
            "metadata": {"name": "front", "namespace": "shop"},
            "spec": {"ports": [{"port": 80, "targetPort": 8080}]},
        }
        return build("lab", GROUP, [ingress], {("shop", "front"): service})

    def deploy(self, pods: list[tuple[str, int]], **annotations: str) -> str:
        """Deploy the model with these pods behind it."""
        model = self.model(**annotations)
        return self.deployer.deploy(model, dict.fromkeys(model.targets, pods))


@pytest.fixture
def bench(aws: Clients, network: Any) -> Bench:
    """Prepare what Terraform would."""
    tag = [{"Key": "kubernetes.io/role/elb", "Value": "1"}]
    aws("ec2").create_tags(Resources=network.subnets, Tags=tag)
    certificate = aws("acm").request_certificate(DomainName="shop.example")["CertificateArn"]
    visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    acl = aws("wafv2").create_web_acl(
        Name="acl", Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=visible
    )["Summary"]["ARN"]
    return Bench(aws, Place(aws("ec2"), "lab", network.vpc, network.group), certificate, acl)


def _balancers(aws: Clients) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws("elbv2").describe_load_balancers()["LoadBalancers"]
    return found


def test_it_makes_the_whole_of_it(bench: Bench) -> None:
    """Load balancer, tags, listeners, rule, targets, attributes and web ACL."""
    dns = bench.deploy(PODS)
    elb = bench.aws("elbv2")
    (balancer,) = _balancers(bench.aws)
    arn = balancer["LoadBalancerArn"]
    listeners = {each["Port"]: each for each in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
    (group,) = elb.describe_target_groups()["TargetGroups"]
    health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    tags = elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]

    assert (dns, balancer["Scheme"]) == (balancer["DNSName"], "internet-facing")
    assert {"Key": "elbv2.k8s.aws/cluster", "Value": "lab"} in tags
    assert listeners[80]["DefaultActions"][0]["Type"] == "redirect"
    assert listeners[443]["Certificates"][0]["CertificateArn"] == bench.certificate
    assert len(elb.describe_rules(ListenerArn=listeners[443]["ListenerArn"])["Rules"]) == 2
    assert sorted((each["Target"]["Id"], each["Target"]["Port"]) for each in health) == PODS
    assert group["HealthCheckPath"] == "/health"
    assert bench.aws("wafv2").get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["ARN"] == bench.acl


def test_a_second_time_changes_nothing(bench: Bench) -> None:
    """Same load balancer, same listeners, same rules."""
    bench.deploy(PODS)
    elb = bench.aws("elbv2")
    arn = _balancers(bench.aws)[0]["LoadBalancerArn"]
    before = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    rules = [elb.describe_rules(ListenerArn=each["ListenerArn"])["Rules"] for each in before]

    bench.deploy(PODS)
    after = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]

    assert after == before
    assert [elb.describe_rules(ListenerArn=each["ListenerArn"])["Rules"] for each in after] == rules


def test_it_follows_the_pods_and_the_annotations(bench: Bench) -> None:
    """A pod that is gone is no target; a new policy and a dropped listener show."""
    bench.deploy(PODS)
    bench.deploy(PODS[:1], ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06", listen_ports='[{"HTTPS": 443}]')
    elb = bench.aws("elbv2")
    (balancer,) = _balancers(bench.aws)
    (listener,) = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    (group,) = elb.describe_target_groups()["TargetGroups"]
    health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]

    assert (listener["Port"], listener["SslPolicy"]) == (443, "ELBSecurityPolicy-TLS13-1-2-2021-06")
    assert [each["Target"]["Id"] for each in health] == ["10.0.0.10"]


def test_without_the_annotation_the_web_acl_stays_and_none_removes_it(bench: Bench) -> None:
    """SE-02: as the controller's documentation says."""
    bench.deploy(PODS)
    arn = _balancers(bench.aws)[0]["LoadBalancerArn"]
    waf = bench.aws("wafv2")

    bench.deploy(PODS, wafv2_acl_arn="")
    assert waf.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["ARN"] == bench.acl
    bench.deploy(PODS, wafv2_acl_arn="none")
    assert "WebACL" not in waf.get_web_acl_for_resource(ResourceArn=arn)


def test_another_scheme_is_another_load_balancer(bench: Bench) -> None:
    """AWS cannot change it: the name and the DNS name change (SE-07)."""
    first = bench.deploy(PODS)
    subnets = [zone["SubnetId"] for zone in _balancers(bench.aws)[0]["AvailabilityZones"]]
    second = bench.deploy(PODS, scheme="internal", subnets=",".join(subnets))

    assert first != second
    assert [each["Scheme"] for each in _balancers(bench.aws)] == ["internal"]


def test_subnets_without_the_tag_are_not_found(bench: Bench) -> None:
    """SE-04 and SE-05, in the controller's words."""
    bench.aws("ec2").delete_tags(
        Resources=[each["SubnetId"] for each in bench.aws("ec2").describe_subnets()["Subnets"]],
        Tags=[{"Key": "kubernetes.io/role/elb"}],
    )

    with pytest.raises(Unusable, match=r"couldn't auto-discover subnets: unable to resolve at least one subnet"):
        bench.deploy(PODS)
    assert _balancers(bench.aws) == []


def test_removed_is_removed(bench: Bench) -> None:
    """Load balancer, target groups and the security group made for it; twice is once."""
    bench.deploy(PODS)
    groups = len(bench.aws("ec2").describe_security_groups()["SecurityGroups"])

    bench.deployer.remove(GROUP)
    bench.deployer.remove(GROUP)

    assert _balancers(bench.aws) == []
    assert bench.aws("elbv2").describe_target_groups()["TargetGroups"] == []
    assert len(bench.aws("ec2").describe_security_groups()["SecurityGroups"]) == groups - 1


def test_what_others_made_is_left_alone(bench: Bench) -> None:
    """A load balancer without the controller's tags is none of its business."""
    ours = [{"Name": "vpc-id", "Values": [bench.place.vpc]}]
    subnets = [each["SubnetId"] for each in bench.aws("ec2").describe_subnets(Filters=ours)["Subnets"]]
    bench.aws("elbv2").create_load_balancer(Name="theirs", Subnets=subnets)
    bench.deploy(PODS)

    bench.deployer.remove(GROUP)

    assert [each["LoadBalancerName"] for each in _balancers(bench.aws)] == ["theirs"]
