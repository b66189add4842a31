"""JSON patches and merge patches (RFC 6902 and 7386)."""

import copy
from typing import Any

import pytest

from hallmark.twin.cluster.schema import patches
from hallmark.twin.cluster.schema.patches import BadPatch

Json = dict[str, Any]
NOT = "operation does not apply: doc is missing "
INDEX = "Unable to access invalid index: 9: invalid index referenced"
OBJECT: Json = {"a": {"b": [1, 2, 3], "c/d": "x", "e~f": True}, "n": 1}


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([], OBJECT),
        ([{"op": "add", "path": "/z", "value": {}}], {**OBJECT, "z": {}}),
        ([{"op": "add", "path": "/a/b/1", "value": 9}], {**OBJECT, "a": {**OBJECT["a"], "b": [1, 9, 2, 3]}}),
        ([{"op": "add", "path": "/a/b/-", "value": 9}], {**OBJECT, "a": {**OBJECT["a"], "b": [1, 2, 3, 9]}}),
        ([{"op": "replace", "path": "/a/c~1d", "value": "y"}], {**OBJECT, "a": {**OBJECT["a"], "c/d": "y"}}),
        ([{"op": "replace", "path": "/a/e~0f", "value": False}], {**OBJECT, "a": {**OBJECT["a"], "e~f": False}}),
        ([{"op": "remove", "path": "/a"}], {"n": 1}),
        ([{"op": "remove", "path": "/a/b/0"}], {**OBJECT, "a": {**OBJECT["a"], "b": [2, 3]}}),
        ([{"op": "copy", "from": "/n", "path": "/m"}], {**OBJECT, "m": 1}),
        ([{"op": "move", "from": "/n", "path": "/m"}], {"a": OBJECT["a"], "m": 1}),
        ([{"op": "test", "path": "/n", "value": 1}, {"op": "remove", "path": "/n"}], {"a": OBJECT["a"]}),
        ([{"op": "test", "path": "/nope", "value": None}], OBJECT),
        ([{"op": "replace", "path": "", "value": {"new": 1}}], {"new": 1}),
    ],
)
def test_json_patch(operations: list[Json], result: Json) -> None:
    """Operations are applied in order, and the object that was given stays as it was."""
    before = copy.deepcopy(OBJECT)
    assert patches.json_patch(OBJECT, operations) == result
    assert before == OBJECT


@pytest.mark.parametrize(
    ("operations", "invalid", "words"),
    [
        ([{"op": "remove", "path": "/x"}], True, f"remove {NOT}key: /x: missing value"),
        ([{"op": "replace", "path": "/x", "value": 1}], True, f"replace {NOT}key: /x: missing value"),
        ([{"op": "add", "path": "/x/y", "value": 1}], True, f'add {NOT}path: "/x/y": missing value'),
        ([{"op": "add", "path": "/a/b/9", "value": 1}], True, f"add {NOT}path: /a/b/9: {INDEX}"),
        ([{"op": "test", "path": "/n", "value": True}], True, "testing value /n failed: test failed"),
        ([{"op": "test", "path": "/n", "value": 2}], True, "testing value /n failed: test failed"),
        ([{"op": "jump", "path": "/n"}], True, "Unexpected kind: jump"),
        ({"op": "add"}, False, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
        ([{"op": "replace", "path": "", "value": 1}], True, "json: cannot unmarshal into an object"),
    ],
)
def test_json_patch_that_does_not_apply(operations: Any, invalid: bool, words: str) -> None:  # noqa: FBT001 - a column
    """A malformed patch is told from one that does not fit the object."""
    with pytest.raises(BadPatch) as caught:
        patches.json_patch(OBJECT, operations)
    assert (caught.value.message, caught.value.invalid) == (words, invalid)


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(before: Json, patch: Json, after: Json) -> None:
    """The cases of RFC 7386, appendix A, whose results are objects."""
    assert patches.merge(before, patch) == after


def test_merge_patch_is_an_object() -> None:
    """Anything else is malformed."""
    with pytest.raises(BadPatch, match="cannot unmarshal"):
        patches.merge({}, ["c"])


def test_results_share_nothing() -> None:
    """A change to the result is no change of the object or the patch."""
    obj, patch = {"a": {"b": [1]}}, {"c": {"d": [2]}}
    result = patches.merge(obj, patch)
    result["a"]["b"].append(9)
    result["c"]["d"].append(9)
    assert (obj, patch) == ({"a": {"b": [1]}}, {"c": {"d": [2]}})
