"""`hallmark clauses`, `hallmark audit`, `hallmark docs`: looking at the whole."""

from pathlib import Path

import click

from hallmark import catalog, reference
from hallmark.cli.app import App
from hallmark.errors import Exit
from hallmark.evidence import collect as collecting
from hallmark.evidence.collect import Growing
from hallmark.grading import plugin
from hallmark.model import CheckSpec
from hallmark.reporting import pages
from hallmark.views.all import Views
from hallmark.views.leftovers import Leftovers


@click.command()
@click.option("--missing", is_flag=True, help="Only graded clauses that have no check yet.")
@click.pass_obj
def clauses(app: App, missing: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Print the coverage matrix: clause, level, state, checks, labs."""
    rows = reference.matrix(reference.load(), all_checks(app.root), catalog.labs(app.root))
    shown = [row for row in rows if not missing or row.state is reference.Coverage.PLANNED]
    for row in shown:
        app.console.print(f"{row.clause.id:8} {row.clause.level:4} {row.state}", markup=False)
        for check in row.checks:
            app.console.print(f"         check {check.id}", markup=False, soft_wrap=True)
        for lab in row.labs:
            app.console.print(f"         lab   {lab.id}", markup=False, soft_wrap=True)
    app.console.print(f"{len(shown)} clauses.")


@click.command()
@click.pass_obj
def audit(app: App) -> None:
    """List what of a lab is still there and may cost money; exit code 1 when something is."""
    if app.settings().target == "twin" and not app.twin.status().running:
        app.console.print("The twin is down: nothing is left.")
        return
    profile = app.profile()
    taken = collecting.collect(app.sources(profile), profile.scope(), _leftovers, profile.deadline)
    found = Leftovers(Views(taken)).found
    for line in found:
        app.console.print(f"left: {line}", markup=False, soft_wrap=True)
    app.console.print(f"{len(found)} resources left." if found else "Nothing is left.")
    raise click.exceptions.Exit(int(Exit.NOT_PASSED if found else Exit.PASSED))


@click.command(hidden=True)
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def docs(app: App, folder: Path) -> None:
    """Write the generated pages of the site into FOLDER (used by nox -s docs)."""
    pages.write(
        folder,
        root=app.root,
        reference=reference.load(),
        labs=catalog.labs(app.root),
        checks=all_checks(app.root),
        command=click.get_current_context().find_root().command,
    )


def all_checks(root: Path) -> tuple[CheckSpec, ...]:
    """Return what every check of every lab declares; offline."""
    clauses_ = reference.load()
    graders = [root / "graders" / lab.id for lab in catalog.labs(root)]
    return tuple(check.spec for grader in graders for check in plugin.checks(grader, clauses_))


def _leftovers(evidence: Growing) -> list[collecting.Question]:
    view = Leftovers(Views(evidence))
    return [lambda: view.found]
