"""The baseline's web ACL in front of the load balancer, and what operators do to it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hallmark.waiting import until

HOST = "langsmith.example.com"
INGESTION = ("/api/v1/runs", "/api/v1/otel/", "/api/runs")
SEEN = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
LARGE = b"x" * 9_000
COMMON = "AWSManagedRulesCommonRuleSet"
BLOCKED = "<center><h1>403 Forbidden</h1></center>"


def starts(path: str) -> dict[str, Any]:
    """A path that begins so."""
    return {
        "ByteMatchStatement": {
            "SearchString": path.encode(),
            "FieldToMatch": {"UriPath": {}},
            "TextTransformations": [{"Priority": 0, "Type": "NORMALIZE_PATH"}],
            "PositionalConstraint": "STARTS_WITH",
        }
    }


def managed(name: str, priority: int, **more: Any) -> dict[str, Any]:
    """A rule that uses a managed group."""
    group = {"VendorName": "AWS", "Name": name, **more}
    return {
        "Name": name,
        "Priority": priority,
        "Statement": {"ManagedRuleGroupStatement": group},
        "OverrideAction": {"None": {}},
        "VisibilityConfig": SEEN,
    }


def own(name: str, priority: int, statement: Any, action: str = "Block", **more: Any) -> dict[str, Any]:
    """A rule of one's own."""
    rule = {"Name": name, "Priority": priority, "Statement": statement, "VisibilityConfig": SEEN}
    return {**rule, "Action": {action: {}}, **more}


def baseline(*, exempt: bool) -> list[dict[str, Any]]:
    """The rules of terraform/modules/edge, without the rate."""
    anywhere_else = {"NotStatement": {"Statement": {"OrStatement": {"Statements": [starts(one) for one in INGESTION]}}}}
    return [
        managed("AWSManagedRulesAmazonIpReputationList", 10),
        managed("AWSManagedRulesKnownBadInputsRuleSet", 20),
        managed(COMMON, 30, **({"ScopeDownStatement": anywhere_else} if exempt else {})),
    ]


class Firewall:
    """A web ACL whose rules are replaced as tests want."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.waf = stage.clients("wafv2")
        made = self.waf.create_web_acl(
            Name="edge", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=SEEN, Rules=[]
        )
        self.id, self.arn = made["Summary"]["Id"], made["Summary"]["ARN"]
        self.waf.associate_web_acl(WebACLArn=self.arn, ResourceArn=stage.ids["balancer"])

    def set(self, *rules: dict[str, Any], **more: Any) -> None:
        """Replace the rules, and wait until that is felt: a marked request is blocked by a rule of that mark."""
        number = getattr(self, "number", 0) + 1
        self.number = number
        path = {
            "FieldToMatch": {"UriPath": {}},
            "PositionalConstraint": "EXACTLY",
            "SearchString": f"/mark-{number}".encode(),
            "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        }
        mark = own(
            "mark", 100_000, {"ByteMatchStatement": path}, Action={"Block": {"CustomResponse": {"ResponseCode": 418}}}
        )
        token = self.waf.get_web_acl(Name="edge", Scope="REGIONAL", Id=self.id)["LockToken"]
        settings = {"DefaultAction": {"Allow": {}}, "VisibilityConfig": SEEN, **more}
        self.waf.update_web_acl(
            Name="edge", Scope="REGIONAL", Id=self.id, LockToken=token, Rules=[*rules, mark], **settings
        )
        assert until(lambda: self.stage.ask(url=f"/mark-{number}").status_code == 418, 20)

    def last(self, path: str) -> dict[str, Any]:
        """The last request for a path, as the edge counted it."""
        found = [each for each in self.stage.status().json()["requests"] if each["path"] == path]
        return dict(found[-1])


@pytest.fixture(scope="module")
def firewall(stage: Any) -> Iterator[Firewall]:
    """The web ACL, for this module."""
    made = Firewall(stage)
    yield made
    made.waf.disassociate_web_acl(ResourceArn=stage.ids["balancer"])
    assert until(lambda: stage.ask(url=f"/mark-{made.number}").status_code == 200, 20)


def test_the_common_rules_block_large_bodies(firewall: Firewall, stage: Any) -> None:
    """Above 8 KB everything is blocked, traces among it (SE-14); up to that it passes."""
    firewall.set(*baseline(exempt=False))
    blocked = stage.ask("POST", "/api/v1/runs/batch?key=hidden", content=LARGE)

    assert (blocked.status_code, blocked.headers["Server"]) == (403, "awselb/2.0")
    assert BLOCKED in blocked.text
    assert stage.ask("POST", "/api/v1/runs/batch", content=b"x" * 8192).status_code == 200
    sample = firewall.last("/api/v1/runs/batch")
    assert (sample["by"], sample["status"]) == ("target", 200)
    counts = stage.status().json()["balancers"]["main"]
    assert counts["stopped"][f"{COMMON}: SizeRestrictions_BODY"] >= 1
    assert counts["allowed"] >= 1


def test_ingestion_paths_are_exempt(firewall: Firewall, stage: Any) -> None:
    """The scope-down of the baseline keeps the common rules away from traces and nothing else."""
    firewall.set(*baseline(exempt=True))
    for path in ("/api/v1/runs", "/api/v1/runs/multipart", "/api/v1/otel/v1/traces", "//api/v1/runs"):
        assert stage.ask("POST", path, content=LARGE * 10).status_code == 200, path
    for path in ("/api/v1/datasets", "/api/v1/runs/../datasets", "/x/api/v1/runs"):
        assert stage.ask("POST", path, content=LARGE).status_code == 403, path
    assert stage.ask("POST", "/api/v1/runs", content=b"${jndi:ldap://x/}").status_code == 403
    assert firewall.last("/api/v1/runs")["rule"] == "AWSManagedRulesKnownBadInputsRuleSet: Log4JRCE_BODY"


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        ({"method": "POST", "content": b'{"inputs": "<script>alert(1)</script>"}'}, "CrossSiteScripting_BODY"),
        ({"method": "POST", "content": b"see http://192.0.2.1/a"}, "GenericRFI_BODY"),
        ({"method": "POST", "content": b"curl http://169.254.169.254/latest/meta-data"}, "EC2MetaDataSSRF_BODY"),
        ({"method": "POST", "content": b"open ../../etc"}, "GenericLFI_BODY"),
        ({"url": "/a.log"}, "RestrictedExtensions_URIPATH"),
        ({"url": "/a?" + "q" * 3000}, "SizeRestrictions_QUERYSTRING"),
        ({"headers": {"User-Agent": ""}}, "NoUserAgent_HEADER"),
    ],
)
def test_what_common_rules_take_for_attacks(firewall: Firewall, stage: Any, request_: Any, rule: str) -> None:
    """Text of traces looks like attacks; the rule's name is in the counters."""
    if not getattr(firewall, "strict", False):
        firewall.set(managed(COMMON, 1))
        firewall.strict = True  # type: ignore[attr-defined]  # once for all rows
    assert stage.ask(**{"url": "/attack", **request_}).status_code == 403
    requests = stage.status().json()["requests"]
    assert requests[-1]["rule"] == f"{COMMON}: {rule}"


