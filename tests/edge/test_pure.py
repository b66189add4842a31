"""Names, rules, statements and transformations without any process."""

from collections.abc import Iterator
from typing import Any

import pytest

from hallmark.twin.edge import balancing, listening, names, pages, paths
from hallmark.twin.edge.certificates import chosen
from hallmark.twin.edge.records import Balancer, Certificate, Target, TargetGroup
from hallmark.twin.edge.waf import attacks, transformations
from hallmark.twin.edge.waf.managed import GROUPS
from hallmark.twin.edge.waf.rates import Rates
from hallmark.twin.edge.waf.request import Inspected
from hallmark.twin.edge.waf.statements import Evaluation

ELB = "main-1.us-east-1.elb.amazonaws.com"


def zone(name: str, *records: Any, private: bool = False) -> names.Zone:
    """A hosted zone."""
    return names.zone({"Name": name, "Config": {"PrivateZone": private}}, records)


def alias(name: str, target: str, kind: str = "A") -> dict[str, Any]:
    """An alias record."""
    return {"Name": name, "Type": kind, "AliasTarget": {"DNSName": target}}


def cname(name: str, target: str) -> dict[str, Any]:
    """A CNAME."""
    return {"Name": name, "Type": "CNAME", "ResourceRecords": [{"Value": target}]}


ZONES = [
    zone(
        "example.com.",
        alias("a.example.com.", f"dualstack.{ELB.upper()}."),
        cname("www.example.com.", "a.example.com"),
        cname("loop.example.com.", "loop.example.com"),
        alias("\\052.wild.example.com.", ELB),
        {"Name": "ip.example.com.", "Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}]},
        {"Name": "sub.example.com.", "Type": "TXT", "ResourceRecords": [{"Value": "x"}]},
        {**alias("off.example.com.", ELB), "Weight": 0},
    ),
    zone("sub.example.com.", alias("a.sub.example.com.", ELB)),
    zone("inner.example.org.", alias("a.inner.example.org.", ELB), private=True),
]


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("a.example.com", ELB),
        ("A.Example.COM.", ELB),
        ("www.example.com", ELB),
        ("x.wild.example.com", ELB),
        ("x.y.wild.example.com", ELB),
        ("a.sub.example.com", ELB),
        ("ip.example.com", "192.0.2.1"),
        (f"dualstack.{ELB}", ELB),
    ],
)
def test_names_that_resolve(name: str, end: str) -> None:
    """Aliases, CNAMEs, wildcards, the zone that fits best."""
    assert names.resolve(name, ZONES) == end


@pytest.mark.parametrize(
    "name",
    ["b.example.com", "loop.example.com", "b.sub.example.com", "a.inner.example.org", "nowhere.test", "off.example.com",
     "sub.example.com", ""],
)  # fmt: skip
def test_names_that_do_not_resolve(name: str) -> None:
    """No record, a circle, another type, a private zone, no zone, a weight of zero."""
    with pytest.raises(names.Unresolved):
        names.resolve(name, ZONES)


def line(**changes: Any) -> listening.Line:
    """A request line."""
    usual: dict[str, Any] = {
        "method": "GET", "host": "a.example.com", "path": "/x/y", "query": "q=1",
        "headers": (("user-agent", "curl/8"),),
        "protocol": "HTTPS", "port": 443, "source": "203.0.113.10",
    }  # fmt: skip
    return listening.Line(**{**usual, **changes})


@pytest.mark.parametrize(
    ("field", "config", "holds"),
    [
        ("host-header", {"HostHeaderConfig": {"Values": ["*.EXAMPLE.com"]}}, True),
        ("host-header", {"HostHeaderConfig": {"Values": ["example.com"]}}, False),
        ("host-header", {"Values": ["?.example.com"]}, True),
        ("path-pattern", {"PathPatternConfig": {"Values": ["/no", "/x/*"]}}, True),
        ("path-pattern", {"PathPatternConfig": {"Values": ["/X/*"]}}, False),
        ("path-pattern", {"PathPatternConfig": {"Values": ["/x"]}}, False),
        ("path-pattern", {"PathPatternConfig": {"Values": ["/x.y"]}}, False),
        ("http-request-method", {"HttpRequestMethodConfig": {"Values": ["GET"]}}, True),
        ("http-header", {"HttpHeaderConfig": {"HttpHeaderName": "User-Agent", "Values": ["*curl*"]}}, True),
        ("http-header", {"HttpHeaderConfig": {"HttpHeaderName": "X", "Values": ["*"]}}, False),
        ("query-string", {"QueryStringConfig": {"Values": [{"Key": "q", "Value": "?"}]}}, True),
        ("query-string", {"QueryStringConfig": {"Values": [{"Value": "2"}]}}, False),
        ("source-ip", {"SourceIpConfig": {"Values": ["203.0.113.0/24"]}}, True),
        ("source-ip", {"SourceIpConfig": {"Values": ["198.51.100.0/24"]}}, False),
    ],
)
def test_conditions(field: str, config: Any, holds: bool) -> None:  # noqa: FBT001  (a column)
    """Each kind of condition."""
    rules: list[dict[str, Any]] = [
        {"Priority": "1", "Conditions": [{"Field": field, **config}]},
        {"Priority": "default"},
    ]
    assert listening.choose(rules, line())["Priority"] == ("1" if holds else "default")


