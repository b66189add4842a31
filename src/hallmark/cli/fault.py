"""`hallmark fault` and `hallmark revert`: what was broken on purpose, and the way back."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Column, Table

from hallmark import catalog
from hallmark.cli import recovered
from hallmark.cli.app import App
from hallmark.errors import AuthorError, Exit, UsageError
from hallmark.faults import by_hand, definition, figures, kinds, runner
from hallmark.faults.definition import Fault
from hallmark.faults.figures import Measured
from hallmark.faults.measure import Onlookers, Stopwatch
from hallmark.faults.runner import Runner


@click.group()
def fault() -> None:
    """Look at faults and inject them by hand."""


@fault.command("list")
@click.pass_obj
def list_(app: App) -> None:
    """Show faults that are injected now."""
    found = runner.active(app.home)
    for each in found:
        app.console.print(f"{each.id}  {each.kind}  {each.state}  reverts by itself at {each.expires_at}")
    if not found:
        app.console.print("No fault is active.")


@fault.command()
@click.argument("name", metavar="LAB|KIND")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of KIND.")
@click.option("--dry-run", is_flag=True, help="Show the calls and their inverses; change nothing.")
@click.pass_obj
def inject(app: App, name: str, settings: tuple[str, ...], dry_run: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Inject the fault of LAB, or one of a KIND that belongs to no lab.

    Where people have a way in, the symptom is looked at from there, too.

    \b
    Examples:
      hallmark fault inject failure-database-unreachable --dry-run
      hallmark fault inject dns-alias-moved
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    chosen = None if name in kinds.names() else catalog.lab(app.root, name)
    wanted = _of_lab(app.root, chosen.id, settings) if chosen else _by_hand(app.root, name, settings)
    profile = app.profile(chosen)
    if dry_run:
        journal = Runner(profile, app.home).plan(wanted)
    else:
        journal = Runner(profile, app.home, people=app.people(profile)).inject(wanted)
    for step in journal.steps:
        app.console.print(f"{'would call' if dry_run else 'called'}  {step.describe()}", markup=False)
        app.console.print(f"  inverse   {step.describe_inverse()}", markup=False)
    app.console.print("Nothing was changed." if dry_run else f"Injected. It reverts by itself at {journal.expires_at}.")


@fault.command()
@click.argument("names", metavar="[KIND]...", nargs=-1)
@click.option("--times", type=click.IntRange(min=1), default=1, help="How often in a row. Default: 1.")
@click.option("--keep", is_flag=True, help="Keep the figures for the page about faults.")
@click.pass_obj
def measure(app: App, names: tuple[str, ...], times: int, keep: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Inject and revert each KIND (default: all) on the twin, hold it against what is documented, and take the time.

    Measured are the seconds until the symptom is seen, those from the revert until traces go round again, and those
    until all nine signs of recovery hold (no restart for five minutes among them) and the state is the one before.
    The worst of all times is shown. Ctrl-C reverts.

    \b
    Examples:
      hallmark fault measure
      hallmark fault measure --times 3 dns-alias-moved redis-evicting
      nox -s faults -- --times 3
    Exit codes: 0 as documented each time, 1 something was different, 3 the twin does not become healthy.
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    if unknown := sorted(set(names) - set(kinds.names())):
        raise UsageError(f"there is no kind of fault {unknown[0]!r}.", f"There are {', '.join(kinds.names())}.")
    watch, usual, found = _stopwatch(app), by_hand.usual(app.root), []
    try:
        for each in names or kinds.names():
            found.append(watch.measure(by_hand.fault(each, usual.get(each, {})), times))
            if keep:
                figures.write(figures.FILE, found[-1:], datetime.now(UTC))
    finally:
        if found:
            app.console.print(_table(found))
    if any(row.problem for row in found):
        raise click.exceptions.Exit(int(Exit.NOT_PASSED))


@click.command()
@click.option("--expired", is_flag=True, help="Only faults whose time to live is over.")
@click.pass_obj
def revert(app: App, expired: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Undo every injected fault from its journal; safe to run at any time, any number of times."""
    if not runner.active(app.home):
        app.console.print("No fault is active.")
        return
    for journal in runner.revert(app.home, app.profile(), expired_only=expired):
        app.console.print(f"Reverted {journal.kind} ({journal.id}).")


def _stopwatch(app: App) -> Stopwatch:
    profile = app.profile()
    people, sources = app.people(profile), app.sources(profile)
    if profile.target != "twin" or people is None:
        raise UsageError("only a twin with a release is measured.", "hallmark twin reset")
    onlookers = Onlookers(people, lambda kind: recovered.missing(kind, sources, profile))
    return Stopwatch(profile, app.home, onlookers, app.say)


def _of_lab(root: Path, lab_id: str, settings: tuple[str, ...]) -> Fault:
    file = root / "graders" / lab_id / "fault.toml"
    if not file.is_file():
        raise UsageError(f"{lab_id} has no fault.", "hallmark lab list")
    if settings:
        raise UsageError("the fault of a lab has its own parameters.", "Leave out --set, or name a kind of fault.")
    return definition.read(file)


def _by_hand(root: Path, kind: str, settings: tuple[str, ...]) -> Fault:
    given = dict(_setting(each) for each in settings)
    try:
        return by_hand.fault(kind, given or by_hand.usual(root).get(kind, {}))
    except AuthorError as error:  # here the parameters are a person's
        raise UsageError(error.message, "hallmark fault inject KIND --set NAME=VALUE") from error


def _setting(text: str) -> tuple[str, object]:
    """Read a parameter: a number, true or false, else text."""
    name, is_given, value = text.partition("=")
    if not is_given:
        raise UsageError(f"{text!r} is no parameter.", "For example: --set component=backend")
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value


def _table(found: list[Measured]) -> Table:
    right = [Column(name, justify="right", no_wrap=True) for name in ("times", "symptom", "recovery", "recovered")]
    table = Table(Column("kind", no_wrap=True), *right, "people see", box=None, pad_edge=False, header_style="bold")
    for row in found:
        seconds = [f"{each:.1f} s" if each else "-" for each in (row.symptom, row.recovery, row.recovered)]
        table.add_row(row.kind, str(row.times), *seconds, escape(row.problem or row.seen))
    return table