@pytest.mark.parametrize(
    "change",
    [
        {"ExcludedRules": [{"Name": "SizeRestrictions_BODY"}]},
        {"RuleActionOverrides": [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]},
    ],
)
def test_a_rule_of_the_group_only_counts(firewall: Firewall, stage: Any, change: Any) -> None:
    """It blocks no more, is counted, and the group's other rules still block."""
    firewall.set(managed(COMMON, 1, **change))
    assert stage.ask("POST", "/counted", content=LARGE).status_code == 200
    assert firewall.last("/counted")["counted"] == [f"{COMMON}: SizeRestrictions_BODY"]
    assert stage.ask("POST", "/counted", content=b"<script>" + LARGE).status_code == 403


def test_the_whole_group_only_counts(firewall: Firewall, stage: Any) -> None:
    """An override of the rule's action: a web ACL that protects nothing."""
    firewall.set(managed(COMMON, 1) | {"OverrideAction": {"Count": {}}})
    assert stage.ask("POST", "/all", content=b"<script>" + LARGE).status_code == 200
    assert firewall.last("/all")["counted"] == [f"{COMMON}: SizeRestrictions_BODY"]


def test_labels_lead_from_one_rule_to_another(firewall: Firewall, stage: Any) -> None:
    """The usual exception: count the size rule, block by its label everywhere but at ingestion."""
    label = {"LabelMatchStatement": {"Scope": "LABEL", "Key": "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"}}
    elsewhere = {"NotStatement": {"Statement": starts("/api/v1/runs")}}
    override = [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]
    firewall.set(
        managed(COMMON, 1, RuleActionOverrides=override),
        own("large elsewhere", 2, {"AndStatement": {"Statements": [label, elsewhere]}}),
    )
    assert stage.ask("POST", "/api/v1/runs/batch", content=LARGE).status_code == 200
    assert stage.ask("POST", "/api/v1/feedback", content=LARGE).status_code == 403
    assert firewall.last("/api/v1/feedback")["rule"] == "large elsewhere"


def test_the_rate_is_limited(firewall: Firewall, stage: Any) -> None:
    """Ten pass, the eleventh does not; only what is within the scope counts."""
    rate = {"Limit": 10, "AggregateKeyType": "IP", "EvaluationWindowSec": 60, "ScopeDownStatement": starts("/rated")}
    firewall.set(own("rate-limit", 0, {"RateBasedStatement": rate}))
    with stage.client() as client:
        answers = [client.get(f"https://{HOST}/rated").status_code for _ in range(12)]
        assert answers == [200] * 10 + [403] * 2
        assert client.get(f"https://{HOST}/unrated").status_code == 200


