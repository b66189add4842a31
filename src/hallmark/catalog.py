"""The catalogue: labs found by path, never registered. Reads files of this project and nothing else."""

import os
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from hallmark.errors import AuthorError, UsageError
from hallmark.model import Lab

TREES = ("labs", "graders", "solutions")
TRACKS = ("preflight", "deployment", "sharp-edges", "failure")
STARTS = ("current", "empty", "baseline", "deployed")
_REQUIRED = ("title", "track", "summary", "minutes", "order", "targets", "start")
_LISTS = ("targets", "hints", "clauses", "edges")


def project_root(start: Path | None = None) -> Path:
    """Find the folder that holds the three trees: ``HALLMARK_ROOT``, else *start* or a folder above it.

    Raises:
        UsageError: There is none.
    """
    if set_by_hand := os.environ.get("HALLMARK_ROOT"):
        candidates = [Path(set_by_hand)]
    else:
        here = (start or Path.cwd()).resolve()
        candidates = [here, *here.parents]
    for folder in candidates:
        if all((folder / tree).is_dir() for tree in TREES):
            return folder
    hint = "Run the command inside a clone of the repository, or set HALLMARK_ROOT."
    raise UsageError("no labs here: the folders labs, graders and solutions were not found.", hint)


def labs(root: Path) -> tuple[Lab, ...]:
    """All labs of the project, by track and order.

    Raises:
        AuthorError: A ``lab.toml`` is malformed.
    """
    found = [_read(file) for file in sorted((root / "labs").glob("*/lab.toml"))]
    return tuple(sorted(found, key=lambda lab: (TRACKS.index(lab.track), lab.order, lab.id)))


def lab(root: Path, name: str) -> Lab:
    """One lab by its folder name.

    Raises:
        UsageError: There is no such lab; the message names the ones there are.
    """
    file = root / "labs" / name / "lab.toml"
    if "/" in name or "\\" in name or name.startswith(".") or not file.is_file():
        known = ", ".join(sorted(path.parent.name for path in (root / "labs").glob("*/lab.toml")))
        raise UsageError(f"unknown lab {name!r}.", f"Labs: {known}. See: hallmark lab list")
    return _read(file)


def _read(file: Path) -> Lab:
    where = f"labs/{file.parent.name}/lab.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AuthorError(f"{where} is not valid TOML: {error}") from error
    _check(table, where)
    lists = {name: tuple(table.get(name, ())) for name in _LISTS}
    return Lab(id=file.parent.name, **{**table, **lists})


def _check(table: dict[str, Any], where: str) -> None:
    known = {field.name for field in fields(Lab)} - {"id"}
    problems = [f"missing {name}" for name in _REQUIRED if name not in table]
    problems += [f"unknown key {name}" for name in table if name not in known]
    problems += [f"{n} must be a list of texts" for n in _LISTS if not _is_texts(table.get(n, []))]
    problems += [f"{n} must be text" for n in ("title", "track", "summary", "start") if not _is(table.get(n, ""), str)]
    problems += [f"{n} must be a whole number" for n in ("minutes", "order") if not _is(table.get(n, 0), int)]
    problems += [] if _is(table.get("workspace", False), bool) else ["workspace must be true or false"]
    if not problems and table["track"] not in TRACKS:
        problems.append(f"track must be one of {', '.join(TRACKS)}")
    if not problems and table["start"] not in STARTS:
        problems.append(f"start must be one of {', '.join(STARTS)}")
    if problems:
        raise AuthorError(f"{where}: {'; '.join(problems)}.", "See CONTRIBUTING.md, 'Add a lab'.")


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
