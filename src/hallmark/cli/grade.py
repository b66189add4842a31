"""`hallmark grade` and `hallmark collect`: the way of a grade, composed."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from hallmark import catalog, reference
from hallmark.cli.app import App
from hallmark.errors import EnvironmentFault
from hallmark.evidence import collect as collecting
from hallmark.evidence import files, snapshot
from hallmark.evidence.collect import Growing, Question
from hallmark.evidence.snapshot import LOCAL, Snapshot
from hallmark.grading import plugin, scoring
from hallmark.grading.plugin import Gather
from hallmark.model import Lab, Scorecard, Status
from hallmark.reporting import html, junit, scorecard, terminal

_HOPELESS = {
    "unreachable": ("the target does not answer", "hallmark twin status"),
    "credentials": ("AWS does not accept the credentials", "aws sts get-caller-identity"),
}


@click.command()
@click.argument("lab_id", metavar="[LAB]", required=False)
@click.option("--evidence", type=click.Path(path_type=Path), help="Grade this stored evidence; ask no target.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for scorecard.json, .html and .xml. Default: .hallmark/grades/<lab>.",
)
@click.pass_obj
def grade(app: App, lab_id: str | None, evidence: Path | None, output: Path | None) -> None:
    """Grade a lab and print its scorecard.

    \b
    Examples:
      hallmark grade
      hallmark grade preflight-account
      hallmark grade --evidence evidence.json
    Exit codes: 0 passed, 1 not passed, 2 wrong use, 3 could not tell.
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    lab = catalog.lab(app.root, lab_id) if lab_id else app.default_lab()
    card, taken = grade_lab(app, lab, evidence)
    folder = output or app.home / "grades" / lab.id
    write_reports(folder, card, taken)
    terminal.show(app.console, card, reference.load())
    app.say(f"Written: {folder}/scorecard.html, scorecard.json, scorecard.xml, evidence.json")
    raise click.exceptions.Exit(int(scoring.exit_code(card)))


@click.command()
@click.argument("lab_id", metavar="[LAB]", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=Path("evidence.json"))
@click.pass_obj
def collect(app: App, lab_id: str | None, output: Path) -> None:
    """Collect evidence of the target and write it, redacted, without grading.

    \b
    Example:
      hallmark collect -o evidence.json && hallmark grade --evidence evidence.json
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    lab = catalog.lab(app.root, lab_id) if lab_id else app.default_lab()
    checks = plugin.checks(app.root / "graders" / lab.id, reference.load())
    taken = _from_target(app, lab)(plugin.questions(checks))
    files.write_text(output, taken.to_json())
    kinds = Counter(str(answer.status) for answer in taken.answers.values())
    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    app.say(f"{output}: {len(taken.answers)} answers ({counts}).")


def grade_lab(app: App, lab: Lab, evidence: Path | None = None) -> tuple[Scorecard, Snapshot]:
    """Grade *lab* on stored evidence, or on what the target answers now."""
    gather = _from_file(evidence) if evidence else _from_target(app, lab)
    results, taken = plugin.grade(app.root / "graders" / lab.id, reference.load(), gather)
    return scoring.score(lab, results, taken), taken


def write_reports(folder: Path, card: Scorecard, taken: Snapshot) -> None:
    """Write the four files of a grade; each is complete or not there."""
    clauses = reference.load()
    files.write_text(folder / "evidence.json", taken.to_json())
    files.write_text(folder / "scorecard.json", scorecard.to_json(card))
    files.write_text(folder / "scorecard.html", html.render(card, clauses))
    files.write_text(folder / "scorecard.xml", junit.render(card))


def _from_file(path: Path) -> Gather:
    stored = snapshot.read(path)
    return lambda _: stored


def _from_target(app: App, lab: Lab) -> Gather:
    profile = app.profile(lab)

    def gather(questions: Callable[[Growing], Sequence[Question]]) -> Snapshot:
        with terminal.Progress(app.status) as progress:
            taken = collecting.collect(app.sources(profile), profile.scope(), questions, profile.deadline, progress)
        _refuse_hopeless(taken)
        return taken

    return gather


def _refuse_hopeless(taken: Snapshot) -> None:
    """Say it once when no question to AWS got through, instead of once a check."""
    asked = [answer for key, answer in taken.answers.items() if key.split(".")[0] not in LOCAL]
    codes = {answer.code if answer.status is Status.FAILED else "" for answer in asked}
    if len(codes) == 1 and (found := _HOPELESS.get(codes.pop())):
        raise EnvironmentFault(f"{found[0]}: {asked[0].message}.", found[1])
