"""ACM: issued when the domain is proven, and not before."""

from typing import Any

from hallmark.twin.clients import Clients

DOMAIN = "langsmith.lab.example"


def _request(aws: Clients) -> str:
    arn: str = aws("acm").request_certificate(DomainName=DOMAIN, ValidationMethod="DNS")["CertificateArn"]
    return arn


def _status(aws: Clients, arn: str) -> Any:
    return aws("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"]


def test_a_certificate_without_its_record_stays_pending(aws: Clients) -> None:
    """Nobody proved the domain: the certificate is not issued, however often one looks."""
    arn = _request(aws)

    assert [_status(aws, arn), _status(aws, arn)] == ["PENDING_VALIDATION"] * 2


def test_a_certificate_with_its_record_is_issued(aws: Clients) -> None:
    """The validation record in the zone proves the domain."""
    arn = _request(aws)
    option = aws("acm").describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"][0]
    record = option["ResourceRecord"]
    zone = aws("route53").create_hosted_zone(Name="lab.example", CallerReference="1")["HostedZone"]["Id"]
    wanted = {"Name": record["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": record["Value"]}]}

    aws("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": wanted}]}
    )

    assert _status(aws, arn) == "ISSUED"
