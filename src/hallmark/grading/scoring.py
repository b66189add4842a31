"""From verdicts to a scorecard. Knows no clock, no network and no file but its input."""

from collections.abc import Iterable
from importlib.metadata import version

from hallmark.errors import Exit
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Lab, Level, Result, Scorecard, Verdict


def score(lab: Lab, results: Iterable[Result], evidence: Snapshot) -> Scorecard:
    """Count points. Only a PASS scores; checks below P0 are counted apart and never block (reference: levels)."""
    results = tuple(results)
    required = [result for result in results if result.check.level is Level.P0]
    other = [result for result in results if result.check.level is not Level.P0]
    return Scorecard(
        lab=lab.id,
        title=lab.title,
        results=results,
        earned=sum(result.check.points for result in required if result.verdict is Verdict.PASS),
        possible=sum(result.check.points for result in required),
        recommended_met=sum(result.verdict is Verdict.PASS for result in other),
        recommended=len(other),
        target=dict(evidence.scope),
        collected_at=evidence.collected_at,
        evidence_digest=evidence.digest,
        versions={"grader": version("hallmark"), **evidence.versions},
    )


def passed(card: Scorecard) -> bool:
    """Whether every P0 check passed. A grade without P0 checks proves nothing, and does not pass."""
    required = [result.verdict for result in card.results if result.check.level is Level.P0]
    return bool(required) and all(verdict is Verdict.PASS for verdict in required)


def exit_code(card: Scorecard) -> Exit:
    """0 passed, 1 not passed, 3 could not tell: any ERROR (design: section 9), or a P0 check that was not decided."""
    if any(result.verdict is Verdict.ERROR for result in card.results):
        return Exit.UNKNOWN
    left = {r.verdict for r in card.results if r.check.level is Level.P0} - {Verdict.PASS}
    if left == {Verdict.NOT_APPLICABLE}:
        return Exit.UNKNOWN
    return Exit.PASSED if passed(card) else Exit.NOT_PASSED
