"""A scorecard as JUnit XML, the form every CI server reads: a suite for the lab, a test case for each check.

FAIL becomes ``failure``, ERROR ``error``, BLOCKED and NOT_APPLICABLE ``skipped``. The type of an error is its code;
any other type is the level of the check, so that a missed recommendation can be told from a missed requirement.
"""

from xml.etree import ElementTree as ET

from hallmark.model import Result, Scorecard, Verdict
from hallmark.reporting.outline import clean, place

_ELEMENTS = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.BLOCKED: "skipped",
    Verdict.NOT_APPLICABLE: "skipped",
}


def render(card: Scorecard) -> str:
    """Return *card* as a JUnit XML document."""
    verdicts = [result.verdict for result in card.results]
    counts = {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count(Verdict.FAIL)),
        "errors": str(verdicts.count(Verdict.ERROR)),
        "skipped": str(verdicts.count(Verdict.BLOCKED) + verdicts.count(Verdict.NOT_APPLICABLE)),
    }
    root = ET.Element("testsuites", {"name": "hallmark", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": card.lab, **counts})
    if card.collected_at:
        suite.set("timestamp", card.collected_at)
    _properties(suite, card)
    for result in card.results:
        _case(suite, result)
    ET.indent(root)
    return clean('<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n")


def _properties(suite: ET.Element, card: Scorecard) -> None:
    properties = ET.SubElement(suite, "properties")
    facts = {
        "title": card.title,
        **{f"target.{name}": value for name, value in sorted(place(card).items())},
        "points.earned": str(card.earned),
        "points.possible": str(card.possible),
        "evidence.sha256": card.evidence_digest,
        **{f"version.{name}": value for name, value in sorted(card.versions.items())},
    }
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=value)


def _case(suite: ET.Element, result: Result) -> None:
    lab, _, name = result.check.id.rpartition("/")
    case = ET.SubElement(suite, "testcase", classname=lab, name=name)
    if result.verdict in _ELEMENTS:
        outcome = ET.SubElement(case, _ELEMENTS[result.verdict], message=_message(result), type=_type(result))
        outcome.text = _details(result)
    elif result.note:
        ET.SubElement(case, "system-out").text = result.note


def _message(result: Result) -> str:
    match result.verdict:
        case Verdict.FAIL:
            return f"expected {result.expected}; observed {result.observed}"
        case Verdict.BLOCKED:
            return f"blocked by {result.cause}"
        case _:
            return result.observed


def _type(result: Result) -> str:
    return result.code or str(result.check.level)


def _details(result: Result) -> str:
    check = result.check
    fields = {
        "Requirement": check.title,
        "Expected": result.expected,
        "Observed": result.observed,
        "Where": result.where,
        "Blocked by": result.cause,
        "Why": check.why,
        "Next": result.next,
        "Page": check.page,
        "Clauses": ", ".join(check.clauses),
    }
    return "\n".join(f"{name}: {value}" for name, value in fields.items() if value)
