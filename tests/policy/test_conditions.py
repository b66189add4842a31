"""Condition operators, one documented rule a line."""

# ruff: noqa: E501  (a table has one case a line)

from collections.abc import Sequence
from operator import itemgetter

import pytest

from hallmark.errors import Unobservable
from hallmark.policy import Condition, Request, Unknown
from hallmark.policy.conditions import holds

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
OPERATORS = GUIDE + "reference_policies_elements_condition_operators.html"
SETS = GUIDE + "reference_policies_condition-single-vs-multi-valued-context-keys.html"
LOGIC = GUIDE + "reference_policies_condition-logic-multiple-context-keys-or-values.html"
VARIABLES = GUIDE + "reference_policies_variables.html"
TOPICS = "arn:aws:sns:us-west-2:123456789012:"

Value = str | Sequence[str]

# Page, claim, operator, the policy's value(s), the request's value(s) (none: the key is absent), what holds.
# fmt: off
CASES: list[tuple[str, str, str, Value, Value, bool | None]] = [
    (OPERATORS, "StringEquals is exact", "StringEquals", "admin", "admin", True),
    (OPERATORS, "StringEquals refuses another value", "StringEquals", "admin", "dev-ops", False),
    (OPERATORS, "StringEquals is case-sensitive", "StringEquals", "admin", "Admin", False),
    (OPERATORS, "StringEquals knows no wildcard", "StringEquals", "adm*", "admin", False),
    (OPERATORS, "StringEquals takes a star for a star", "StringEquals", "adm*", "adm*", True),
    (OPERATORS, "StringEquals fails without the key", "StringEquals", "admin", (), False),
    (OPERATORS, "StringNotEquals is the opposite", "StringNotEquals", "admin", "dev", True),
    (OPERATORS, "StringNotEquals refuses the value", "StringNotEquals", "admin", "admin", False),
    (OPERATORS, "StringNotEquals holds without the key", "StringNotEquals", "admin", (), True),
    (OPERATORS, "ignoring case", "StringEqualsIgnoreCase", "preprod", "PreProd", True),
    (OPERATORS, "ignoring case is still exact", "StringEqualsIgnoreCase", "preprod", "prod", False),
    (OPERATORS, "not equal ignoring case", "StringNotEqualsIgnoreCase", "preprod", "PreProd", False),
    (OPERATORS, "StringLike with a star", "StringLike", "home/*", "home/ann/x", True),
    (OPERATORS, "StringLike with a question mark", "StringLike", "home/?", "home/ab", False),
    (OPERATORS, "StringLike without wildcards is no prefix", "StringLike", "home", "home/ann", False),
    (OPERATORS, "StringLike is case-sensitive", "StringLike", "Home/*", "home/ann", False),
    (OPERATORS, "StringLike can ask for the empty text", "StringLike", ["", "home/"], "", True),
    (OPERATORS, "StringLike star fails without the key", "StringLike", "*", (), False),
    (OPERATORS, "StringNotLike", "StringNotLike", "home/*", "work/x", True),
    (OPERATORS, "StringNotLike holds without the key", "StringNotLike", "home/*", (), True),
    (LOGIC, "several values are an or", "StringEquals", ["a", "b"], "b", True),
    (LOGIC, "several values of a negated operator are a nor", "StringNotEquals", ["a", "b"], "b", False),
    (LOGIC, "a nor holds when none matches", "StringNotEquals", ["a", "b"], "c", True),
    (OPERATORS, "NumericEquals compares numbers", "NumericEquals", "10", "10.0", True),
    (OPERATORS, "NumericNotEquals", "NumericNotEquals", "10", "11", True),
    (OPERATORS, "NumericNotEquals holds without the key", "NumericNotEquals", "10", (), True),
    (OPERATORS, "NumericLessThan looks at the request's value", "NumericLessThan", "10", "9", True),
    (OPERATORS, "NumericLessThan leaves the limit out", "NumericLessThan", "10", "10", False),
    (OPERATORS, "NumericLessThan is about numbers, not text", "NumericLessThan", "10", "9.5", True),
    (OPERATORS, "NumericLessThanEquals takes the limit in", "NumericLessThanEquals", "10", "10", True),
    (OPERATORS, "NumericLessThanEquals fails without the key", "NumericLessThanEquals", "10", (), False),
    (OPERATORS, "NumericGreaterThan", "NumericGreaterThan", "10", "100", True),
    (OPERATORS, "NumericGreaterThan leaves the limit out", "NumericGreaterThan", "10", "10", False),
    (OPERATORS, "NumericGreaterThanEquals", "NumericGreaterThanEquals", "10", "10", True),
    (OPERATORS, "DateEquals across time zones", "DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", True),
    (OPERATORS, "DateNotEquals", "DateNotEquals", "2026-01-01", "2026-01-02", True),
    (OPERATORS, "DateGreaterThan", "DateGreaterThan", "2020-01-01T00:00:01Z", "2026-01-01T00:00:00Z", True),
    (OPERATORS, "DateGreaterThan before the date", "DateGreaterThan", "2020-01-01T00:00:01Z", "2019-12-31T00:00:00Z", False),
    (OPERATORS, "DateGreaterThan without the key", "DateGreaterThan", "2020-01-01T00:00:01Z", (), False),
    (OPERATORS, "DateLessThan in epoch seconds", "DateLessThan", "1767225600", "2025-12-31T23:59:59Z", True),
    (OPERATORS, "DateLessThan leaves the moment out", "DateLessThan", "1767225600", "2026-01-01T00:00:00Z", False),
    (OPERATORS, "DateLessThanEquals", "DateLessThanEquals", "1767225600", "2026-01-01T00:00:00Z", True),
    (OPERATORS, "DateGreaterThanEquals with a year alone", "DateGreaterThanEquals", "2026", "2026-01-01T00:00:00Z", True),
    (OPERATORS, "DateGreaterThanEquals with a month alone", "DateGreaterThanEquals", "2026-02", "2026-01-31", False),
    (OPERATORS, "Bool false matches false", "Bool", "false", "false", True),
    (OPERATORS, "Bool false does not match true", "Bool", "false", "true", False),
    (OPERATORS, "Bool in another case", "Bool", "True", "true", True),
    (OPERATORS, "Bool fails without the key", "Bool", "false", (), False),
    (OPERATORS, "BoolIfExists holds without the key", "BoolIfExists", "false", (), True),
    (OPERATORS, "BinaryEquals compares base64", "BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    (OPERATORS, "BinaryEquals refuses other bytes", "BinaryEquals", "QmluYXJ5", "QmluYXJ6", False),
    (OPERATORS, "BinaryEquals fails without the key", "BinaryEquals", "QmluYXJ5", (), False),
    (OPERATORS, "IpAddress in the range", "IpAddress", "203.0.113.0/24", "203.0.113.1", True),
    (OPERATORS, "IpAddress with a range written from its middle", "IpAddress", "203.0.113.7/24", "203.0.113.1", True),
    (OPERATORS, "IpAddress outside the range", "IpAddress", "203.0.113.0/24", "198.51.100.1", False),
    (OPERATORS, "IpAddress without a prefix is one address", "IpAddress", "203.0.113.7", "203.0.113.8", False),
    (OPERATORS, "IpAddress with mixed families", "IpAddress", ["203.0.113.0/24", "2001:DB8::/64"], "2001:db8::5", True),
    (OPERATORS, "IpAddress of the other family is outside", "IpAddress", "0.0.0.0/0", "2001:db8::5", False),
    (OPERATORS, "IpAddress fails through a VPC endpoint", "IpAddress", "203.0.113.0/24", (), False),
    (OPERATORS, "NotIpAddress", "NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
    (OPERATORS, "NotIpAddress inside the range", "NotIpAddress", "203.0.113.0/24", "203.0.113.1", False),
    (OPERATORS, "NotIpAddress holds without the key", "NotIpAddress", "203.0.113.0/24", (), True),
    (OPERATORS, "a service's name is no address: open", "IpAddress", "0.0.0.0/0", "cloudformation.amazonaws.com", None),
    (OPERATORS, "ArnEquals", "ArnEquals", TOPICS + "topic", TOPICS + "topic", True),
    (OPERATORS, "ArnEquals of another account", "ArnEquals", "arn:aws:sns:us-west-2:777788889999:topic", TOPICS + "topic", False),
    (OPERATORS, "ArnEquals takes wildcards like ArnLike", "ArnEquals", TOPICS + "to*", TOPICS + "topic", True),
    (OPERATORS, "ArnLike in each part", "ArnLike", "arn:aws:sns:*:123456789012:*", TOPICS + "topic", True),
    (OPERATORS, "ArnLike checks part by part", "ArnLike", "arn:aws:*:topic:x:y", TOPICS + "topic", False),
    (OPERATORS, "ArnLike's star does not cross a colon", "ArnLike", "arn:aws:s*2:1*:a:b", "arn:aws:sns:2:1:a:b", False),
    (OPERATORS, "ArnLike is case-sensitive", "ArnLike", TOPICS + "Topic", TOPICS + "topic", False),
    (OPERATORS, "ArnLike against something that is no ARN", "ArnLike", TOPICS + "*", "topic", False),
    (OPERATORS, "ArnLike with only stars still wants an ARN", "ArnLike", "*:*:*:*:*:*", "topic", False),
    (OPERATORS, "ArnLike with a pattern that is no ARN: open", "ArnLike", "*", TOPICS + "topic", None),
    (OPERATORS, "ArnEquals fails without the key", "ArnEquals", TOPICS + "topic", (), False),
    (OPERATORS, "ArnNotLike", "ArnNotLike", TOPICS + "x*", TOPICS + "topic", True),
    (OPERATORS, "ArnNotEquals holds without the key", "ArnNotEquals", TOPICS + "topic", (), True),
    (OPERATORS, "IfExists holds without the key", "StringLikeIfExists", ["t1.*", "t2.*"], (), True),
    (OPERATORS, "IfExists compares when the key is there", "StringLikeIfExists", ["t1.*", "t2.*"], "m2.micro", False),
    (OPERATORS, "IfExists matches when the key matches", "StringLikeIfExists", ["t1.*", "t2.*"], "t1.micro", True),
    (OPERATORS, "a negated IfExists holds without the key", "StringNotEqualsIfExists", "a", (), True),
    (OPERATORS, "Null true asks for absence", "Null", "true", (), True),
    (OPERATORS, "Null true fails on a value", "Null", "true", "x", False),
    (OPERATORS, "Null false asks for a value", "Null", "false", "x", True),
    (OPERATORS, "Null false fails without the key", "Null", "false", (), False),
    (OPERATORS, "Null of an empty value: open", "Null", "false", "", None),
    (SETS, "ForAllValues: every value has to match", "ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    (SETS, "ForAllValues: one other value breaks it", "ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    (SETS, "ForAllValues: fewer values are fine", "ForAllValues:StringLike", ["a*", "b"], ["abc"], True),
    (SETS, "ForAllValues holds without the key", "ForAllValues:StringEquals", "a", (), True),
    (SETS, "ForAllValues holds on an empty value", "ForAllValues:StringEquals", "a", "", True),
    (SETS, "ForAllValues negated: none may match", "ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
    (SETS, "ForAllValues negated: none matches", "ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
    (OPERATORS, "ForAllValues negated without the key: the page contradicts itself", "ForAllValues:StringNotLike", "a", (), None),
    (SETS, "ForAnyValue: one match is enough", "ForAnyValue:StringEquals", "environment", ["environment", "cost"], True),
    (SETS, "ForAnyValue: no match", "ForAnyValue:StringEquals", "environment", ["cost"], False),
    (SETS, "ForAnyValue is case-sensitive", "ForAnyValue:StringEquals", "environment", ["Environment"], False),
    (SETS, "ForAnyValue fails without the key", "ForAnyValue:StringEquals", "a", (), False),
    (SETS, "ForAnyValue fails on an empty value", "ForAnyValue:StringLike", "*", "", False),
    (SETS, "ForAnyValue negated: one other value is enough", "ForAnyValue:StringNotEquals", "a", ["a", "b"], True),
    (SETS, "ForAnyValue negated: only matches", "ForAnyValue:StringNotEquals", "a", ["a"], False),
    (SETS, "ForAnyValue negated fails without the key", "ForAnyValue:StringNotEquals", "a", (), False),
    (SETS, "ForAnyValue IfExists holds without the key", "ForAnyValue:StringEqualsIfExists", "a", (), True),
    (OPERATORS, "ForAllValues:Bool", "ForAllValues:Bool", "true", ["true", "false"], False),
    (OPERATORS, "ForAnyValue:ArnLike", "ForAnyValue:ArnLike", TOPICS + "to*", [TOPICS + "x", TOPICS + "topic"], True),
    (SETS, "several values without a set operator: open", "StringEquals", "a", ["a", "b"], None),
    (VARIABLES, "a variable is compared by its value", "StringEquals", "${aws:username}", "ann", True),
    (VARIABLES, "a variable inside a pattern", "StringLike", "home/${aws:username}/*", "home/ann/x", True),
    (VARIABLES, "a variable without a value equals nothing", "StringEquals", "${aws:PrincipalTag/team}", "red", False),
    (VARIABLES, "a variable without a value differs from all", "StringNotEquals", "${aws:PrincipalTag/team}", "red", True),
    (VARIABLES, "a variable in an ARN operator", "ArnLike", TOPICS + "${aws:username}", TOPICS + "ann", True),
    (VARIABLES, "no variables in other operators", "BinaryEquals", "${aws:username}", "ann", False),
    (VARIABLES, "a written star is only a star", "StringLike", "a${*}c", "abc", False),
    (VARIABLES, "a written star matches a star", "StringLike", "a${*}c", "a*c", True),
    (VARIABLES, "a written question mark equals one", "StringEquals", "a${?}", "a?", True),
]
# fmt: on


def asked(operator: str, wanted: Value, context: dict[str, Value], *, unknown: Unknown = Unknown.ABSENT) -> bool | None:
    """Evaluate one condition on the key ``k``."""
    values = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    request = Request("s3:GetObject", context={"aws:username": "ann", **context}, unknown=unknown)
    return holds(Condition.of(operator, "k", values), request, variables=True)


@pytest.mark.parametrize("case", CASES, ids=itemgetter(1))
def test_an_operator_does_as_documented(case: tuple[str, str, str, Value, Value, bool | None]) -> None:
    """The condition holds, fails or stays open as the page says."""
    page, claim, operator, wanted, seen, expected = case
    assert asked(operator, wanted, {"k": seen}) is expected, (claim, page)


@pytest.mark.parametrize("operator", sorted({case[2] for case in CASES}))
def test_a_key_nobody_knows_leaves_every_operator_open(operator: str) -> None:
    """Unknown is not absent: no operator may decide without the value."""
    wanted = next(case[3] for case in CASES if case[2] == operator)
    for unknown in (Unknown.GRANTS, Unknown.WITHHOLDS):
        assert asked(operator, wanted, {}, unknown=unknown) is None


def test_a_key_left_out_is_absent_by_default() -> None:
    """In a request that is known entirely a key left out is not there."""
    assert asked("StringEquals", "a", {}) is False


def test_keys_are_compared_in_any_case() -> None:
    """Condition keys are not case-sensitive."""
    condition = Condition.of("StringEquals", "aws:SourceVPCE", ("vpce-1",))
    assert holds(condition, Request("s3:GetObject", context={"AWS:sourcevpce": "vpce-1"}), variables=True) is True


def test_operators_are_read_in_any_case() -> None:
    """A document AWS has stored is not refused for the case of an operator."""
    assert asked("stringequals", "a", {"k": "a"}) is True
    assert asked("foranyvalue:STRINGLIKEIFEXISTS", "a*", {"k": "abc"}) is True


def test_an_old_policy_version_has_no_variables() -> None:
    """Before 2012-10-17 a variable is plain text."""
    request = Request("s3:GetObject", context={"k": "${aws:username}", "aws:username": "ann"})
    condition = Condition.of("StringEquals", "k", ("${aws:username}",))
    assert holds(condition, request, variables=False) is True
    assert holds(condition, request, variables=True) is False


def test_an_unknown_variable_leaves_a_condition_open_unless_another_value_decides() -> None:
    """One sure match is enough; without it nothing is sure."""
    wanted = ["${aws:PrincipalTag/team}", "red"]
    assert asked("StringEquals", wanted, {"k": "red"}, unknown=Unknown.GRANTS) is True
    assert asked("StringEquals", wanted, {"k": "blue"}, unknown=Unknown.GRANTS) is None
    assert asked("StringNotEquals", wanted, {"k": "red"}, unknown=Unknown.WITHHOLDS) is False


@pytest.mark.parametrize(
    "operator",
    ["StringMatches", "NullIfExists", "ForAnyValue:Null", "ForSomeValues:StringLike", "String Equals", ""],
)
def test_an_unknown_operator_is_malformed_and_never_satisfied(operator: str) -> None:
    """What AWS has not is an error, not a pass."""
    with pytest.raises(Unobservable) as raised:
        Condition.of(operator, "k", ("a",))
    assert raised.value.code == "malformed"


@pytest.mark.parametrize(
    ("operator", "wanted", "seen"),
    [
        ("NumericEquals", "ten", "10"),
        ("NumericLessThan", "NaN", "10"),
        ("DateLessThan", "tomorrow", "2026-01-01"),
        ("IpAddress", "203.0.113.0/99", "203.0.113.1"),
        ("Bool", "yes", "true"),
        ("Null", "maybe", "x"),
    ],
)
def test_a_value_that_does_not_fit_its_operator_is_malformed(operator: str, wanted: str, seen: str) -> None:
    """A policy that compares nonsense cannot be judged."""
    with pytest.raises(Unobservable) as raised:
        asked(operator, wanted, {"k": seen})
    assert raised.value.code == "malformed"


def test_a_request_value_of_another_type_leaves_it_open() -> None:
    """AWS does not say what a number operator makes of a word."""
    assert asked("NumericLessThan", "10", {"k": "many"}) is None
    assert asked("DateGreaterThan", "2026-01-01", {"k": "many"}) is None
