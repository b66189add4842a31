"""The generated pages of the docs site, as Markdown: clauses, decisions, checks, labs, faults, commands, changes.

Generated text comes from the record that runs, so the site cannot drift from the program. Nothing of
``solutions/`` or ``graders/`` is opened here: checks arrive as what they declare about themselves.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from itertools import groupby
from pathlib import Path

import click
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from hallmark.errors import AuthorError
from hallmark.faults import figures, kinds
from hallmark.model import CheckSpec, Lab
from hallmark.reference import Reference, Row, matrix

_STARTS = {
    "current": "the target as it is",
    "empty": "an empty account",
    "baseline": "what Terraform builds",
    "deployed": "the whole architecture, with LangSmith installed",
}


@dataclass(frozen=True)
class _Track:
    id: str
    title: str
    sentence: str


_TRACKS = (
    _Track("preflight", "Preflight", "Find out whether an account is ready before anything is built."),
    _Track("deployment", "Deployment", "Build the reference architecture and prove it."),
    _Track("sharp-edges", "Sharp edges", "Meet a known defect, find it, repair it, prove the repair."),
    _Track("failure", "Failure", "Diagnose an outage from its evidence and bring the platform back."),
)


@dataclass(frozen=True)
class _Command:
    path: str
    help: tuple[str, ...]
    usage: str
    options: tuple[tuple[str, str], ...]


def write(
    out: Path,
    *,
    root: Path,
    reference: Reference,
    labs: Sequence[Lab],
    checks: Sequence[CheckSpec],
    command: click.Command,
) -> tuple[Path, ...]:
    """Write every generated page and remove pages of an earlier run that no longer exist.

    Args:
        out: Folder of the pages, usually ``docs/generated``.
        root: The project: ``labs/<lab>/guide.md`` and ``CHANGELOG.md`` are read from it.
        reference: The clauses and decisions.
        labs: All labs, in the order they are shown.
        checks: The declarations of all checks.
        command: The program whose verbs are described.

    Returns:
        The files written.

    Raises:
        AuthorError: A guide is missing, or a check or a lab names an unknown clause.
    """
    rows = matrix(reference, checks, labs)
    pages = {
        "clauses.md": _clauses(rows),
        "decisions.md": _decisions(reference),
        "checks.md": _render("checks.md", labs=[(lab, _of(lab, checks)) for lab in labs]),
        "faults.md": _faults(),
        "cli.md": _render("cli.md", commands=list(_commands(command, "hallmark"))),
        "changelog.md": _read(root / "CHANGELOG.md"),
        "labs/index.md": _render("labs.md", tracks=[(t, [lab for lab in labs if lab.track == t.id]) for t in _TRACKS]),
    }
    pages |= {f"labs/{lab.id}.md": _lab(lab, _read(root / "labs" / lab.id / "guide.md")) for lab in labs}
    for old in sorted(out.rglob("*.md")):
        if old.relative_to(out).as_posix() not in pages:
            old.unlink()
    return tuple(_written(out / name, text) for name, text in pages.items())


def _clauses(rows: Sequence[Row]) -> str:
    count = Counter(str(row.state) for row in rows)
    return _render("clauses.md", rows=rows, count=count)


def _decisions(reference: Reference) -> str:
    resting = [
        (decision, [clause.id for clause in reference.clauses.values() if clause.decision == decision.id])
        for decision in reference.decisions.values()
    ]
    return _render("decisions.md", decisions=resting)


def _faults() -> str:
    return _render("faults.md", kinds=[kinds.about(name) for name in kinds.names()], measured=figures.read())


def _lab(lab: Lab, guide: str) -> str:
    """Put the title of ``lab.toml`` and the facts of the lab above its guide; the guide's own title goes."""
    body = re.sub(r"\A\s*# .*\n", "", guide)
    track = next(track for track in _TRACKS if track.id == lab.track)
    return _render("lab.md", lab=lab, track=track, start=_STARTS[lab.start], guide=body.strip())


def _of(lab: Lab, checks: Iterable[CheckSpec]) -> list[CheckSpec]:
    return [check for check in checks if check.id.startswith(f"{lab.id}/")]


def _commands(command: click.Command, path: str, parent: click.Context | None = None) -> Iterator[_Command]:
    """Walk the tree of *command*, parents before children."""
    context = click.Context(command, info_name=path.rsplit(" ", 1)[-1], parent=parent)
    blocks = tuple(block for block in cleandoc(command.help or "").split("\n\n") if block.strip())
    yield _Command(path, blocks, " ".join([path, *command.collect_usage_pieces(context)]), tuple(_options(context)))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child and not child.hidden:
                yield from _commands(child, f"{path} {name}", context)


def _options(context: click.Context) -> Iterator[tuple[str, str]]:
    """List the options of a command; --help is described once, at the program itself."""
    asking = context.command.get_help_option(context) if context.parent else None
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record and record[1] and parameter is not asking:
            yield record


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise AuthorError(f"{path} is missing.", "See CONTRIBUTING.md, 'Add a lab'.") from error


def _prose(text: str) -> Markup:
    """Make plain text safe inside Markdown and its tables; text between backticks becomes code."""
    safe = str(escape(" ".join(text.split()))).replace("|", "&#124;").replace("*", "&#42;").replace("_", "&#95;")
    return Markup(re.sub(r"``?([^`]+)``?", r"<code>\1</code>", safe))  # noqa: S704  (escaped in the line above)


def _code(text: str) -> Markup:
    return _prose(f"`{text}`")


def _groupby_in_order(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    return [(domain, list(members)) for domain, members in groupby(rows, key=lambda row: row.clause.domain)]


def _anchor(check_id: str) -> str:
    return check_id.replace("/", "-").replace("_", "-")


_environment = Environment(
    loader=PackageLoader("hallmark.reporting", "templates/pages"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_environment.filters |= {"prose": _prose, "code": _code, "anchor": _anchor, "groupby_in_order": _groupby_in_order}


def _render(template: str, **values: object) -> str:
    return _environment.get_template(template).render(**values)
