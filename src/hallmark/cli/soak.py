"""`hallmark soak`: constant load on the twin while faults come and go."""

import random
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click
from rich.table import Column, Table

from hallmark.cli.app import App
from hallmark.errors import EnvironmentFault, Exit, UsageError
from hallmark.faults import kinds
from hallmark.faults.rota import Rota

if TYPE_CHECKING:
    from hallmark.twin.soak import Row


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), default=30.0, help="How long. Default: 30.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=20.0, help="Traces a second. Default: 20.")
@click.option("--seed", type=int, help="Order of the faults, as an earlier run told it. Default: any.")
@click.option("--only", multiple=True, metavar="KIND", help="Kinds of fault to use, again and again. Default: all.")
@click.pass_obj
def soak(app: App, minutes: float, rate: float, seed: int | None, only: tuple[str, ...]) -> None:
    """Load the twin with traces, break something every minute, and see that no promise is broken.

    Each fault is there for half a minute. At the end every accepted run has to be readable; those that the
    architecture does not promise to keep are counted and explained. Exit code 1 when one is lost that it promises.
    """
    if unknown := sorted(set(only) - set(kinds.names())):
        raise UsageError(f"there is no kind of fault {unknown[0]!r}.", f"There are {', '.join(kinds.names())}.")
    profile = app.profile()
    if profile.target != "twin":
        raise UsageError("only the twin is soaked: a fault every minute is nothing for a system others use.")
    from hallmark.twin import soak as soaking  # noqa: PLC0415  (an extra: learners on AWS do not install it)
    from hallmark.twin.load import Load  # noqa: PLC0415
    from hallmark.twin.tracing import Tracer  # noqa: PLC0415
    from hallmark.twin.witness import Witness  # noqa: PLC0415

    entrance = app.twin.entrance()
    if entrance is None:
        raise EnvironmentFault("Nothing leads to LangSmith.", "hallmark twin reset")
    state = app.home.resolve() / "twin"
    witness = Witness(state, app.twin.account, state / "cluster" / "kubeconfig")
    rota = Rota(app.root, profile, app.home, only)
    with Tracer(entrance, app.twin.api_key(), f"soak-{int(time.time())}") as tracer:
        plan = soaking.Plan(minutes * 60, min(60.0, minutes * 60), random.randrange(10_000) if seed is None else seed)  # noqa: S311
        app.say(f"{len(rota.names)} kinds of fault, one a minute, in the order of --seed {plan.seed}.")
        report = soaking.Soak(Load(tracer.send, rate), rota, witness, app.say).run(plan, tracer.readable)
    app.console.print(_table(report.rows))
    if report.stuck:
        app.console.print(f"Not reverted: {report.stuck}", markup=False)
    raise click.exceptions.Exit(int(Exit.PASSED if report.is_kept else Exit.NOT_PASSED))


def _table(rows: "Sequence[Row]") -> Table:
    right = [Column(name, justify="right") for name in ("Sent", "Accepted", "Lost")]
    table = Table("During", *right, "Not accepted", "Why lost", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        lost = sum(row.excused.values()) + row.broken
        why = row.excused | ({"PROMISED, AND LOST": row.broken} if row.broken else {})
        figures = (str(row.sent), str(row.accepted), str(lost))
        table.add_row(row.during or "between faults", *figures, _counts(row.refused), _counts(why))
    return table


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(found.items())) or "-"
