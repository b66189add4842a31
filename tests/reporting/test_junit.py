"""The JUnit file is what CI servers read: known elements, right counts, one case for each check."""

from collections import Counter
from xml.etree import ElementTree as ET

from hallmark.model import Scorecard, Verdict
from hallmark.reporting.junit import render

OUTCOME = ({"message", "type"}, set[str](), set[str]())
SCHEMA = {
    # element: (attributes it may have, attributes it must have, children it may have)
    # The part on which the schemas of Jenkins, GitLab and Ant agree.
    "testsuites": ({"name", "tests", "failures", "errors", "skipped"}, {"tests"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "timestamp"},
        {"name", "tests", "failures", "errors"},
        {"properties", "testcase"},
    ),
    "properties": (set[str](), set[str](), {"property"}),
    "property": ({"name", "value"}, {"name", "value"}, set[str]()),
    "testcase": ({"classname", "name"}, {"classname", "name"}, {"failure", "error", "skipped", "system-out"}),
    "failure": OUTCOME,
    "error": OUTCOME,
    "skipped": OUTCOME,
    "system-out": (set[str](), set[str](), set[str]()),
}
ELEMENTS = {Verdict.FAIL: ["failure"], Verdict.ERROR: ["error"], Verdict.BLOCKED: ["skipped"], Verdict.PASS: []}
ELEMENTS[Verdict.NOT_APPLICABLE] = ["skipped"]


def parsed(card: Scorecard) -> ET.Element:
    """Return the document as a CI server reads it."""
    return ET.fromstring(render(card).encode("utf-8"))  # noqa: S314  (our own output is what is under test)


def test_only_elements_every_server_knows(any_card: Scorecard) -> None:
    """Every element, attribute and nesting is of the common schema; properties stand first."""
    root = parsed(any_card)
    assert root.tag == "testsuites"
    for element in root.iter():
        allowed, required, children = SCHEMA[element.tag]
        assert required <= set(element.attrib) <= allowed
        assert {child.tag for child in element} <= children
    (suite,) = root
    assert [child.tag for child in suite] == ["properties", *["testcase"] * len(any_card.results)]


def test_counts_and_cases_follow_the_verdicts(any_card: Scorecard) -> None:
    """FAIL is a failure, ERROR an error, BLOCKED and NOT_APPLICABLE skipped; the suite counts what it holds."""
    root = parsed(any_card)
    found = Counter(result.verdict for result in any_card.results)
    wanted = {"tests": len(any_card.results), "failures": found[Verdict.FAIL]}
    wanted |= {"errors": found[Verdict.ERROR], "skipped": found[Verdict.BLOCKED] + found[Verdict.NOT_APPLICABLE]}
    for counting in (root, root[0]):
        assert {name: int(counting.attrib[name]) for name in wanted} == wanted
    for case, result in zip(root.iter("testcase"), any_card.results, strict=True):
        assert case.attrib["name"] == result.check.id.rpartition("/")[2]
        assert [child.tag for child in case if child.tag != "system-out"] == ELEMENTS[result.verdict]


def test_a_case_says_all_that_helps(mixed: Scorecard) -> None:
    """The text of a case holds expected, observed, where, why, next, page; a skipped one names its cause."""
    for case, result in zip(parsed(mixed).iter("testcase"), mixed.results, strict=True):
        text = "".join(case.itertext())
        values = [result.expected, result.observed, result.where, result.next, result.cause, result.note]
        values += [result.check.why, result.check.page] if result.verdict is not Verdict.PASS else []
        assert all(value in text for value in values)


def test_a_type_tells_requirements_from_recommendations(mixed: Scorecard) -> None:
    """A failure has the level of its check as type, an error its code."""
    root = parsed(mixed)
    assert [failure.attrib["type"] for failure in root.iter("failure")] == ["P0", "REC"]
    assert [error.attrib["type"] for error in root.iter("error")] == ["denied"]


def test_markup_and_control_characters_are_harmless(hostile_card: Scorecard) -> None:
    """What an attacker writes comes back as the text it was, less what XML cannot hold."""
    (case, *_) = parsed(hostile_card).iter("testcase")
    message = case[0].attrib["message"]
    assert "</td><script>alert(1)</script>" in message
    assert "\ufffd[31mred" in message


def test_the_account_is_not_named(mixed: Scorecard) -> None:
    """The properties name the target without its account."""
    names = {element.attrib["name"] for element in parsed(mixed).iter("property")}
    assert "target.cluster" in names
    assert "target.account" not in names
