"""Service Quotas: the limits the preflight asks for."""

from typing import Any

import pytest

from hallmark.twin.clients import Clients


@pytest.mark.parametrize(
    ("service", "code", "value"),
    [
        ("ec2", "L-1216C47A", 64),
        ("ec2", "L-0263D0A3", 5),
        ("vpc", "L-F678F1CE", 5),
        ("vpc", "L-FE5A380F", 5),
        ("elasticloadbalancing", "L-53DA6B97", 50),
        ("ebs", "L-7A658B76", 50),
        ("eks", "L-1194D53C", 100),
    ],
)
def test_a_quota_has_its_value(aws: Clients, service: str, code: str, value: float) -> None:
    """The applied value, the default, and the listing agree in a new account."""
    quotas, named = aws("service-quotas"), {"ServiceCode": service, "QuotaCode": code}

    assert quotas.get_service_quota(**named)["Quota"]["Value"] == value
    assert quotas.get_aws_default_service_quota(**named)["Quota"]["Value"] == value
    listed = quotas.list_service_quotas(ServiceCode=service)["Quotas"]
    assert [quota["Value"] for quota in listed if quota["QuotaCode"] == code] == [value]


def test_a_raised_quota_applies_to_its_account(aws: Clients, refused: Any) -> None:
    """The default stays; less than there is cannot be asked for."""
    quotas, named = aws("service-quotas"), {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}

    quotas.request_service_quota_increase(**named, DesiredValue=256)

    assert quotas.get_service_quota(**named)["Quota"]["Value"] == 256
    assert quotas.get_aws_default_service_quota(**named)["Quota"]["Value"] == 64
    with refused("IllegalArgumentException", "greater than the current quota value"):
        quotas.request_service_quota_increase(**named, DesiredValue=10)


def test_an_unknown_quota_is_not_found(aws: Clients, refused: Any) -> None:
    """By code and by service."""
    quotas = aws("service-quotas")

    with refused("NoSuchResourceException", "quota does not exist"):
        quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-00000000")
    with refused("NoSuchResourceException", "service does not exist"):
        quotas.list_service_quotas(ServiceCode="nonsense")
