"""What a statement of an AWS WAF rule says of one request.

A statement may be *undecidable* here: whether a request comes from Germany or carries an attack is not known of a
sample. Then the answer is None, and callers choose the side on which an error does no harm. Regex pattern sets are
not read and undecidable too (AWS WAF developer guide, "Rule statements").
"""

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses, ip_network
from types import MappingProxyType
from typing import Any

from hallmark.views.openings import EVERYBODY

Truth = bool | None
"""True, False, or undecidable."""
Labels = Mapping[str, Truth]
"""Labels of a request: surely there, or (None) perhaps."""
NO_LABELS: Labels = MappingProxyType({})
_IP_SET = "IPSetReferenceStatement"
_OF_THE_ADDRESS = "awswaf:clientip:"
"""Where WAF itself puts what it knows of a client's address: no sample says it."""
ADDRESSES = "Addresses"
"""Where in an IP set reference statement the addresses of the set are written, see :func:`with_addresses`."""
BODY_LIMIT = 8192
"""Bytes of a body that WAF looks at behind an Application Load Balancer (developer guide, "Body inspection")."""
_NORMALIZING = frozenset({"NORMALIZE_PATH", "NORMALIZE_PATH_WIN"})
_HARMLESS_CHANGES = frozenset({
    "NONE", "LOWERCASE", "URL_DECODE", "URL_DECODE_UNI", *_NORMALIZING, "REMOVE_NULLS",
    "REPLACE_NULLS", "COMPRESS_WHITE_SPACE", "HTML_ENTITY_DECODE", "UTF8_TO_UNICODE", "REPLACE_COMMENTS",
})  # fmt: skip
"""Text transformations that leave a plain lower-case path as it is."""
_REPEATED_GROUP = re.compile(r"\)[+*{]")
_REPETITION = re.compile(r"[?+*{]")
_REPETITIONS = 4
"""Repetitions in a pattern above which matching it may take for ever, and one of a group may anyway."""


@dataclass(frozen=True)
class Sample:
    """A request of an ordinary client: on no list of addresses, with nothing wrong but what is said here.

    Attributes:
        method: HTTP method.
        path: Path of the URL.
        host: Host header.
        body_bytes: Size of the body.
        provokes: Managed body rules its body sets off.
    """

    method: str
    path: str
    host: str
    body_bytes: int = 0
    provokes: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def matches(statement: Mapping[str, Any], sample: Sample, labels: Labels = NO_LABELS) -> Truth:
    """Whether *sample*, labelled with *labels*, matches *statement*; None when that is undecidable here."""
    ((kind, body),) = statement.items()
    return _TESTS[kind](body, sample, labels) if kind in _TESTS else None


def ip_sets(value: Any) -> set[str]:
    """ARNs of the IP sets that rules refer to, however deep."""
    if isinstance(value, list):
        return set().union(*map(ip_sets, value))
    if not isinstance(value, Mapping):
        return set()
    own = {value[_IP_SET]["ARN"]} if _IP_SET in value else set()
    return own.union(*map(ip_sets, value.values()))


def with_addresses(value: Any, sets: Mapping[str, Sequence[str]]) -> Any:
    """Return rules with the addresses of IP sets in the place of their ARNs."""
    if isinstance(value, list):
        return [with_addresses(one, sets) for one in value]
    if not isinstance(value, Mapping):
        return value
    written = {name: with_addresses(one, sets) for name, one in value.items()}
    return written | ({_IP_SET: {ADDRESSES: sets[value[_IP_SET]["ARN"]]}} if _IP_SET in value else {})


def _and(body: Mapping[str, Any], sample: Sample, labels: Labels) -> Truth:
    return _all(matches(one, sample, labels) for one in body["Statements"])


def _or(body: Mapping[str, Any], sample: Sample, labels: Labels) -> Truth:
    return _any(matches(one, sample, labels) for one in body["Statements"])


def _not(body: Mapping[str, Any], sample: Sample, labels: Labels) -> Truth:
    return _negated(matches(body["Statement"], sample, labels))


def _byte_match(body: Mapping[str, Any], sample: Sample, _: Labels) -> Truth:
    return _on_text(body, sample, lambda text: _text_fits(body, text))


def _regex_match(body: Mapping[str, Any], sample: Sample, _: Labels) -> Truth:
    return _on_text(body, sample, lambda text: _regex_matches(body["RegexString"], text))


