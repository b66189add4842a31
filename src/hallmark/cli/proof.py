"""`hallmark mutants` and `hallmark bench`: proving the graders; measuring a grade, the Kubernetes API, a whole twin."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from rich.table import Table

from hallmark import catalog, reference
from hallmark.cli.app import App
from hallmark.cli.grade import grade_lab
from hallmark.errors import Exit, UsageError
from hallmark.evidence import snapshot
from hallmark.evidence.snapshot import Snapshot
from hallmark.grading import benchmark, mutation, plugin
from hallmark.grading.judge import Check, judge_all
from hallmark.model import Lab, Verdict
from hallmark.twin.cluster import bench as kubernetes

TABLES = ("grade", "kubernetes", "twin")


@click.command()
@click.argument("lab_id", metavar="[LAB]", required=False)
@click.option("--evidence", type=click.Path(path_type=Path), help="Evidence of the solution; default: ask the target.")
@click.pass_obj
def mutants(app: App, lab_id: str | None, evidence: Path | None) -> None:
    """Change one fact of the solution at a time and see whether the right checks notice.

    The target has to be in the solved state of the lab. Exit code 1 when a mutant survives.
    """
    lab = catalog.lab(app.root, lab_id) if lab_id else app.default_lab()
    checks = plugin.checks(app.root / "graders" / lab.id, reference.load())
    solution = snapshot.read(evidence) if evidence else grade_lab(app, lab)[1]
    _require_solved(lab, checks, solution)
    outcomes, seconds = _try_all(app, lab, checks, solution)
    survivors = [outcome for outcome in outcomes if not outcome.killed]
    for outcome in survivors:
        app.console.print(f"survivor: {outcome.mutant.name}: {outcome.mutant.description}", markup=False)
        app.console.print(f"  missed by: {', '.join(outcome.missed) or '-'}; hurt: {', '.join(outcome.hurt) or '-'}")
    broken = {name for outcome in outcomes for name in outcome.mutant.breaks}
    unproven = [check.spec.id for check in checks if check.spec.id.split("/")[1] not in broken]
    for name in unproven:
        app.console.print(f"no mutant breaks: {name}")
    app.console.print(
        f"{lab.id}: {len(outcomes)} mutants, {len(outcomes) - len(survivors)} killed, {len(survivors)} survivors, "
        f"{len(checks) - len(unproven)} of {len(checks)} checks proven, {len(outcomes) / seconds:.0f} mutants/s",
        soft_wrap=True,
    )
    raise click.exceptions.Exit(int(Exit.NOT_PASSED if survivors or unproven else Exit.PASSED))


@click.command()
@click.option("--latency", type=int, default=50, help="Milliseconds added to each call of AWS. Default: 50.")
@click.option("--only", type=click.Choice(TABLES), help="One table alone. Default: all.")
@click.pass_obj
def bench(app: App, latency: int, only: str | None) -> None:
    """Measure what Hallmark promises, each figure beside its goal.

    grade: a grade against the same checks each calling AWS for themselves, and against the floor; side by side, each
    call of AWS delayed by the same latency. kubernetes: the twin's Kubernetes API, on a server of its own. twin: a
    whole twin of its own, from its start to traces of the SDK.
    """
    if only in {None, "grade"}:
        _bench_grade(app, latency)
    if app.settings().target != "twin":
        return
    if only in {None, "kubernetes"}:
        app.console.print(_table(("Kubernetes API of the twin", "Measured", "Goal"), kubernetes.measure()))
    if only in {None, "twin"}:
        from hallmark.twin import bench as whole  # noqa: PLC0415  (an extra: learners on AWS do not install it)

        rows = whole.measure(app.root, app.home, app.say)
        app.console.print(_table(("The whole twin", "Measured", "Goal"), rows))


def _bench_grade(app: App, latency: int) -> None:
    lab = app.default_lab()
    profile = app.profile(lab)
    checks = plugin.checks(app.root / "graders" / lab.id, reference.load())
    rows = benchmark.measure(checks, lambda: app.sources(profile), profile.scope(), latency / 1000)
    told = ((row.what, f"{row.seconds:.2f}", str(row.calls), f"{row.seconds / rows[-1].seconds:.2f}") for row in rows)
    app.console.print(_table(("What", "Seconds", "Calls", "Against the floor"), told))
    app.console.print(f"Calls made for each distinct call needed: {rows[0].calls / rows[-1].distinct:.2f}")
    app.console.print(f"One grade is {rows[1].seconds / rows[0].seconds:.1f} times as fast as a call a check.")


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _require_solved(lab: Lab, checks: list[Check], solution: Snapshot) -> None:
    """A mutant of a broken system proves nothing."""
    results = judge_all(checks, solution)
    if wrong := [name for name, result in results.items() if result.verdict is not Verdict.PASS]:
        hint = f"hallmark lab solve {lab.id}"
        raise UsageError(f"this is not the solved state of {lab.id}: {wrong[0]} does not pass.", hint)


def _try_all(app: App, lab: Lab, checks: list[Check], solution: Snapshot) -> tuple[list[mutation.Outcome], float]:
    found = mutation.load(app.root / "graders" / lab.id)
    started = time.monotonic()
    outcomes = [mutation.try_mutant(each, checks, solution) for each in found]
    return outcomes, max(time.monotonic() - started, 0.001)
