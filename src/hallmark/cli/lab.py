"""`hallmark lab`: the life of a lab, from start to finish."""

import json
import os
import runpy
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table

from hallmark import catalog
from hallmark.cli import consent
from hallmark.cli.app import App
from hallmark.cli.grade import grade
from hallmark.cli.hands import Hands
from hallmark.errors import UsageError
from hallmark.evidence.files import write_text
from hallmark.faults import runner
from hallmark.model import Lab
from hallmark.targets.aws import AwsSource
from hallmark.waiting import until

ANSWERS_WITHIN = 60.0
"""Seconds until the platform of a twin that was reset answers; usually a dozen."""


@dataclass(frozen=True)
class Attempt:
    """What is remembered of a lab that was started.

    Attributes:
        started_at: ISO 8601 UTC.
        hints: How many hints were shown.
    """

    started_at: str
    hints: int = 0


@click.group()
def lab() -> None:
    """List, start, grade and finish labs."""


lab.add_command(grade)


@lab.command("list")
@click.pass_obj
def list_(app: App) -> None:
    """Show every lab, its track, its time and where you stand."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Lab", "Track", "Minutes", "State", "What you do"):
        table.add_column(heading, no_wrap=heading == "Lab")
    for each in catalog.labs(app.root):
        table.add_row(each.id, each.track, str(each.minutes), _state(app, each), each.title)
    app.console.print(table)
    app.console.print("\nBegin with: hallmark lab start <lab>")


@lab.command()
@click.argument("lab_id", metavar="LAB")
@click.pass_obj
def start(app: App, lab_id: str) -> None:
    """Bring the target into the lab's start state and hand out its files.

    Where the lab breaks something and people have a way in, the symptom is looked at from there, too.

    \b
    Example:
      hallmark lab start edge-waf-rate-limit
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    chosen = catalog.lab(app.root, lab_id)
    _allowed(app, chosen)
    _begin(app, chosen)
    app.console.print(f"Started: {chosen.title}")
    app.console.print(f"Guide:   labs/{chosen.id}/guide.md")
    app.console.print(f"Then:    hallmark lab grade {chosen.id}")


@lab.command()
@click.argument("lab_id", metavar="LAB")
@click.pass_obj
def hint(app: App, lab_id: str) -> None:
    """Show the next hint; each says a little more than the last."""
    chosen = catalog.lab(app.root, lab_id)
    attempt = _attempt(app, chosen) or Attempt(_now())
    if attempt.hints >= len(chosen.hints):
        raise UsageError("there are no more hints.", f"hallmark lab solve {chosen.id}")
    app.console.print(f"Hint {attempt.hints + 1} of {len(chosen.hints)}: {chosen.hints[attempt.hints]}", markup=False)
    _remember(app, chosen, Attempt(attempt.started_at, attempt.hints + 1))


