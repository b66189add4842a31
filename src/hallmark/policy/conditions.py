"""Condition operators of the IAM policy language.

Sources: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Single-valued vs. multivalued
context keys". Where the two are silent or contradict each other the result is None: could be either.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address, ip_network
from typing import Any

from hallmark.errors import Unobservable
from hallmark.policy.matching import Truth, every, like, negate, plain, resolve, some
from hallmark.policy.request import Request

# Takes the policy's value, then the request's.
_Comparison = Callable[[str, str], Truth]
# Gives the text of a policy's value, or what an unresolved variable makes of it.
_Reader = Callable[[str], str | bool | None]

_OPERATOR = re.compile(r"(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?", re.IGNORECASE)
_ARN_PARTS = 6


@dataclass(frozen=True)
class Condition:
    """One key under one operator of a Condition element.

    Attributes:
        operator: As written, for example ``ForAnyValue:StringLike``.
        key: Condition key, for example ``aws:SourceVpce``.
        values: The policy's values; one of them has to match (none, for a negated operator).
        qualifier: ``forallvalues``, ``foranyvalue`` or empty.
        base: The operator without qualifier and suffix, in lower case.
        if_exists: An absent key satisfies it.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    qualifier: str
    base: str
    if_exists: bool

    @classmethod
    def of(cls, operator: str, key: str, values: tuple[str, ...]) -> "Condition":
        """Read one condition.

        Raises:
            Unobservable: ``malformed`` when AWS has no such operator. It is never taken for satisfied.
        """
        found = _OPERATOR.fullmatch(operator)
        qualifier, base, suffix = (part.lower() for part in found.groups("")) if found else ("", "", "")
        if base not in _COMPARISONS and (base != "null" or qualifier or suffix):
            raise Unobservable("malformed", f"a policy uses the condition operator {operator!r}, which AWS has not")
        return cls(operator, key, values, qualifier, base, bool(suffix))


def holds(condition: Condition, request: Request, *, variables: bool) -> Truth:
    """Tell whether a condition is satisfied.

    Args:
        condition: The condition.
        request: Whose context is looked at.
        variables: Whether the policy's version knows policy variables.

    Raises:
        Unobservable: ``malformed`` when a value of the policy does not fit the operator.
    """
    seen = request.values(condition.key)
    if condition.base == "null":
        return _is_null(condition, seen)
    if seen is None:
        return None
    if not seen or (condition.qualifier and not any(seen)):
        return _absent(condition)
    read = _reader(condition, request, variables=variables)
    each = [_value_holds(condition, value, read) for value in seen]
    if condition.qualifier == "forallvalues":
        return every(each)
    if condition.qualifier == "foranyvalue":
        return some(each)
    # Several values without a set operator: AWS asks for one and does not say what happens otherwise.
    return each[0] if len(each) == 1 else None


def _absent(condition: Condition) -> Truth:
    _, negated = _COMPARISONS[condition.base]
    if condition.if_exists:
        return True
    if condition.qualifier == "foranyvalue":
        return False
    if condition.qualifier == "forallvalues":
        # The text says true; the table for ForAllValues:StringNotLike on the same page says no match.
        return None if negated else True
    return negated


def _is_null(condition: Condition, seen: tuple[str, ...] | None) -> Truth:
    wanted = {_from_policy(_boolean, value) for value in condition.values}
    if seen is None or (seen and not any(seen)):
        return None
    return (not seen) in wanted


def _reader(condition: Condition, request: Request, *, variables: bool) -> _Reader:
    """Policy variables work in String and Arn operators only; elsewhere the text is the value."""
    if variables and condition.base.startswith(("string", "arn")):
        return lambda text: resolve(text, request.values)
    return lambda text: text


def _value_holds(condition: Condition, value: str, read: _Reader) -> Truth:
    compare, negated = _COMPARISONS[condition.base]
    wanted = [read(text) for text in condition.values]
    truth = some(compare(text, value) if isinstance(text, str) else text for text in wanted)
    return negate(truth) if negated else truth


def _equals(wanted: str, seen: str) -> Truth:
    return plain(wanted) == seen


def _equals_ignoring_case(wanted: str, seen: str) -> Truth:
    return plain(wanted).lower() == seen.lower()


def _arn_like(wanted: str, seen: str) -> Truth:
    patterns, parts = wanted.split(":", _ARN_PARTS - 1), seen.split(":", _ARN_PARTS - 1)
    if len(patterns) < _ARN_PARTS:
        return None  # not an ARN: AWS does not say what it matches
    return len(parts) == _ARN_PARTS and all(map(like, patterns, parts))


def _from_policy(convert: Callable[[str], Any], text: str) -> Any:
    try:
        return convert(text)
    except ValueError as error:
        raise Unobservable("malformed", f"a policy compares with {text!r}, which its operator cannot") from error


def _typed(convert: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> _Comparison:
    """Make a comparison of converted values; ``compare`` takes the request's value first."""

    def comparison(wanted: str, seen: str) -> Truth:
        limit = _from_policy(convert, wanted)
        try:
            return compare(convert(seen), limit)
        except ValueError:
            return None  # the request's value has another type: AWS does not say

    return comparison


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not number.is_finite():
        raise ValueError(text)
    return number


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d{5,11}", text):
        return datetime.fromtimestamp(int(text), UTC)
    # W3C also knows a year and a month alone.
    complete = text + "-01-01"[len(text) - 4 :] if len(text) in (4, 7) else text
    moment = datetime.fromisoformat(complete)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _in_network(wanted: str, seen: str) -> Truth:
    network = _from_policy(lambda text: ip_network(text, strict=False), wanted)
    try:
        return ip_address(seen) in network
    except ValueError:
        return None  # a service calling on somebody's behalf has a name here, not an address


def _ordered(family: str, convert: Callable[[str], Any]) -> dict[str, tuple[_Comparison, bool]]:
    return {
        f"{family}equals": (_typed(convert, operator.eq), False),
        f"{family}notequals": (_typed(convert, operator.eq), True),
        f"{family}lessthan": (_typed(convert, operator.lt), False),
        f"{family}lessthanequals": (_typed(convert, operator.le), False),
        f"{family}greaterthan": (_typed(convert, operator.gt), False),
        f"{family}greaterthanequals": (_typed(convert, operator.ge), False),
    }


# Operator to comparison, and whether the operator negates it.
_COMPARISONS: dict[str, tuple[_Comparison, bool]] = {
    "stringequals": (_equals, False),
    "stringnotequals": (_equals, True),
    "stringequalsignorecase": (_equals_ignoring_case, False),
    "stringnotequalsignorecase": (_equals_ignoring_case, True),
    "stringlike": (like, False),
    "stringnotlike": (like, True),
    "arnequals": (_arn_like, False),
    "arnlike": (_arn_like, False),
    "arnnotequals": (_arn_like, True),
    "arnnotlike": (_arn_like, True),
    "bool": (_typed(_boolean, operator.eq), False),
    "binaryequals": (operator.eq, False),
    "ipaddress": (_in_network, False),
    "notipaddress": (_in_network, True),
    **_ordered("numeric", _number),
    **_ordered("date", _moment),
}