def _label_match(body: Mapping[str, Any], _: Sample, labels: Labels) -> Truth:
    if body["Key"].startswith(_OF_THE_ADDRESS):
        return None
    return _any(truth for label, truth in labels.items() if _label_matches(body, label))


def _ip_set(body: Mapping[str, Any], _: Sample, __: Labels) -> Truth:
    """Whether an ordinary client is on a list: on none, unless it is a list of everybody, or of half the internet."""
    networks = [ip_network(text) for text in body.get(ADDRESSES, [])]
    ranges = list(collapse_addresses(one for one in networks if isinstance(one, IPv4Network)))
    if any(one.prefixlen == 0 for one in ranges):
        return True
    return None if any(one.prefixlen < EVERYBODY for one in networks) else False


def _on_text(body: Mapping[str, Any], sample: Sample, test: Callable[[str], Truth]) -> Truth:
    text = _text(body["FieldToMatch"], sample)
    changes = {change["Type"] for change in body["TextTransformations"]}
    if text is None or not changes <= _HARMLESS_CHANGES:
        return None
    text = _normalized(text) if changes & _NORMALIZING else text
    return test(text.lower() if "LOWERCASE" in changes else text)


def _normalized(text: str) -> str:
    """A path without the dots that mean the folder above."""
    return posixpath.normpath(text) if "/../" in text else text


def _text(where: Mapping[str, Any], sample: Sample) -> str | None:
    match where:
        case {"UriPath": _}:
            return sample.path
        case {"Method": _}:
            return sample.method
        case {"QueryString": _}:
            return ""
        case {"SingleHeader": {"Name": name}} if name.lower() == "host":
            return sample.host
        case _:
            return None


def _text_fits(body: Mapping[str, Any], text: str) -> Truth:
    wanted = body["SearchString"]
    match body["PositionalConstraint"]:
        case "EXACTLY":
            return bool(text == wanted)
        case "STARTS_WITH":
            return text.startswith(wanted)
        case "ENDS_WITH":
            return text.endswith(wanted)
        case "CONTAINS":
            return wanted in text
        case "CONTAINS_WORD":
            return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) is not None
        case _:
            return None


def _regex_matches(pattern: str, text: str) -> Truth:
    if _REPEATED_GROUP.search(pattern) or len(_REPETITION.findall(pattern)) > _REPETITIONS:
        return None
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return None  # WAF speaks PCRE, Python a dialect of it


def _size(body: Mapping[str, Any], sample: Sample, _: Labels) -> Truth:
    where = body["FieldToMatch"]
    if "Body" not in where:
        text = _text(where, sample)
        return None if text is None else _compares(body["ComparisonOperator"], len(text), body["Size"])
    handling = where["Body"].get("OversizeHandling", "CONTINUE")
    if sample.body_bytes > BODY_LIMIT and handling != "CONTINUE":
        return bool(handling == "MATCH")
    return _compares(body["ComparisonOperator"], min(sample.body_bytes, BODY_LIMIT), body["Size"])


def _compares(operator: str, size: int, limit: int) -> Truth:
    results = {"EQ": size == limit, "NE": size != limit, "LE": size <= limit, "LT": size < limit}
    results |= {"GE": size >= limit, "GT": size > limit}
    return results.get(operator)


def _label_matches(body: Mapping[str, Any], label: str) -> bool:
    """A key is compared with the end of a label, a namespace with any run of its parts."""
    if body["Scope"] == "NAMESPACE":
        return f":{body['Key']}" in f":{label}"
    return f":{label}".endswith(f":{body['Key']}")


def _all(truths: Iterable[Truth]) -> Truth:
    seen = set(truths)
    return False if False in seen else None if None in seen else True


def _any(truths: Iterable[Truth]) -> Truth:
    return _negated(_all(_negated(truth) for truth in truths))


def _negated(truth: Truth) -> Truth:
    return None if truth is None else not truth


_TESTS: Mapping[str, Callable[[Mapping[str, Any], Sample, Labels], Truth]] = {
    "AndStatement": _and,
    "OrStatement": _or,
    "NotStatement": _not,
    "ByteMatchStatement": _byte_match,
    "RegexMatchStatement": _regex_match,
    "SizeConstraintStatement": _size,
    "LabelMatchStatement": _label_match,
    _IP_SET: _ip_set,
}
"""Statements that can be decided of a sample; all others are undecidable."""