@lab.command()
@click.argument("lab_id", metavar="LAB")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def solve(app: App, lab_id: str, yes: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Apply the author's solution to the twin."""
    chosen = catalog.lab(app.root, lab_id)
    if app.settings().target != "twin":
        raise UsageError("solutions are only ever applied to the twin.", "hallmark --target twin lab solve " + lab_id)
    if not yes:
        consent.require("This changes the twin and shows you the answer. Go on?", f"hallmark lab solve --yes {lab_id}")
    apply_solution(app, chosen)
    app.console.print(f"Solved. Why it works: solutions/{chosen.id}/why.md")
    app.console.print(f"Then:   hallmark lab grade {chosen.id}")


@lab.command()
@click.argument("lab_id", metavar="LAB")
@click.pass_obj
def reset(app: App, lab_id: str) -> None:
    """Go back to the lab's start state; your files in work/ are kept beside, as work/<lab>.old."""
    chosen = catalog.lab(app.root, lab_id)
    _allowed(app, chosen)
    _revert(app)
    _set_aside(app.root / "work" / chosen.id)
    _begin(app, chosen)
    app.console.print(f"Reset: {chosen.title}")


@lab.command()
@click.argument("lab_id", metavar="LAB")
@click.pass_obj
def finish(app: App, lab_id: str) -> None:
    """Revert what the lab injected and forget the attempt; your files in work/ stay."""
    chosen = catalog.lab(app.root, lab_id)
    _revert(app)
    _file(app, chosen).unlink(missing_ok=True)
    app.console.print(f"Finished: {chosen.title}.")
    if (app.root / "work" / chosen.id).exists():
        app.console.print(f"Your files stay in work/{chosen.id}/.")
    app.console.print("See what is next: nox -s lab")


def apply_solution(app: App, chosen: Lab, script: str = "solve") -> None:
    """Copy ``solutions/<lab>/files/`` over the learner's workspace and run ``solutions/<lab>/<script>.py``.

    A lab that starts from less than the whole architecture is solved by it: what its files build is kept as a snapshot.
    """
    if chosen.start in {"empty", "baseline"}:
        app.twin.reset(app.say)
    folder = app.root / "solutions" / chosen.id
    if (folder / "files").is_dir():
        shutil.copytree(folder / "files", app.root / "work" / chosen.id, dirs_exist_ok=True)
    if (folder / f"{script}.py").is_file():
        profile = app.profile(chosen)
        solution = runpy.run_path(str(folder / f"{script}.py"))["solve"]
        hands = Hands(AwsSource(profile), {**os.environ, **app.twin.environment()})
        solution(hands, profile.scope())


def _begin(app: App, chosen: Lab) -> None:
    fault = app.root / "graders" / chosen.id / "fault.toml"
    if app.settings().target == "twin" and chosen.start != "current":
        app.twin.up(app.say)
        app.twin.empty() if chosen.start == "empty" else _reset(app, chosen.start, is_watched=fault.is_file())
    _hand_out(app.root / "labs" / chosen.id / "start", app.root / "work" / chosen.id)
    if fault.is_file():
        profile = app.profile(chosen)
        runner.inject(fault, profile, app.home, people=app.people(profile))
    _remember(app, chosen, Attempt(_now()))


def _reset(app: App, start: str, *, is_watched: bool) -> None:
    """Reset the twin; where people will look, wait until it lets them in."""
    app.twin.reset(app.say, start)
    if is_watched:
        until(lambda: app.twin.entrance() is None or app.twin_key(), ANSWERS_WITHIN, pause=0.5)


def _hand_out(start: Path, work: Path) -> None:
    """Copy the lab's files unless the learner has them: all of them, or none."""
    if not start.is_dir() or work.exists():
        return
    partial = work.with_name(f".{work.name}")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(start, partial)
        partial.rename(work)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _allowed(app: App, chosen: Lab) -> None:
    target = app.settings().target
    if target not in chosen.targets:
        known = " or ".join(chosen.targets)
        raise UsageError(f"{chosen.id} runs on {known}, not on {target}.", f"hallmark --target {chosen.targets[0]} …")


def _revert(app: App) -> None:
    if runner.active(app.home):
        runner.revert(app.home, app.profile())


def _set_aside(work: Path) -> None:
    if work.exists():
        old = work.with_name(f"{work.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        work.rename(old)


def _file(app: App, chosen: Lab) -> Path:
    return app.home / "labs" / f"{chosen.id}.json"


def _attempt(app: App, chosen: Lab) -> Attempt | None:
    try:
        return Attempt(**json.loads(_file(app, chosen).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # a half-written or foreign file is no attempt
        return None


def _remember(app: App, chosen: Lab, attempt: Attempt) -> None:
    write_text(_file(app, chosen), json.dumps(asdict(attempt)))


def _state(app: App, chosen: Lab) -> str:
    attempt = _attempt(app, chosen)
    return f"started, {attempt.hints} hints" if attempt else "not started"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
