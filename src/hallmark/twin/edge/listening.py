"""Listener rules: which one a request meets, and where a redirect leads. Pure.

ALB user guide, "Condition types for listener rules" and "Redirect actions".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import parse_qsl

KEYS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig", "source-ip": "SourceIpConfig",
        "http-request-method": "HttpRequestMethodConfig", "http-header": "HttpHeaderConfig",
        "query-string": "QueryStringConfig"}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What of a request rules look at.

    Attributes:
        method, host, path, query: Host without port; path and query as sent.
        headers: Names in lower case.
        protocol, port: Of the listener.
        source: The client's address.
    """

    method: str
    host: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    protocol: str
    port: int
    source: str


def choose(rules: Iterable[Mapping[str, Any]], line: Line) -> Mapping[str, Any]:
    """The first rule all of whose conditions hold; the default rule is the last, and has none."""
    return next(rule for rule in rules if all(_holds(condition, line) for condition in rule.get("Conditions", ())))


def location(redirect: Mapping[str, Any], line: Line) -> str:
    """Where a redirect action leads."""
    known = {"protocol": line.protocol.lower(), "host": line.host, "port": str(line.port), "path": line.path[1:],
             "query": line.query}  # fmt: skip

    def filled(key: str, default: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda match: known.get(match[1], ""), str(redirect.get(key) or default))

    protocol = filled("Protocol", "#{protocol}").lower()
    query = filled("Query", "#{query}")
    address = f"{protocol}://{filled('Host', '#{host}')}:{filled('Port', '#{port}')}{filled('Path', '/#{path}')}"
    return f"{address}?{query}" if query else address


def _holds(condition: Mapping[str, Any], line: Line) -> bool:
    field = condition["Field"]
    config = condition.get(KEYS[field]) or {}
    values = config.get("Values") or condition.get("Values") or []
    if field == "query-string":
        return any(_asks(pair, line) for pair in values)
    if field == "source-ip":
        return any(ip_address(line.source) in ip_network(each, strict=False) for each in values)
    if field == "http-header":
        name = config["HttpHeaderName"].lower()
        return any(_like(value, sent) for key, sent in line.headers if key == name for value in values)
    if field == "host-header":
        return any(_like(value, line.host) for value in values)
    sent = line.method if field == "http-request-method" else line.path
    return any(_like(value, sent, exact=True) for value in values)


def _asks(pair: Mapping[str, str], line: Line) -> bool:
    sent = parse_qsl(line.query, keep_blank_values=True)
    return any(_like(pair.get("Key") or "*", key) and _like(pair["Value"], value) for key, value in sent)


def _like(pattern: str, text: str, *, exact: bool = False) -> bool:
    return bool(_compiled(pattern, exact).fullmatch(text))


@cache
def _compiled(pattern: str, exact: bool) -> re.Pattern[str]:  # noqa: FBT001  (cached by it)
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(each) or re.escape(each) for each in pattern), 0 if exact else re.IGNORECASE)