def test_the_order_of_rules(firewall: Firewall, stage: Any) -> None:
    """By priority; the first that terminates decides, and Allow terminates."""
    allow = own("allow runs", 1, starts("/api/v1/runs"), "Allow")
    firewall.set(managed(COMMON, 2), allow)
    assert stage.ask("POST", "/api/v1/runs", content=LARGE).status_code == 200
    firewall.set(managed(COMMON, 0), allow)
    assert stage.ask("POST", "/api/v1/runs", content=LARGE).status_code == 403


def test_custom_answers_and_inserted_headers(firewall: Firewall, stage: Any) -> None:
    """A block says what it is told to; an Allow tells the target; Challenge has its own answer."""
    said = {
        "ResponseCode": 429,
        "CustomResponseBodyKey": "slow",
        "ResponseHeaders": [{"Name": "Retry-After", "Value": "9"}],
    }
    header = {"CustomRequestHandling": {"InsertHeaders": [{"Name": "seen", "Value": "yes"}]}}
    firewall.set(
        own("block", 1, starts("/block"), Action={"Block": {"CustomResponse": said}}),
        own("allow", 2, starts("/allow"), Action={"Allow": header}),
        own("challenge", 3, starts("/challenge"), "Challenge"),
        CustomResponseBodies={"slow": {"ContentType": "APPLICATION_JSON", "Content": '{"slow": "down"}'}},
    )
    answer = stage.ask(url="/block")
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (429, {"slow": "down"}, "9")
    assert stage.ask(url="/allow").json()["headers"]["x-amzn-waf-seen"] == "yes"
    answer = stage.ask(url="/challenge")
    assert (answer.status_code, answer.headers["x-amzn-waf-action"]) == (202, "challenge")


def test_references(firewall: Firewall, stage: Any) -> None:
    """Address sets, pattern sets and rule groups are read by their ARN."""
    waf, scope = firewall.waf, {"Scope": "REGIONAL"}
    addresses = waf.create_ip_set(Name="office", IPAddressVersion="IPV4", Addresses=["203.0.113.0/24"], **scope)[
        "Summary"
    ]["ARN"]
    patterns = waf.create_regex_pattern_set(
        Name="paths", RegularExpressionList=[{"RegexString": "^/adm[a-z]+$"}], **scope
    )["Summary"]["ARN"]
    pattern = {
        "ARN": patterns,
        "FieldToMatch": {"UriPath": {}},
        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
    }
    both = [{"IPSetReferenceStatement": {"ARN": addresses}}, {"RegexPatternSetReferenceStatement": pattern}]
    group = waf.create_rule_group(
        Name="mine",
        Capacity=10,
        VisibilityConfig=SEEN,
        Rules=[own("office admin", 0, {"AndStatement": {"Statements": both}})],
        **scope,
    )["Summary"]["ARN"]
    rule = own("group", 1, {"RuleGroupReferenceStatement": {"ARN": group}}, OverrideAction={"None": {}})
    del rule["Action"]
    firewall.set(rule)
    assert stage.ask(url="/admin").status_code == 403
    assert firewall.last("/admin")["rule"] == "group: office admin"
    assert stage.ask(url="/public").status_code == 200


def test_a_blocked_upload_is_answered(firewall: Firewall, stage: Any) -> None:
    """A client that sends megabytes gets its 403, not a broken pipe."""
    firewall.set(managed(COMMON, 1))
    assert stage.ask("POST", "/large", content=b"x" * 5_000_000).status_code == 403
    with httpx.Client(proxy=f"http://127.0.0.1:{stage.port}", verify=stage.trust, trust_env=False) as client:
        chunks = (b"x" * 1000 for _ in range(50))
        assert client.post(f"https://{HOST}/chunked", content=chunks).status_code == 403


def test_a_rule_that_is_not_understood(firewall: Firewall, stage: Any) -> None:
    """500 for what it looks at; the edge goes on and its log has no part of the request."""
    broken = starts("/broken")
    broken["ByteMatchStatement"]["PositionalConstraint"] = "SOMEWHERE"
    token = firewall.waf.get_web_acl(Name="edge", Scope="REGIONAL", Id=firewall.id)["LockToken"]
    firewall.waf.update_web_acl(
        Name="edge", Scope="REGIONAL", Id=firewall.id, LockToken=token, Rules=[own("broken", 1, broken)],
        DefaultAction={"Allow": {}}, VisibilityConfig=SEEN,
    )  # fmt: skip
    stage.becomes(500, url="/broken?key=hidden")
    log = (stage.folder / "edge.log").read_text()
    assert log.splitlines()[-1].endswith("main could not answer: KeyError")
    assert "hidden" not in log


def test_nothing_secret_is_kept(firewall: Firewall, stage: Any) -> None:
    """Neither queries nor headers nor bodies; and who shows no token reads nothing."""
    firewall.set(managed(COMMON, 1))
    stage.ask("POST", "/secret?key=in-the-query", content=b"in-the-body", headers={"X-Api-Key": "in-a-header"})
    told = stage.status().text + (stage.folder / "edge.log").read_text()
    assert "/secret" in told
    assert not [word for word in ("in-the-query", "in-the-body", "in-a-header") if word in told]
    assert stage.status(token="wrong").status_code == 401
