"""AWS's managed rule groups, by documented effect: names, labels, order and limits of AWS, patterns of our own.

WAF developer guide, "AWS Managed Rules rule groups list". Groups that only a reputation service or a token could
decide (IP reputation, anonymous IPs, bots, fraud) are known and never match.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hallmark.twin.edge.waf import attacks
from hallmark.twin.edge.waf.request import Inspected
from hallmark.twin.edge.waf.transformations import normalized, urldecoded

Test = Callable[[bytes], bool]
PREFIX = "awswaf:managed:aws:"
BODY, PATH, QUERY, COOKIE = 8192, 1024, 2048, 10240
"""Bytes above which the size restrictions of the core rule set match."""
_BOTS = re.compile(r"nessus|nmap|nikto|sqlmap|masscan", re.IGNORECASE)
_FILES = re.compile(rb"\.(log|ini|bak|backup|cfg|conf|config|sql|sys|bat|cmd)($|[/?;])", re.IGNORECASE)
_ADMIN = re.compile(rb"/(sqlmanager|phpmyadmin|wp-admin|manager/html|admin)(/|$)", re.IGNORECASE)
_HIDDEN = re.compile(rb"web-inf|\.git/|\.svn/|/\.env\b", re.IGNORECASE)


@dataclass(frozen=True)
class Rule:
    """A rule of a managed group; all of them block."""

    name: str
    label: str
    matches: Callable[[Inspected], bool]


def _bytes(text: str | None) -> bytes:
    return (text or "").encode("utf-8", "surrogateescape")


def _over(name: str, label: str, limit: int, part: Callable[[Inspected], str | None]) -> Rule:
    return Rule(f"SizeRestrictions_{name}", label, lambda request: len(_bytes(part(request))) > limit)


PLACES: dict[str, tuple[str, Callable[[Inspected], Iterator[bytes]]]] = {
    "HEADER": ("Header", lambda request: (_bytes(value) for _, value in request.headers)),
    "COOKIE": ("Cookie", lambda request: (_bytes(value) for _, value in request.cookies)),
    "BODY": ("Body", lambda request: iter((request.body,))),
    "URIPATH": ("URIPath", lambda request: iter((_bytes(request.path),))),
    "QUERYSTRING": ("QueryString", lambda request: iter((_bytes(request.query),))),
    "QUERYARGUMENTS": ("QueryArguments", lambda request: (_bytes(value) for _, value in request.arguments)),
}
"""Where a rule looks: the end of its name, the end of its label, and what is there."""


def _looks(group: str, name: str, test: Test, *places: str) -> Iterator[Rule]:
    for place in places:
        word, read = PLACES[place]
        yield Rule(f"{name}_{place}", f"{group}:{name}_{word}", _searching(test, read))


def _searching(test: Test, read: Callable[[Inspected], Iterator[bytes]]) -> Callable[[Inspected], bool]:
    return lambda request: any(map(test, read(request)))


def _core() -> Iterator[Rule]:
    group = "core-rule-set"
    yield Rule("NoUserAgent_HEADER", f"{group}:NoUserAgent_Header", lambda request: not request.header("user-agent"))
    yield Rule(
        "UserAgent_BadBots_HEADER",
        f"{group}:BadBots_Header",
        lambda request: bool(_BOTS.search(request.header("user-agent") or "")),
    )
    yield _over("QUERYSTRING", f"{group}:SizeRestrictions_QueryString", QUERY, lambda request: request.query)
    cookie = f"{group}:SizeRestrictions_Cookie_Header"
    yield _over("Cookie_HEADER", cookie, COOKIE, lambda request: request.header("cookie"))
    yield Rule(
        "SizeRestrictions_BODY",
        f"{group}:SizeRestrictions_Body",
        lambda request: request.oversize or len(request.body) > BODY,
    )
    yield _over("URIPATH", f"{group}:SizeRestrictions_URIPath", PATH, lambda request: request.path)
    everywhere = ("BODY", "COOKIE", "URIPATH", "QUERYARGUMENTS")
    yield from _looks(group, "EC2MetaDataSSRF", attacks.is_metadata, *everywhere)
    yield from _looks(group, "GenericLFI", attacks.is_local_file, "QUERYARGUMENTS", "URIPATH", "BODY")
    yield from _looks(group, "RestrictedExtensions", _is_restricted, "URIPATH", "QUERYARGUMENTS")
    yield from _looks(group, "GenericRFI", attacks.is_remote_file, "QUERYARGUMENTS", "BODY", "URIPATH")
    scripting = ("COOKIE", "QUERYARGUMENTS", "BODY", "URIPATH")
    yield from _looks(group, "CrossSiteScripting", attacks.is_cross_site_scripting, *scripting)


def _known_bad_inputs() -> Iterator[Rule]:
    group = "known-bad-inputs"
    places = ("HEADER", "BODY", "URIPATH", "QUERYSTRING")
    yield from _looks(group, "JavaDeserializationRCE", attacks.is_java_deserialization, *places)
    yield Rule(
        "Host_localhost_HEADER",
        f"{group}:Host_Localhost_Header",
        lambda request: "localhost" in (request.header("host") or ""),
    )
    yield Rule("PROPFIND_METHOD", f"{group}:Propfind_Method", lambda request: request.method.upper() == "PROPFIND")
    yield from _looks(group, "ExploitablePaths", lambda text: bool(_HIDDEN.search(urldecoded(text))), "URIPATH")
    yield from _looks(group, "Log4JRCE", attacks.is_log4j, "HEADER", "QUERYSTRING", "BODY", "URIPATH")


def _sql() -> Iterator[Rule]:
    places = ("QUERYARGUMENTS", "BODY", "COOKIE", "URIPATH")
    yield from _looks("sql-database", "SQLi", attacks.is_sql_injection, *places)


def _linux() -> Iterator[Rule]:
    places = ("URIPATH", "QUERYSTRING", "HEADER")
    yield from _looks("linux-os", "LFI", attacks.is_local_file, *places)


def _admin() -> Iterator[Rule]:
    yield from _looks(
        "admin-protection", "AdminProtection", lambda text: bool(_ADMIN.match(normalized(text))), "URIPATH"
    )


def _is_restricted(text: bytes) -> bool:
    return bool(_FILES.search(urldecoded(text)))


GROUPS: dict[str, tuple[Rule, ...]] = {
    "AWSManagedRulesCommonRuleSet": tuple(_core()),
    "AWSManagedRulesKnownBadInputsRuleSet": tuple(_known_bad_inputs()),
    "AWSManagedRulesSQLiRuleSet": tuple(_sql()),
    "AWSManagedRulesLinuxRuleSet": tuple(_linux()),
    "AWSManagedRulesAdminProtectionRuleSet": tuple(_admin()),
}
