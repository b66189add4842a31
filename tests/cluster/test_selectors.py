"""Selectors: every operator of the grammar, and what cannot be parsed."""

from typing import Any

import pytest

from hallmark.twin.cluster import selectors
from hallmark.twin.cluster.statuses import Refusal

OBJECT = {
    "metadata": {"name": "web", "labels": {"app": "web", "tier": "front", "a.b/c": "", "size": "5"}},
    "spec": {"nodeName": "n1", "replicas": 3, "hostNetwork": True},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app=web", True),
        ("app==web", True),
        ("app=other", False),
        ("app!=web", False),
        ("app!=other", True),
        ("missing!=x", True),
        ("app", True),
        ("missing", False),
        ("!missing", True),
        ("! app", False),
        ("app in (web, api)", True),
        ("app in (api)", False),
        ("app notin (api)", True),
        ("app notin (web,api)", False),
        ("missing notin (x)", True),
        ("missing in (x)", False),
        ("a.b/c=", True),
        ("a.b/c in ()", True),
        ("size>4", True),
        ("size<5", False),
        ("app>1", False),
        ("app=web,tier=front", True),
        ("app=web,tier in (back,front),!missing", True),
        ("app=web,tier=back", False),
    ],
)
def test_labels(text: str, expected: object) -> None:
    """A label selector selects by every one of its parts."""
    predicate = selectors.labels(text)

    assert predicate is not None
    assert predicate(OBJECT) is expected


@pytest.mark.parametrize("text", ["app in web", "=web", "a b", "app in (web", "size>x", "-app=web"])
def test_labels_that_cannot_be_parsed(text: str) -> None:
    """They are a bad request."""
    with pytest.raises(Refusal, match="unable to parse requirement") as refused:
        selectors.labels(text)

    assert refused.value.code == 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metadata.name=web", True),
        ("metadata.name==other", False),
        ("metadata.name!=other", True),
        ("spec.nodeName=n1,metadata.name=web", True),
        ("spec.nodeName=n1,metadata.name=other", False),
        ("spec.replicas=3", True),
        ("spec.hostNetwork=true", True),
        ("spec.missing=", True),
        ("spec.missing=false", True),
        ("spec.missing=true", False),
        ("status.phase!=Running", True),
        (r"metadata.name=a\,b", False),
    ],
)
def test_fields(text: str, expected: object) -> None:
    """A field selector compares any path; what Go leaves out compares as zero."""
    predicate = selectors.fields(text)

    assert predicate is not None
    assert predicate(OBJECT) is expected


def test_no_selector_selects_all() -> None:
    """There is nothing to ask then."""
    assert selectors.labels(" ") is None
    assert selectors.fields("") is None
    assert selectors.both(None, None) is None


def test_fields_that_cannot_be_parsed() -> None:
    """They are a bad request."""
    with pytest.raises(Refusal, match="invalid selector: 'x'; can't understand 'x'"):
        selectors.fields("x")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "other"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_selectors_inside_objects(selector: dict[str, Any] | None, expected: object) -> None:
    """The same rules in another form; nothing is selected by none."""
    assert selectors.selects(selector, {"app": "web"}) is expected


def test_a_selector_inside_an_object_has_a_text() -> None:
    """The one that a query would have."""
    expressions = [
        {"key": "a", "operator": "In", "values": ["y", "x"]},
        {"key": "b", "operator": "NotIn", "values": ["z"]},
        {"key": "c", "operator": "Exists"},
        {"key": "d", "operator": "DoesNotExist"},
    ]

    text = selectors.text_of({"matchLabels": {"z": "1", "app": "web"}, "matchExpressions": expressions})

    assert text == "app=web,z=1,a in (x,y),b notin (z),c,!d"
