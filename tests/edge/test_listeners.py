"""Names, listeners, rules and the answers that a load balancer gives itself."""

from typing import Any

import httpx
import pytest

from hallmark.waiting import until

HOST = "langsmith.example.com"


def test_a_request_reaches_its_target(stage: Any) -> None:
    """As it was sent, with the headers of a load balancer, and the target's own Server header."""
    answer = stage.ask("POST", "/api/v1/runs?a=%20b&c", content=b"x" * 70_000, headers={"X-Forwarded-For": "192.0.2.7"})
    told = answer.json()

    assert (answer.status_code, answer.headers["Server"]) == (200, "nginx")
    assert (told["method"], told["target"], told["size"]) == ("POST", "/api/v1/runs?a=%20b&c", 70_000)
    headers = told["headers"]
    assert headers["X-Forwarded-For"] == "192.0.2.7, 203.0.113.10"
    assert (headers["X-Forwarded-Proto"], headers["X-Forwarded-Port"]) == ("https", "443")
    assert headers["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert headers["Host"] == HOST


def test_plain_http_is_redirected(stage: Any) -> None:
    """To the same address with HTTPS; the port is in it, as AWS writes it."""
    answer = stage.ask(url=f"http://{HOST}/a/b?c=d")

    assert answer.status_code == 301
    assert answer.headers["Location"] == f"https://{HOST}:443/a/b?c=d"
    assert answer.headers["Server"] == "awselb/2.0"
    assert "<center><h1>301 Moved Permanently</h1></center>" in answer.text


def test_the_default_rule_answers_other_hosts(stage: Any) -> None:
    """404 of the load balancer: a name that leads to it and is in no rule."""
    answer = stage.ask(headers={"Host": "other.example.com"})

    assert (answer.status_code, answer.text, answer.headers["Server"]) == (404, "", "awselb/2.0")
    assert answer.headers["Content-Type"] == "text/plain"


def test_a_rule_of_higher_priority_wins(stage: Any) -> None:
    """And holds by all its conditions: path, method, header and query."""
    fixed = {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "418", "MessageBody": "tea", "ContentType": "text/plain"},
    }
    conditions = [
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/tea/*"]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PUT"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "Values": ["gr*n"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "sugar", "Value": "no"}]}},
    ]
    rule = stage.rule(5, fixed, *conditions)
    try:
        right = {"method": "PUT", "url": "/tea/pot?sugar=no", "headers": {"X-Kind": "Green"}}
        assert stage.becomes(418, **right).text == "tea"
        changes: tuple[dict[str, Any], ...] = (
            {"method": "POST"},
            {"url": "/Tea/pot?sugar=no"},
            {"headers": {}},
            {"url": "/tea/pot?sugar=yes"},
        )
        for wrong in changes:
            assert stage.ask(**{**right, **wrong}).status_code == 200
    finally:
        stage.clients("elbv2").delete_rule(RuleArn=rule)


def test_an_unknown_name_is_not_resolved(stage: Any) -> None:
    """The proxy says what a resolver would."""
    with pytest.raises(httpx.ProxyError, match="502"):
        stage.ask(url="https://nowhere.example.org/")
    plain = stage.ask(url="http://nowhere.example.org/")
    assert (plain.status_code, plain.text) == (502, "could not resolve nowhere.example.org\n")


def test_a_port_without_a_listener_is_silent(stage: Any) -> None:
    """As every packet that nobody answers: time is up."""
    with pytest.raises(httpx.ProxyError, match="504"):
        stage.ask(url=f"https://{HOST}:8443/")


def test_the_alias_is_moved_to_another_load_balancer(stage: Any) -> None:
    """Its fixed 404 instead of the application (SE-03), until the alias is back."""
    other = stage.balancer("other")
    certificates = [{"CertificateArn": stage.ids["certificate"]}]
    stage.listener(other["LoadBalancerArn"], 443, Protocol="HTTPS", Certificates=certificates,
                   SslPolicy="ELBSecurityPolicy-2016-08")  # fmt: skip
    try:
        stage.alias(HOST, other["DNSName"])
        stage.becomes(404)
    finally:
        stage.alias(HOST, stage.ids["dns"])
        stage.clients("elbv2").delete_load_balancer(LoadBalancerArn=other["LoadBalancerArn"])
    stage.becomes(200)


def test_the_name_of_a_deleted_load_balancer(stage: Any) -> None:
    """An alias to it resolves no more (SE-07)."""
    gone = stage.balancer("gone")
    stage.alias("gone.example.com", gone["DNSName"])
    stage.clients("elbv2").delete_load_balancer(LoadBalancerArn=gone["LoadBalancerArn"])
    with pytest.raises(httpx.ProxyError, match="502"):
        stage.ask(url="https://gone.example.com/")


def test_the_load_balancers_own_name(stage: Any) -> None:
    """It leads there, too; the rule's host does not match (SE-08)."""
    answer = stage.ask(url=f"http://{stage.ids['dns']}/")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{stage.ids['dns']}:443/")


def test_a_wildcard_record(stage: Any) -> None:
    """Covers names that have no record of their own."""
    stage.alias("*.apps.example.com", stage.ids["dns"])
    stage.becomes(301, url="http://one.apps.example.com/")


def test_an_internal_load_balancer_is_not_reached_from_outside(stage: Any) -> None:
    """Its name resolves and nothing answers (SE-06)."""
    inside = stage.balancer("inside", Scheme="internal")
    stage.listener(inside["LoadBalancerArn"], 80)
    answer = stage.becomes(504, url=f"http://{inside['DNSName']}/")
    assert "timed out" in answer.text
    stage.clients("elbv2").delete_load_balancer(LoadBalancerArn=inside["LoadBalancerArn"])


def test_the_security_group_is_closed(stage: Any) -> None:
    """New connections time out, one that stands goes on, and the counters know."""
    with stage.client() as client:
        assert client.get(f"https://{HOST}/").status_code == 200
        stage.authorize(revoke=True)
        try:
            assert until(stage.is_silent, 20)
            assert client.get(f"https://{HOST}/").status_code == 200
        finally:
            stage.authorize()
    assert until(lambda: not stage.is_silent(), 20)
    assert stage.status().json()["refused"]["timed out"] > 0
