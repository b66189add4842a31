"""Network ACLs: the first rule that fits decides, for questions and for answers."""

from ipaddress import IPv4Address
from typing import Any

import pytest

from hallmark.views.network_acls import read_acls

OTHER = IPv4Address("10.0.1.10")


def entry(number: int, action: str = "allow", ports: tuple[int, int] | None = None, **more: Any) -> dict[str, Any]:
    """A rule for what leaves, of all TCP ports unless some are given."""
    span = {"PortRange": {"From": ports[0], "To": ports[1]}} if ports else {}
    fields = {"RuleNumber": number, "RuleAction": action, "Egress": True, "Protocol": "6", "CidrBlock": "0.0.0.0/0"}
    return {**fields, **span, **more}


@pytest.mark.parametrize(
    ("entries", "passes"),
    [
        ([entry(100)], True),
        ([entry(100, Protocol="-1")], True),
        ([entry(100, ports=(443, 443))], True),
        ([entry(100, ports=(80, 80))], False),
        ([entry(100, Protocol="17")], False),
        ([entry(100, Egress=False)], False),
        ([entry(100, CidrBlock="10.0.0.0/16")], True),
        ([entry(100, CidrBlock="10.9.0.0/16")], False),
        ([entry(100), entry(90, "deny")], False),
        ([entry(100), entry(110, "deny")], True),
        ([entry(100), entry(90, "deny", ports=(22, 22))], True),
        ([{**{k: v for k, v in entry(90, "deny").items() if k != "CidrBlock"}, "Ipv6CidrBlock": "::/0"}], False),
        ([], False),
    ],
)
def test_the_first_rule_that_fits_decides(entries: list[dict[str, Any]], *, passes: bool) -> None:
    """By number, not by place; what no rule fits is refused."""
    acl = read_acls([{"NetworkAclId": "acl", "Entries": entries, "Associations": [{"SubnetId": "s"}]}])["s"]
    assert acl.lets(443, OTHER, out=True) is passes
