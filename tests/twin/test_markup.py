"""XML without detours is that of xmltodict."""

import inspect

import pytest
import xmltodict

from hallmark.twin.aws.extension import markup

PLAIN = {"full_document": False, "short_empty_elements": True, "pretty": False}


@pytest.mark.parametrize(
    "content",
    [
        {"A": {"b": "x < y & \"z\" > 'w'", "c": "", "d": None, "e": {}, "f": []}},
        {"A": {"list": ["1", "", {"x": "2"}, None, ["3"]], "tuple": ("1", "2"), "keys": {"a": 1}.keys()}},
        {"A": {"@xmlns": "http://x/?a=1&b='2\"", "@empty": None, "#text": "before", "child": "after"}},
        {"A": {"yes": True, "no": False, "number": 3, "bytes": b"\xc3\xa9\xff", "fraction": 0.5}},
        {"A": {"item": [True, 1, b"x"]}},
        {"A": {}},
        {},
        {"A": "text"},
        {"A": {"x": "1"}, "B": {"y": "2"}},
    ],
)
@pytest.mark.parametrize("options", [PLAIN, PLAIN | {"short_empty_elements": False}, PLAIN | {"pretty": True}, {}])
def test_xml_is_that_of_xmltodict(content: dict[str, object], options: dict[str, bool]) -> None:
    """Letter for letter, whatever a serializer hands over; two roots are refused as they were."""
    original = inspect.unwrap(xmltodict.unparse)
    try:
        expected = original(content, **options)
    except ValueError as refusal:
        with pytest.raises(ValueError, match=str(refusal)):
            markup.document(original, content, **options)
    else:
        assert expected == markup.document(original, content, **options)
