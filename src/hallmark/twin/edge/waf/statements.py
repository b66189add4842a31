"""Whether a statement of a rule matches a request."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from hallmark.twin.edge.waf import attacks, fields
from hallmark.twin.edge.waf.rates import Rates
from hallmark.twin.edge.waf.request import Inspected
from hallmark.twin.edge.waf.transformations import transformed

Statement = Mapping[str, Any]
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "EQ": lambda size, limit: size == limit,
    "NE": lambda size, limit: size != limit,
    "LE": lambda size, limit: size <= limit,
    "LT": lambda size, limit: size < limit,
    "GE": lambda size, limit: size >= limit,
    "GT": lambda size, limit: size > limit,
}
POSITIONS: dict[str, Callable[[bytes, bytes], bool]] = {
    "EXACTLY": lambda text, wanted: text == wanted,
    "STARTS_WITH": bytes.startswith,
    "ENDS_WITH": bytes.endswith,
    "CONTAINS": lambda text, wanted: wanted in text,
    "CONTAINS_WORD": lambda text, wanted: bool(re.search(rb"(?<!\w)" + re.escape(wanted) + rb"(?!\w)", text)),
}


@dataclass
class Evaluation:
    """One request on its way through the rules.

    Attributes:
        request: The request.
        rates: Counts of rate-based rules.
        references: What rules refer to, by ARN.
        labels: Labels so far.
    """

    request: Inspected
    rates: Rates
    references: Mapping[str, Any] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)

    def matches(self, statement: Statement) -> bool:
        """Whether a statement matches; one that is not known never does."""
        kind, settings = next(((key, value) for key, value in statement.items() if value is not None), ("", {}))
        return _KINDS.get(kind, _never)(self, settings)

    def any_part(self, settings: Statement, test: Callable[[bytes], bool]) -> bool:
        """Whether a part of the request passes, after its transformations."""
        found = fields.parts(settings["FieldToMatch"], self.request)
        if isinstance(found, bool):
            return found
        return any(test(transformed(part, settings.get("TextTransformations") or ())) for part in found)

    def address(self, forwarded: Mapping[str, Any] | None) -> tuple[str, bool]:
        """The address to look at, and whether to take the request for a match if there is none."""
        if not forwarded:
            return self.request.source, False
        listed = [each.strip() for each in (self.request.header(forwarded["HeaderName"]) or "").split(",")]
        chosen = listed[-1] if forwarded.get("Position") == "LAST" else listed[0]
        try:
            return str(ip_address(chosen)), False
        except ValueError:
            return "", forwarded["FallbackBehavior"] == "MATCH"


def _never(_evaluation: Evaluation, _settings: Statement) -> bool:
    return False


def _byte_match(evaluation: Evaluation, settings: Statement) -> bool:
    wanted: bytes = settings["SearchString"]
    position = POSITIONS[settings["PositionalConstraint"]]
    return evaluation.any_part(settings, lambda text: position(text, wanted))


def _size(evaluation: Evaluation, settings: Statement) -> bool:
    compare, limit = COMPARE[settings["ComparisonOperator"]], int(settings["Size"])
    return evaluation.any_part(settings, lambda text: compare(len(text), limit))


def _regex(evaluation: Evaluation, settings: Statement) -> bool:
    return evaluation.any_part(settings, lambda text: searched(settings["RegexString"], text))


def _regex_set(evaluation: Evaluation, settings: Statement) -> bool:
    found = evaluation.references.get(settings["ARN"], {}).get("RegularExpressionList", ())
    return evaluation.any_part(settings, lambda text: any(searched(one["RegexString"], text) for one in found))


def _ip_set(evaluation: Evaluation, settings: Statement) -> bool:
    address, fallback = evaluation.address(settings.get("IPSetForwardedIPConfig"))
    known = evaluation.references.get(settings["ARN"], {}).get("Addresses", ())
    return fallback or bool(address and _within(address, known))


def _within(address: str, networks: Iterable[str]) -> bool:
    return any(ip_address(address) in ip_network(each, strict=False) for each in networks)


def _label(evaluation: Evaluation, settings: Statement) -> bool:
    key = settings["Key"]
    if settings["Scope"] == "NAMESPACE":
        return any(each.startswith(key) or f":{key}" in each for each in evaluation.labels)
    return any(each == key or each.endswith(f":{key}") for each in evaluation.labels)


def _rate(evaluation: Evaluation, settings: Statement) -> bool:
    within = settings.get("ScopeDownStatement")
    if within and not evaluation.matches(within):
        return False
    kind = settings.get("AggregateKeyType", "IP")
    address, fallback = evaluation.address(settings.get("ForwardedIPConfig") if kind == "FORWARDED_IP" else None)
    if kind == "FORWARDED_IP" and not address:
        return fallback
    key = (address,) if kind in {"IP", "FORWARDED_IP"} else _custom(evaluation, settings.get("CustomKeys") or ())
    window = int(settings.get("EvaluationWindowSec") or 300)
    return key is not None and evaluation.rates.add(repr(settings), key, window) > int(settings["Limit"])


def _custom(evaluation: Evaluation, keys: Iterable[Statement]) -> tuple[str, ...] | None:
    """Values of custom keys; None if the request lacks one: then it is not counted."""
    found = [_value(evaluation, kind, settings or {}) for key in keys for kind, settings in key.items()]
    return None if any(value is None for value in found) else tuple(str(value) for value in found)


def _value(evaluation: Evaluation, kind: str, settings: Statement) -> str | None:
    request = evaluation.request
    if kind == "LabelNamespace":
        return next((each for each in evaluation.labels if each.startswith(settings["Namespace"])), None)
    if kind in {"IP", "ForwardedIP"}:
        forwarded = {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH"}
        return evaluation.address(forwarded if kind == "ForwardedIP" else None)[0] or None
    if kind == "Cookie":
        return dict(request.cookies).get(settings["Name"])
    names = {"Header": "SingleHeader", "QueryArgument": "SingleQueryArgument", "HTTPMethod": "Method"}
    found = fields.parts({names.get(kind, kind): settings}, request)
    text = found[0] if isinstance(found, list) and found else None
    return None if text is None else repr(transformed(text, settings.get("TextTransformations") or ()))


@lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[bytes] | None:
    try:
        return re.compile(pattern.encode())
    except re.error:
        return None


def searched(pattern: str, text: bytes) -> bool:
    """Whether a regular expression occurs; one that Python does not understand never does."""
    compiled = _compiled(pattern)
    return bool(compiled and compiled.search(text))


_KINDS: dict[str, Callable[[Evaluation, Statement], bool]] = {
    "ByteMatchStatement": _byte_match,
    "SizeConstraintStatement": _size,
    "RegexMatchStatement": _regex,
    "RegexPatternSetReferenceStatement": _regex_set,
    "IPSetReferenceStatement": _ip_set,
    "LabelMatchStatement": _label,
    "RateBasedStatement": _rate,
    "SqliMatchStatement": lambda evaluation, settings: evaluation.any_part(settings, attacks.is_sql_injection),
    "XssMatchStatement": lambda evaluation, settings: evaluation.any_part(settings, attacks.is_cross_site_scripting),
    "AndStatement": lambda evaluation, settings: all(map(evaluation.matches, settings["Statements"])),
    "OrStatement": lambda evaluation, settings: any(map(evaluation.matches, settings["Statements"])),
    "NotStatement": lambda evaluation, settings: not evaluation.matches(settings["Statement"]),
}
