"""Patterns, variables and three-valued logic."""

# ruff: noqa: E501  (a table has one case a line)

from itertools import product
from operator import itemgetter

import pytest

from hallmark.policy.matching import every, like, matches, negate, overlaps, plain, resolve, some, widen

RESOURCE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"
ACTION = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html"
VARIABLES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"

PATTERNS = ["".join(letters) for size in range(4) for letters in product("ab*?", repeat=size)]
TEXTS = ["".join(letters) for size in range(7) for letters in product("ab", repeat=size)]
MATCHED = {pattern: {text for text in TEXTS if like(pattern, text)} for pattern in PATTERNS}

# fmt: off
LIKE = [
    (ACTION, "a pattern without wildcards is the text itself", "s3:GetObject", "s3:GetObject", True),
    (ACTION, "a star stands for nothing too", "s3:GetObject*", "s3:GetObject", True),
    (ACTION, "a star stands for any text", "iam:*AccessKey*", "iam:CreateAccessKey", True),
    (ACTION, "a question mark is one character", "s3:Get?", "s3:Get", False),
    (RESOURCE, "a star crosses slashes", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/2/test/3/o.jpg", True),
    (RESOURCE, "a star may be empty between slashes", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b//test/o.jpg", True),
    (RESOURCE, "a slash has to be there", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/test/o.jpg", False),
    (RESOURCE, "a longer folder name is another", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1-test/o.jpg", False),
    (RESOURCE, "names are case-sensitive", "arn:aws:iam::111122223333:user/Bob", "arn:aws:iam::111122223333:user/bob", False),
    (RESOURCE, "a bucket is not its objects", "arn:aws:s3:::b/*", "arn:aws:s3:::b", False),
    (RESOURCE, "square brackets are plain characters", "arn:aws:s3:::b/[ab]", "arn:aws:s3:::b/a", False),
    (RESOURCE, "square brackets match themselves", "arn:aws:s3:::b/[ab]*", "arn:aws:s3:::b/[ab]c", True),
    (RESOURCE, "a closing star crosses colons", "arn:aws:logs:*", "arn:aws:logs:us-east-1:111122223333:log-group:x", True),
]
# fmt: on

# fmt: off
QUESTIONS = [
    (ACTION, "every Get action is an S3 action", "s3:*", "s3:Get*", True),
    (ACTION, "one Get action is not every Get action", "s3:GetObject", "s3:Get*", None),
    (ACTION, "Put is never Get", "s3:Put*", "s3:Get*", False),
    (ACTION, "the same pattern covers itself", "s3:Get?bject", "s3:Get?bject", True),
    (ACTION, "the same pattern covers itself with both wildcards", "s3:?et*", "s3:?et*", True),
    (ACTION, "a star with one character covers one character", "s3:*?", "s3:Get?", True),
    (ACTION, "one character does not cover any number", "s3:Get?", "s3:Get*", None),
    (RESOURCE, "a prefix of the bucket is part of the bucket", "arn:aws:s3:::b/*", "arn:aws:s3:::b/ttl_s/*", True),
    (RESOURCE, "the bucket is more than a prefix", "arn:aws:s3:::b/ttl_s/*", "arn:aws:s3:::b/*", None),
    (RESOURCE, "another bucket is outside", "arn:aws:s3:::b/*", "arn:aws:s3:::c/*", False),
    (RESOURCE, "an unknown resource may be the named one", "arn:aws:s3:::b", "*", None),
]
# fmt: on

VALUES = {"aws:username": ("ann",), "team": ("a*c",), "empty": ("",), "many": ("a", "b"), "absent": ()}

# fmt: off
RESOLVED = [
    (VARIABLES, "text without variables stays", "home/x", "home/x"),
    (VARIABLES, "a variable becomes its value", "home/${aws:username}/", "home/ann/"),
    (VARIABLES, "two variables become two values", "${aws:username}-${aws:username}", "ann-ann"),
    (VARIABLES, "a variable without a value matches nothing", "home/${absent}/*", False),
    (VARIABLES, "an empty value is no value", "home/${empty}/*", False),
    (VARIABLES, "a default stands in for no value", "b-${absent, 'company-wide'}", "b-company-wide"),
    (VARIABLES, "a default steps back for a value", "b-${aws:username, 'company-wide'}", "b-ann"),
    (VARIABLES, "an unknown key leaves it open", "home/${unknown}", None),
    (VARIABLES, "an unknown key leaves it open despite a default", "home/${unknown, 'x'}", None),
    (VARIABLES, "a key of several values has no rule", "home/${many}", None),
    (VARIABLES, "a dollar sign can be written", "${$}x", "$x"),
    (VARIABLES, "a brace that never closes is text", "${aws:username", "${aws:username"),
]
# fmt: on


@pytest.mark.parametrize("case", LIKE, ids=itemgetter(1))
def test_a_pattern_matches_a_text(case: tuple[str, str, str, str, bool]) -> None:
    """A pattern matches one text as the page says."""
    page, claim, pattern, text, expected = case
    assert like(pattern, text) is expected, (claim, page)


@pytest.mark.parametrize("case", QUESTIONS, ids=itemgetter(1))
def test_a_pattern_answers_a_question_with_wildcards(case: tuple[str, str, str, str, bool | None]) -> None:
    """All, some or none of the texts a question may mean are told apart."""
    page, claim, pattern, question, expected = case
    assert matches(pattern, question) is expected, (claim, page)


@pytest.mark.parametrize("case", RESOLVED, ids=itemgetter(1))
def test_a_variable_is_replaced(case: tuple[str, str, str, str | bool | None]) -> None:
    """Policy variables become values, nothing or an open question."""
    page, claim, text, expected = case
    assert resolve(text, VALUES.get) == expected, (claim, page)


def test_a_star_in_a_value_or_escape_is_a_star() -> None:
    """What a tag holds, or what is written as ${*}, never becomes a wildcard."""
    for text in ("${team}", "a${*}c", "${absent, 'a*c'}"):
        resolved = resolve(text, VALUES.get)
        assert isinstance(resolved, str)
        assert plain(resolved) == "a*c"
        assert like(resolved, "a*c")
        assert not like(resolved, "abc")


def test_a_widened_text_covers_what_a_variable_may_hold() -> None:
    """For the broadest reading a variable is a star."""
    assert widen("arn:aws:s3:::${aws:PrincipalTag/team}/x") == "arn:aws:s3:::*/x"


def test_overlap_is_right_for_all_small_patterns() -> None:
    """Two patterns overlap exactly when some text matches both."""
    for one, other in product(PATTERNS, repeat=2):
        assert overlaps(one, other) == bool(MATCHED[one] & MATCHED[other]), (one, other)


def test_certain_answers_are_right_for_all_small_patterns() -> None:
    """True means every text of the question, False means none; open is allowed to be cautious."""
    for pattern, question in product(PATTERNS, repeat=2):
        answer = matches(pattern, question)
        if answer is True:
            assert MATCHED[question] <= MATCHED[pattern], (pattern, question)
        if answer is False:
            assert not MATCHED[question] & MATCHED[pattern], (pattern, question)


def test_a_hostile_pattern_is_answered_at_once() -> None:
    """Many stars do not make matching explode."""
    pattern = "*a" * 60 + "b"
    assert not like(pattern, "a" * 2000)
    assert overlaps(pattern, "*" + "a" * 200 + "?")


@pytest.mark.parametrize(
    ("truths", "all_of", "any_of"),
    [
        ((), True, False),
        ((True, True), True, True),
        ((True, None), None, True),
        ((False, None), False, None),
        ((None, None), None, None),
        ((True, False, None), False, True),
    ],
)
def test_three_valued_logic(truths: tuple[bool | None, ...], *, all_of: bool | None, any_of: bool | None) -> None:
    """An open part leaves the whole open unless another part decides."""
    assert every(truths) is all_of
    assert some(truths) is any_of
    assert [negate(truth) for truth in (True, False, None)] == [False, True, None]