@pytest.mark.parametrize(
    ("redirect", "location"),
    [
        ({"Protocol": "HTTPS", "Port": "443"}, "https://a.example.com:443/x/y?q=1"),
        ({"Host": "b.#{host}", "Path": "/new/#{path}", "Query": "old=#{query}"},
         "https://b.a.example.com:443/new/x/y?old=q=1"),
    ],
)  # fmt: skip
def test_redirects(redirect: Any, location: str) -> None:
    """What is not given stays."""
    assert listening.location(redirect, line()) == location


def test_a_group_without_a_healthy_target_fails_open() -> None:
    """Without a healthy one, those that fail their checks or had none yet serve; those that drain never do."""
    states = ("healthy", "unhealthy", "draining", "unused", "initial")
    well, ill, *_, new = every = tuple(Target("10.0.0.1", number, state) for number, state in enumerate(states))
    assert TargetGroup("a", "ip", "HTTP", every).usable == (well,)
    assert TargetGroup("a", "ip", "HTTP", every[1:]).usable == (ill, new)
    assert TargetGroup("a", "ip", "HTTP", every[2:-1]).usable == ()


def rule(group: str = "", cidr: str = "", port: int = 8080) -> dict[str, Any]:
    """A rule of a security group."""
    sources = {"UserIdGroupPairs": [{"GroupId": group}]} if group else {"IpRanges": [{"CidrIp": cidr}]}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **sources}


@pytest.mark.parametrize(
    ("leaves", "enters", "is_open"),
    [
        (rule("nodes"), rule("alb"), True),
        (rule(cidr="0.0.0.0/0"), rule(cidr="10.0.1.0/24"), True),
        (rule("nodes"), rule("other"), False),
        (rule("nodes"), rule("alb", port=80), False),
        (rule("nodes", port=80), rule("alb"), False),
        (rule(cidr="10.0.9.0/24"), rule("alb"), False),
    ],
)
def test_the_way_from_load_balancer_to_pod(leaves: Any, enters: Any, is_open: bool) -> None:  # noqa: FBT001  (a column)
    """Out of one security group and into the other; nodes are found by the subnet."""
    balancer = Balancer("arn", "main", ELB, "internal", "vpc", ("public",), ("alb",))
    groups = {"alb": {"IpPermissionsEgress": [leaves]}, "nodes": {"IpPermissions": [enters]}}
    nodes = [{"SubnetId": "private", "SecurityGroups": [{"GroupId": "nodes"}]}]
    network = paths.Network({"public": "10.0.1.0/24", "private": "10.0.2.0/24"}, groups, nodes)
    target, elsewhere = Target("10.0.2.7", 8080, "healthy"), Target("10.0.3.7", 8080, "healthy")
    assert paths.barred(network, balancer, [target, elsewhere]) == (set() if is_open else {target})


@pytest.mark.parametrize(("size", "limit"), [(None, 8192), ("KB_16", 16384), ("KB_64", 65536)])
def test_how_much_of_a_body_is_inspected(size: str | None, limit: int) -> None:
    """8 KB, or what the web ACL is set to."""
    kinds = {"APPLICATION_LOAD_BALANCER": {"DefaultSizeInspectionLimit": size}} if size else {}
    assert balancing.body_limit({"AssociationConfig": {"RequestBody": kinds}}) == limit
    assert balancing.body_limit({"AssociationConfig": None}) == 8192


def test_certificates_are_chosen_by_name() -> None:
    """Exact before wildcard, else the default."""
    certificates = [
        Certificate(str(number), given, None, None)
        for number, given in enumerate([("default.example.com",), ("*.example.com",), ("a.example.com", "b.test")])
    ]
    asked = ("a.example.com", "B.TEST", "c.example.com", "x.c.example.com", "")
    assert [chosen(certificates, each) for each in asked] == [2, 2, 1, 0, 0]


