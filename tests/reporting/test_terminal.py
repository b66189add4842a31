"""The scorecard in a terminal: root causes first, in words, in 80 columns, and never broken where it is copied."""

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from hallmark.evidence import collect
from hallmark.model import Result, Scorecard, Verdict
from hallmark.reference import Reference
from hallmark.reporting.terminal import QUIET_SECONDS, Progress, show

Make = Callable[..., Result]
EXPECTED = Path(__file__).parent / "expected" / "every_verdict.txt"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def printed(card: Scorecard, reference: Reference, width: int = 80, *, colour: bool = False) -> str:
    """Return what a person sees."""
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=colour, color_system="standard" if colour else None)
    show(console, card, reference)
    return out.getvalue()


def test_a_scorecard_reads_as_agreed(mixed: Scorecard, reference: Reference) -> None:
    """The whole text at 80 columns, as in a pipe."""
    assert printed(mixed, reference) == EXPECTED.read_text(encoding="utf-8")


def test_colour_adds_nothing_but_colour(any_card: Scorecard, reference: Reference) -> None:
    """Without its colours the text is the same: no verdict is told by colour alone."""
    coloured = printed(any_card, reference, colour=True)
    assert ANSI.search(coloured)
    assert ANSI.sub("", coloured) == printed(any_card, reference)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_fit_unless_they_must_not_break(width: int, any_card: Scorecard, reference: Reference) -> None:
    """Prose keeps to the width. Only a command, a table row or a line of one long word may run over."""
    edge = min(width, 100)
    for line in printed(any_card, reference, width).splitlines():
        prose = not re.match(r" *(Next|Then|Domain) |.* \d+ of \d+|.* - +-$", line)
        longest = max(map(len, line.split()), default=0)
        assert not prose or len(line) <= edge or longest > edge - 35, line


def test_a_command_is_printed_whole(any_card: Scorecard, reference: Reference) -> None:
    """However long it is, a copied command works."""
    text = printed(any_card, reference, 40)
    for result in any_card.results:
        if result.next.isprintable() and result.verdict is not Verdict.PASS:
            assert result.next in text


def test_every_miss_says_how_to_go_on(mixed: Scorecard, reference: Reference) -> None:
    """Requirement, expected, observed, where, why, next command, page and clauses of each miss are there."""
    text = " ".join(printed(mixed, reference).split())
    for result in mixed.results:
        if result.verdict in {Verdict.FAIL, Verdict.ERROR}:
            check = result.check
            wanted = (check.title, check.why, check.page, result.expected, result.observed, result.where, result.next)
            for value in (*wanted, ", ".join(check.clauses)):
                assert value in text


def test_root_causes_stand_before_everything_else(mixed: Scorecard, reference: Reference) -> None:
    """Root causes, blocked, recommendations, remarks, domains, disclaimer, result, next command: in this order."""
    text = printed(mixed, reference)
    order = ["ROOT CAUSES", "BLOCKED (2)", "RECOMMENDATIONS", "REMARKS", "BY DOMAIN", "Meeting this reference does not"]
    places = [text.index(word) for word in [*order, "COULD NOT TELL: ", "\nNext "]]
    assert places == sorted(places)


def test_what_was_observed_cannot_steer_the_terminal(hostile_card: Scorecard, reference: Reference) -> None:
    """Escape sequences and direction marks lose their power; square brackets and colons are plain text."""
    text = printed(hostile_card, reference)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert "[bold red]not" in text
    assert ":smile:" in text


def test_a_long_observation_is_cut_and_says_so(many_card: Scorecard, reference: Reference) -> None:
    """One miss cannot push the others off the screen; the files hold the rest."""
    text = printed(many_card, reference)
    assert "more lines: see the JSON or HTML scorecard]" in text
    assert text.count("\n") < 40 * 30


def test_a_log_hears_of_a_slow_collection_only() -> None:
    """In a pipe a collection is silent for two seconds, and then says a line at most every two."""
    out, now = StringIO(), [100.0]
    with Progress(Console(file=out, width=80), clock=lambda: now[0]) as progress:
        for second, answered in ((0.1, 5), (1.9, 10), (QUIET_SECONDS, 20), (3.9, 30), (4.0, 40)):
            now[0] = 100.0 + second
            progress(collect.Progress(answered, 50))
    assert out.getvalue().splitlines() == [
        "Collecting evidence: 20 of 50 calls answered",
        "Collecting evidence: 40 of 50 calls answered",
    ]


def test_a_terminal_sees_progress_at_once_and_nothing_after_it() -> None:
    """On a terminal the bar shows the calls, and is gone when the collection has ended."""
    out = StringIO()
    console = Console(file=out, width=80, force_terminal=True, force_interactive=True, color_system=None)
    with Progress(console) as progress:
        progress(collect.Progress(12, 34))
    shown = out.getvalue()
    assert "12/34 calls answered" in shown
    assert shown.endswith("\x1b[2K")


def test_progress_ends_with_an_error_too() -> None:
    """When a collection breaks off, the cursor is given back."""
    out = StringIO()
    console = Console(file=out, width=80, force_terminal=True, force_interactive=True)
    with pytest.raises(KeyboardInterrupt), Progress(console):
        raise KeyboardInterrupt
    assert out.getvalue().rindex("\x1b[?25h") > out.getvalue().rindex("\x1b[?25l")
