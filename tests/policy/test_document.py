"""Policy documents are read as AWS writes them and refused where AWS would refuse them."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from hallmark.errors import Unobservable
from hallmark.policy import Effect, Policy

GRAMMAR = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"

STATEMENT = {"Sid": "One", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
DOCUMENT = {"Version": "2012-10-17", "Statement": [STATEMENT]}


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT,
        {"Version": "2012-10-17", "Statement": STATEMENT},
        {"Version": "2012-10-17", "Id": "x", "Statement": [{**STATEMENT, "Action": ["s3:GetObject"]}]},
        json.dumps(DOCUMENT),
        "\n  " + json.dumps(DOCUMENT, indent=2),
        quote(json.dumps(DOCUMENT)),
        quote(json.dumps(DOCUMENT), safe=""),
    ],
)
def test_every_way_of_writing_gives_the_same_statement(document: Any) -> None:
    """Text or list, one statement or several, dictionary, JSON or URL-encoded JSON."""
    (statement,) = Policy.parse(document).statements
    assert (statement.effect, statement.sid, statement.index) == (Effect.ALLOW, "One", 0)
    assert (statement.actions, statement.resources) == (("s3:GetObject",), ("arn:aws:s3:::b/*",))


def test_a_percent_sign_in_json_is_no_encoding() -> None:
    """Only a document that is encoded as a whole is decoded."""
    statement = {**STATEMENT, "Resource": "arn:aws:s3:::b/%7Bx"}
    (read,) = Policy.parse(json.dumps({**DOCUMENT, "Statement": [statement]})).statements
    assert read.resources == ("arn:aws:s3:::b/%7Bx",)


def test_condition_values_may_be_json_booleans_and_numbers() -> None:
    """They are compared as text."""
    condition = {"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:max-keys": [10, 2.5]}}
    (statement,) = Policy.parse({**DOCUMENT, "Statement": {**STATEMENT, "Condition": condition}}).statements
    assert [each.values for each in statement.conditions] == [("false",), ("10", "2.5")]


def test_principals_are_listed_with_their_type() -> None:
    """Each type may have one or several."""
    principal = {"AWS": ["1", "2"], "Service": "ec2.amazonaws.com"}
    (statement,) = Policy.parse({**DOCUMENT, "Statement": {**STATEMENT, "Principal": principal}}).statements
    assert statement.principals == (("AWS", "1"), ("AWS", "2"), ("Service", "ec2.amazonaws.com"))


@pytest.mark.parametrize(("version", "variables"), [("2012-10-17", True), ("2008-10-17", False), (None, False)])
def test_only_the_current_version_knows_variables(version: str | None, *, variables: bool) -> None:
    """A document without a version is of 2008."""
    document = {"Statement": STATEMENT} if version is None else {"Version": version, "Statement": STATEMENT}
    (statement,) = Policy.parse(document).statements
    assert statement.variables is variables


def test_the_empty_list_of_statements_is_a_policy() -> None:
    """It grants nothing, which is not the same as being unreadable."""
    assert Policy.parse({"Version": "2012-10-17", "Statement": []}).statements == ()


def without(*elements: str) -> dict[str, Any]:
    """Give the statement without some elements."""
    return {key: value for key, value in STATEMENT.items() if key not in elements}


@pytest.mark.parametrize(
    "statement",
    [
        {**STATEMENT, "Effect": "allow"},
        {**STATEMENT, "Effect": ["Allow"]},
        without("Effect"),
        without("Action"),
        without("Resource"),
        {**STATEMENT, "NotAction": "s3:*"},
        {**STATEMENT, "NotResource": "*"},
        {**STATEMENT, "Principal": "*", "NotPrincipal": "*"},
        {**STATEMENT, "Principal": "everybody"},
        {**STATEMENT, "Principal": {}},
        {**STATEMENT, "Principal": {"AWS": []}},
        {**STATEMENT, "Principal": {"Role": "x"}},
        {**STATEMENT, "Principal": {"AWS": "1", "Role": "x"}},
        {**STATEMENT, "Principal": ["*"]},
        {**STATEMENT, "Principal": ["AWS"]},
        {**STATEMENT, "Action": 7},
        {**STATEMENT, "Action": ["s3:GetObject", None]},
        {**STATEMENT, "Resource": {"arn": "*"}},
        {**STATEMENT, "Conditions": {"Bool": {"aws:SecureTransport": "true"}}},
        {**STATEMENT, "Condition": {"aws:SecureTransport": "true"}},
        {**STATEMENT, "Condition": ["Bool"]},
        {**STATEMENT, "Condition": {"Bool": {"aws:SecureTransport": {}}}},
        {**STATEMENT, "Condition": {"Bool": {"aws:SecureTransport": None}}},
        {**STATEMENT, "Condition": {"StringMatches": {"aws:userid": "x"}}},
        "s3:GetObject",
        7,
    ],
)
def test_a_statement_aws_would_refuse_is_malformed(statement: Any) -> None:
    """Nothing in a statement is guessed or ignored."""
    with pytest.raises(Unobservable) as raised:
        Policy.parse({"Version": "2012-10-17", "Statement": [statement]})
    assert raised.value.code == "malformed", GRAMMAR


@pytest.mark.parametrize(
    "document",
    [
        "",
        "not json",
        "%7Bbroken",
        "[]",
        "null",
        "7",
        {},
        {"Version": "2012-10-17"},
        {"Version": "2012-10-17", "Statement": None},
        {"Version": "2012-10-17", "Statement": "x"},
        {"Version": "2099-01-01", "Statement": []},
        {"Version": "2012-10-17", "Statements": []},
        {"Version": "2012-10-17", "Statement": [], "Extra": 1},
        {"Version": ["2012-10-17"], "Statement": []},
    ],
)
def test_a_document_aws_would_refuse_is_malformed(document: Any) -> None:
    """An unreadable policy is an observation that failed, never an empty policy."""
    with pytest.raises(Unobservable) as raised:
        Policy.parse(document)
    assert raised.value.code == "malformed", GRAMMAR


def test_the_error_names_the_policy() -> None:
    """A person finds the document that is wrong."""
    with pytest.raises(Unobservable, match="the policy s3-access is not JSON"):
        Policy.parse("{", "s3-access")