@pytest.mark.parametrize(("status", "length"), [(403, 118), (502, 122), (503, 162), (504, 132)])
def test_pages_are_as_long_as_the_real_ones(status: int, length: int) -> None:
    """Lengths that access logs of real load balancers show."""
    assert pages.page(status).content_length == length


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("LOWERCASE", b"A", b"a"),
        ("URL_DECODE", b"%3Ca+b%3E", b"<a b>"),
        ("HTML_ENTITY_DECODE", b"&lt;a", b"<a"),
        ("COMPRESS_WHITE_SPACE", b"a \t\n b", b"a b"),
        ("NORMALIZE_PATH", b"//a/./b/../c/", b"/a/c/"),
        ("NORMALIZE_PATH", b"/x/../api", b"/api"),
        ("NORMALIZE_PATH_WIN", b"\\a\\..\\b", b"/b"),
        ("REMOVE_NULLS", b"a\0b", b"ab"),
        ("REPLACE_COMMENTS", b"a/*x*/b/*y", b"a b "),
        ("CMD_LINE", b'C^"M,,D  /c', b"cm d/c"),
        ("BASE64_DECODE", b"YQ==", b"a"),
        ("BASE64_DECODE", b"no", b"no"),
        ("BASE64_DECODE_EXT", b"Y-Q", b"a"),
        ("HEX_DECODE", b"61", b"a"),
        ("JS_DECODE", b"\\x61", b"a"),
        ("SOMETHING_NEW", b"A", b"A"),
    ],
)
def test_transformations(kind: str, text: bytes, expected: bytes) -> None:
    """What is done to a part before it is compared."""
    assert transformations.transformed(text, [{"Type": kind, "Priority": 0}]) == expected


TEXT = [{"Priority": 0, "Type": "NONE"}]
REQUEST = Inspected(
    "POST", "/a/b", "q=1&Name=x%20y", (("host", "h"), ("cookie", "c=1; d=2"), ("x", "y")),
    b'{"a": {"b": "secret"}, "list": ["one", 2]}', source="203.0.113.10",
)  # fmt: skip


def byte_match(field: Any, text: bytes, how: str = "EXACTLY") -> dict[str, Any]:
    """A comparison."""
    settings = {"FieldToMatch": field, "SearchString": text, "PositionalConstraint": how, "TextTransformations": TEXT}
    return {"ByteMatchStatement": settings}


def json_body(scope: str = "ALL", pattern: Any = None, **more: Any) -> dict[str, Any]:
    """A field of a JSON body."""
    return {"JsonBody": {"MatchScope": scope, "MatchPattern": pattern or {"All": {}}, **more}}


@pytest.mark.parametrize(
    ("statement", "matches"),
    [
        (byte_match({"Method": {}}, b"POST"), True),
        (byte_match({"UriPath": {}}, b"/b", "ENDS_WITH"), True),
        (byte_match({"UriPath": {}}, b"a", "CONTAINS_WORD"), True),
        (byte_match({"QueryString": {}}, b"q=1", "STARTS_WITH"), True),
        (byte_match({"SingleHeader": {"Name": "X"}}, b"y"), True),
        (byte_match({"SingleHeader": {"Name": "absent"}}, b"", "CONTAINS"), False),
        (byte_match({"SingleQueryArgument": {"Name": "name"}}, b"x y"), True),
        (byte_match({"AllQueryArguments": {}}, b"1"), True),
        (byte_match({"Cookies": {"MatchPattern": {"IncludedCookies": ["d"]}, "MatchScope": "VALUE"}}, b"2"), True),
        (byte_match({"Headers": {"MatchPattern": {"ExcludedHeaders": ["x"]}, "MatchScope": "ALL"}}, b"y"), False),
        (byte_match({"HeaderOrder": {}}, b"host:cookie:x"), True),
        (byte_match(json_body("VALUE"), b"secret"), True),
        (byte_match(json_body("KEY"), b"secret"), False),
        (byte_match(json_body("VALUE", {"IncludedPaths": ["/list"]}), b"one"), True),
        (byte_match(json_body("VALUE", {"IncludedPaths": ["/list"]}), b"secret"), False),
        ({"SizeConstraintStatement": {"FieldToMatch": {"UriPath": {}}, "ComparisonOperator": "GT", "Size": 3}}, True),
        ({"RegexMatchStatement": {"FieldToMatch": {"UriPath": {}}, "RegexString": "^/a/[b-c]$"}}, True),
        ({"RegexMatchStatement": {"FieldToMatch": {"UriPath": {}}, "RegexString": "("}}, False),
        ({"GeoMatchStatement": {"CountryCodes": ["DE"]}}, False),
        ({"NotStatement": {"Statement": {"GeoMatchStatement": {"CountryCodes": ["DE"]}}}}, True),
        ({"LabelMatchStatement": {"Scope": "LABEL", "Key": "two"}}, True),
        ({"LabelMatchStatement": {"Scope": "LABEL", "Key": "wo"}}, False),
        ({"LabelMatchStatement": {"Scope": "NAMESPACE", "Key": "one:"}}, True),
    ],
)
def test_statements(statement: Any, matches: bool) -> None:  # noqa: FBT001  (a column)
    """Each kind of statement and each part of a request."""
    evaluation = Evaluation(REQUEST, Rates(), labels=["awswaf:one:two"])
    assert evaluation.matches(statement) is matches


