"""Load balancers: names and zone as AWS gives them, and what it refuses."""

from typing import Any

import pytest

from hallmark.twin.clients import Clients


def _create(aws: Clients, subnets: list[str], **more: Any) -> Any:
    return aws("elbv2").create_load_balancer(Name="edge", Subnets=subnets, **more)["LoadBalancers"][0]


def _listen(aws: Clients, balancer: Any, **more: Any) -> Any:
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    wanted = {"Protocol": "HTTPS", "Port": 443, "DefaultActions": [action], **more}
    return aws("elbv2").create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], **wanted)["Listeners"][0]


def test_a_balancer_has_scheme_and_zone(aws: Clients, network: Any) -> None:
    """Public unless it is internal; the hosted zone is the one aliases need in us-east-1."""
    public = _create(aws, network.subnets)
    internal = aws("elbv2").create_load_balancer(Name="inside", Subnets=network.subnets, Scheme="internal")

    assert (public["Scheme"], public["CanonicalHostedZoneId"]) == ("internet-facing", "Z35SXDOTRQ7X7K")
    assert internal["LoadBalancers"][0]["DNSName"].startswith("internal-inside-")


def test_a_balancer_made_again_has_another_address(aws: Clients, network: Any) -> None:
    """Sharp edge SE-07: the old DNS record then leads nowhere."""
    first = _create(aws, network.subnets)
    aws("elbv2").delete_load_balancer(LoadBalancerArn=first["LoadBalancerArn"])

    assert _create(aws, network.subnets)["DNSName"] != first["DNSName"]


def test_too_few_zones_are_refused(aws: Clients, network: Any, refused: Any) -> None:
    """One subnet, or two in one zone."""
    twin = aws("ec2").create_subnet(VpcId=network.vpc, CidrBlock="10.7.9.0/24", AvailabilityZone="us-east-1a")
    beside = twin["Subnet"]["SubnetId"]

    with refused("ValidationError", "At least two subnets in two different Availability Zones"):
        _create(aws, network.subnets[:1])
    with refused("InvalidConfigurationRequest", "multiple subnets in the same Availability Zone"):
        _create(aws, [*network.subnets, beside])


def test_a_public_balancer_needs_a_gateway(aws: Clients, refused: Any) -> None:
    """An internal one does not."""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    places = [("10.8.1.0/24", "us-east-1a"), ("10.8.2.0/24", "us-east-1b")]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for block, zone in places
    ]

    with refused("InvalidSubnet", "has no internet gateway"):
        _create(aws, subnets)
    assert _create(aws, subnets, Scheme="internal")["Scheme"] == "internal"


@pytest.fixture
def certificate(aws: Clients) -> list[dict[str, str]]:
    """A certificate for a listener."""
    arn = aws("acm").request_certificate(DomainName="edge.example", ValidationMethod="DNS")["CertificateArn"]
    return [{"CertificateArn": arn}]


def test_https_without_a_certificate_is_refused(aws: Clients, network: Any, refused: Any) -> None:
    """Moto would listen."""
    balancer = _create(aws, network.subnets)

    with refused("ValidationError", "A certificate must be specified for HTTPS listeners"):
        _listen(aws, balancer)


def test_an_unknown_tls_policy_is_refused(aws: Clients, network: Any, refused: Any, certificate: Any) -> None:
    """On creation and on modification; a policy there is, is taken."""
    balancer = _create(aws, network.subnets)

    with refused("SSLPolicyNotFound", "SSL policy 'Nonsense' not found"):
        _listen(aws, balancer, Certificates=certificate, SslPolicy="Nonsense")
    modern = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    listener = _listen(aws, balancer, Certificates=certificate, SslPolicy=modern)
    assert listener["SslPolicy"] == modern
    with refused("SSLPolicyNotFound", "Nonsense"):
        aws("elbv2").modify_listener(ListenerArn=listener["ListenerArn"], SslPolicy="Nonsense")


def test_plain_http_needs_neither(aws: Clients, network: Any) -> None:
    """A redirecting listener has no certificate and no policy."""
    balancer = _create(aws, network.subnets)

    assert _listen(aws, balancer, Protocol="HTTP", Port=80)["Port"] == 80
