"""A scorecard in the terminal, and how collecting gets on.

Readable without colour, in 80 columns and in a pipe: the verdict is always a word. Commands, ids and other long
words are never broken, so that a copied one works.
"""

import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from hallmark.evidence import collect
from hallmark.model import Result, Scorecard, Verdict
from hallmark.reference import Reference
from hallmark.reporting.outline import Outcome, Outline, Tally, clean, count, disclaimer, outline, place, word

QUIET_SECONDS = 2.0
"""How long a collection may take before a log that is not a terminal hears of it, and then how often."""
_WIDEST = 100
"""Columns beyond which lines become hard to read."""
_MOST_LINES = 12
"""Lines of one value; the files hold the rest."""
_STYLES = {
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.BLOCKED: "bold yellow",
    Verdict.ERROR: "bold magenta",
    Verdict.NOT_APPLICABLE: "bold magenta",
    Outcome.PASSED: "bold green",
    Outcome.NOT_PASSED: "bold red",
    Outcome.UNKNOWN: "bold magenta",
}
_LABEL = 10


class Progress:
    """Shows how many calls are answered: a bar on a terminal, in a log a line now and then.

    Use it as a context manager around a collection, and hand it over as its ``progress``.

    Args:
        console: Where to write.
        clock: Seconds, never going back.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._said = clock()
        columns = (TextColumn("Collecting evidence"), BarColumn(), MofNCompleteColumn(), TextColumn("calls answered"))
        self._bar = Bar(*columns, console=console, transient=True, disable=not console.is_interactive)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, now: collect.Progress) -> None:
        """Take note of where the collection stands."""
        if self._console.is_interactive:
            self._bar.update(self._task, completed=now.answered, total=now.asked)
        elif self._clock() - self._said >= QUIET_SECONDS:
            self._said = self._clock()
            self._console.print(f"Collecting evidence: {now.answered} of {now.asked} calls answered", highlight=False)


def show(console: Console, card: Scorecard, reference: Reference) -> None:
    """Print *card* on *console*. Long commands run over the edge instead of being cut off."""
    console.print(render(card, reference), crop=False)


def render(card: Scorecard, reference: Reference) -> "Rendering":
    """Return *card* as something rich prints; print it with ``crop=False``, as :func:`show` does."""
    return Rendering(card, reference)


@dataclass(frozen=True)
class Rendering:
    """A scorecard as a rich renderable; it adapts to the width it gets."""

    card: Scorecard
    reference: Reference

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, _WIDEST)
        yield from _lines(self.card, self.reference, width)


def _lines(card: Scorecard, reference: Reference, width: int) -> Iterator[Text]:
    plan = outline(card, reference)
    yield from _header(card, plan, width)
    if plan.causes:
        yield from _heading(f"ROOT CAUSES ({len(plan.causes)}): repair these, from the top")
        for number, result in enumerate(plan.causes, start=1):
            yield from _block(result, plan, width, f"{number}.")
    if plan.blocked:
        total = sum(len(group.results) for group in plan.blocked)
        yield from _heading(f"BLOCKED ({total}): judged once the root cause is repaired")
        for group in plan.blocked:
            titles = "; ".join(result.check.title.rstrip(".") for result in group.results)
            yield from _bullet(f'"{group.cause.rstrip(".")}" holds up {len(group.results)}: {titles}.', width)
    if plan.recommendations:
        yield from _heading(f"RECOMMENDATIONS ({len(plan.recommendations)}): they never block")
        for result in plan.recommendations:
            yield from _block(result, plan, width, "-")
    yield from _remarks(plan, width)
    yield from _table(plan)
    yield from _footer(plan, reference, width)


def _remarks(plan: Outline, width: int) -> Iterator[Text]:
    if plan.undecided:
        yield from _heading(f"NOT APPLICABLE ({len(plan.undecided)}): this kind of cluster cannot show it")
        for result in plan.undecided:
            yield from _bullet(f"{result.check.title} {result.observed}", width)
    if plan.notes:
        yield from _heading(f"REMARKS ({len(plan.notes)}): passed, with something to know")
        for result in plan.notes:
            yield from _bullet(f"{result.check.title} {result.note}", width)


def _header(card: Scorecard, plan: Outline, width: int) -> Iterator[Text]:
    yield _line("Hallmark scorecard", "dim")
    yield from (_line(line, "bold") for line in _wrapped(card.title, width))
    yield _line("")
    yield _line(f"{'Result':{_LABEL}}", "dim").append(plan.outcome, _STYLES[plan.outcome])
    total = plan.total
    recommended = f", {total.recommended_met} of {total.recommended} recommended" if total.recommended else ""
    points = f"{total.earned} of {count(total.possible, 'point')} ({total.percent} %)"
    yield from _field("Score", f"{points}, {total.met} of {total.required} required checks{recommended}", width)
    yield from _field("Lab", card.lab, width)
    target = place(card)
    yield from _field("Target", ", ".join(target[name] for name in ("target", "region") if name in target), width)
    yield from _field("Cluster", target.get("cluster", ""), width)
    yield from _field("Host", target.get("host", ""), width)
    yield from _field("Evidence", ", ".join(filter(None, (card.collected_at, card.evidence_digest[:12]))), width)


def _block(result: Result, plan: Outline, width: int, mark: str) -> Iterator[Text]:
    """Yield one miss: the requirement, then what was expected, observed and where, why, and how to go on."""
    check = result.check
    indent = " " * (len(mark) + 1)
    yield _line("")
    first, *rest = _wrapped(f"{result.verdict} {check.title}", width - len(indent))
    word = Text(result.verdict, _STYLES[result.verdict])
    yield _line(f"{mark} ").append_text(word).append(first.removeprefix(result.verdict), "bold")
    yield from (_line(indent + line, "bold") for line in rest)
    yield from _field("Expected", result.expected, width, indent)
    yield from _field("Observed", result.observed, width, indent)
    yield from _field("Code", result.code, width, indent)
    yield from _field("Where", result.where, width, indent)
    yield from _field("Why", check.why, width, indent)
    yield from _field("Next", result.next, width, indent, whole=True)
    yield from _field("Page", check.page, width, indent)
    worth = f"{', '.join(check.clauses)} ({check.level}, {count(check.points, 'point')})"
    waiting = plan.blocks(result)
    yield from _field("Clauses", worth + (f", blocks {count(waiting, 'check')}" if waiting else ""), width, indent)


def _field(label: str, value: str, width: int, indent: str = "", *, whole: bool = False) -> Iterator[Text]:
    """Yield a label and its value, nothing when there is no value. *whole*: a command, kept on one line."""
    if not value:
        return
    room = width - len(indent) - _LABEL
    lines = [" ".join(value.splitlines())] if whole else _wrapped(value, room)
    more = len(lines) - _MOST_LINES
    if more > 0:
        lines = [*lines[:_MOST_LINES], f"[{count(more, 'more line')}: see the JSON or HTML scorecard]"]
    for number, line in enumerate(lines):
        name = "" if number else label
        yield _line(f"{indent}{name:{_LABEL}}", "dim").append(clean(line), "cyan" if whole else "")


def _table(plan: Outline) -> Iterator[Text]:
    rows = [*plan.domains, plan.total]
    wide, room = max(len(row.name) for row in rows), max(len(_word(row)) for row in rows)
    room = max(room, 7)
    yield from _heading("BY DOMAIN")
    yield _line(f"  {'Domain':{wide}}  {'Result':{room}}  {'Required':>9}  {'Points':>10}  {'Recommended':>11}", "dim")
    yield from (_row(row, wide, room) for row in rows)


def _word(row: Tally) -> str:
    return word(row.verdict) if row.verdict else "-"


def _row(row: Tally, wide: int, room: int) -> Text:
    recommended = f"{row.recommended_met} of {row.recommended}" if row.recommended else "-"
    required = f"{row.met} of {row.required}" if row.required else "-"
    points = f"{row.earned} of {row.possible}" if row.required else "-"
    style = _STYLES[row.verdict] if row.verdict else ""
    line = _line(f"  {row.name:{wide}}  ").append(f"{_word(row):{room}}", style)
    return line.append(f"  {required:>9}  {points:>10}  {recommended:>11}")


def _footer(plan: Outline, reference: Reference, width: int) -> Iterator[Text]:
    yield _line("")
    yield from (_line(line, "dim") for line in _wrapped(disclaimer(reference), width))
    yield from (_line(line, "dim") for line in _wrapped("Pages are in the docs site: nox -s docs-serve", width))
    yield _line("")
    first, *rest = _wrapped(f"{plan.outcome}: {plan.sentence}", width)
    yield _line(plan.outcome, _STYLES[plan.outcome]).append(first.removeprefix(plan.outcome))
    yield from (_line(line) for line in rest)
    for label, command in zip(("Next", "Then"), plan.commands, strict=False):
        yield from _field(label, command, width, whole=True)


def _heading(text: str) -> Iterator[Text]:
    yield _line("")
    yield _line(text, "bold")


def _bullet(text: str, width: int) -> Iterator[Text]:
    for number, line in enumerate(_wrapped(text, width - 2)):
        yield _line(f"{' ' if number else '-'} {line}")


def _wrapped(text: str, width: int) -> list[str]:
    """Break *text* between words only, keeping its own lines; at least one line."""
    paragraphs = [
        textwrap.wrap(line, max(width, 20), break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    ]
    return [line for paragraph in paragraphs for line in paragraph] or [""]


def _line(text: str, style: str = "") -> Text:
    """Return a line that rich neither wraps nor shortens."""
    return Text.assemble((clean(text), style), no_wrap=True, overflow="ignore")