@pytest.mark.parametrize(("handling", "matches"), [("CONTINUE", False), ("MATCH", True), ("NO_MATCH", False)])
def test_bodies_that_are_too_large(handling: str, matches: bool) -> None:  # noqa: FBT001  (a column)
    """What is behind the limit is not seen; the statement says what that means."""
    large = Inspected("POST", "/", body=b"x" * 8192, oversize=True)
    statement = byte_match({"Body": {"OversizeHandling": handling}}, b"behind", "CONTAINS")
    assert Evaluation(large, Rates()).matches(statement) is matches


def rate(**settings: Any) -> dict[str, Any]:
    """A limit of ten."""
    return {"RateBasedStatement": {"Limit": 10, "EvaluationWindowSec": 60, "AggregateKeyType": "IP", **settings}}


def allowed(statement: Any, requests: Iterator[Inspected]) -> int:
    """How many requests pass before the limit."""
    rates = Rates(lambda: 0.0)
    return next(n for n, one in enumerate(requests) if Evaluation(one, rates).matches(statement))


def test_rates_by_keys() -> None:
    """By address, by forwarded address, by custom keys."""
    forwarded = {"AggregateKeyType": "FORWARDED_IP",
                 "ForwardedIPConfig": {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH"}}  # fmt: skip
    custom = {
        "AggregateKeyType": "CUSTOM_KEYS",
        "CustomKeys": [{"HTTPMethod": {}}, {"UriPath": {"TextTransformations": TEXT}}],
    }

    def mixed(header: str = "") -> Iterator[Inspected]:
        number = 0
        while True:
            number += 1
            value = (
                (("x-forwarded-for", f"192.0.2.{number % 2 + 1}, 10.0.0.1"),)
                if not header
                else (("x-forwarded-for", header),)
            )
            yield Inspected("GET", f"/{number % 3}", headers=value)

    assert allowed(rate(), mixed()) == 10
    assert allowed(rate(**forwarded), mixed()) == 20
    assert allowed(rate(**forwarded), mixed("nonsense")) == 0
    assert allowed(rate(**custom), mixed()) == 30


def test_a_rate_recovers() -> None:
    """After the window; and a changed rule begins anew."""
    now = [0.0]
    rates = Rates(lambda: now[0])
    limit = rate()
    answers = [Evaluation(REQUEST, rates).matches(limit) for _ in range(11)]
    assert answers == [False] * 10 + [True]
    assert not Evaluation(REQUEST, rates).matches(rate(Limit=11))
    now[0] = 61.0
    assert not Evaluation(REQUEST, rates).matches(limit)


@pytest.mark.parametrize(
    ("test", "text", "found"),
    [
        (attacks.is_cross_site_scripting, b"<script>", True),
        (attacks.is_cross_site_scripting, b"%3Cimg src=x onerror=alert(1)%3E", True),
        (attacks.is_cross_site_scripting, b"if a < b then on = 1", False),
        (attacks.is_cross_site_scripting, b'{"inputs": {"question": "What is 1 < 2?"}}', False),
        (attacks.is_sql_injection, b"' or 1=1 --", True),
        (attacks.is_sql_injection, b"5 and 1=1", True),
        (attacks.is_sql_injection, b"5 and 1=2", False),
        (attacks.is_sql_injection, b"1 UNION SELECT password", True),
        (attacks.is_sql_injection, b"select the best option or two", False),
        (attacks.is_remote_file, b"http://192.0.2.1/x.php", True),
        (attacks.is_remote_file, b"https://api.openai.com/v1", False),
        (attacks.is_local_file, b"../../etc/passwd", True),
        (attacks.is_metadata, b"http://169.254.169.254/", True),
        (attacks.is_log4j, b"${${lower:j}ndi:ldap://x}", True),
        (attacks.is_java_deserialization, b"(java.lang.Runtime).getRuntime().exec('id')", True),
    ],
)
def test_attacks(test: Any, text: bytes, found: bool) -> None:  # noqa: FBT001  (a column)
    """The examples of the documentation are found, plain text is not."""
    assert test(text) is found


def test_rules_of_the_managed_groups_have_the_documented_names() -> None:
    """The ones that runbooks and Terraform name."""
    known = {rule.name for rules in GROUPS.values() for rule in rules}
    assert {
        "SizeRestrictions_BODY", "CrossSiteScripting_BODY", "GenericRFI_BODY", "GenericLFI_BODY", "NoUserAgent_HEADER",
        "EC2MetaDataSSRF_BODY", "SizeRestrictions_Cookie_HEADER", "Log4JRCE_BODY", "Host_localhost_HEADER", "SQLi_BODY",
    } <= known  # fmt: skip
