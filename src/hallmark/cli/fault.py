"""`hallmark fault` and `hallmark revert`: what was broken on purpose, and the way back."""

from pathlib import Path

import click

from hallmark import catalog
from hallmark.cli.app import App
from hallmark.errors import UsageError
from hallmark.faults import runner


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
@click.argument("lab_id", metavar="LAB")
@click.option("--dry-run", is_flag=True, help="Show the calls and their inverses; change nothing.")
@click.pass_obj
def inject(app: App, lab_id: str, dry_run: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Inject the fault of LAB.

    \b
    Example:
      hallmark fault inject failure-database-unreachable --dry-run
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    chosen = catalog.lab(app.root, lab_id)
    file = _fault_file(app.root, chosen.id)
    journal = runner.inject(file, app.profile(chosen), app.home, dry_run=dry_run)
    for step in journal.steps:
        app.console.print(f"{'would call' if dry_run else 'called'}  {step.describe()}", markup=False)
        app.console.print(f"  inverse   {step.describe_inverse()}", markup=False)
    app.console.print("Nothing was changed." if dry_run else f"Injected. It reverts by itself at {journal.expires_at}.")


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


def _fault_file(root: Path, lab_id: str) -> Path:
    file = root / "graders" / lab_id / "fault.toml"
    if not file.is_file():
        raise UsageError(f"{lab_id} has no fault.", "hallmark lab list")
    return file
