"""The reference architecture as data: its clauses, its decisions, and what of it is graded.

The text lives in ``reference.toml`` beside this module. Reading it is pure, so that listing clauses,
writing the docs and collecting checks work offline.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, TypeVar

from hallmark.errors import AuthorError
from hallmark.model import CheckSpec, Clause, Lab, Level

SOURCES = ("aws", "cluster", "http", "files", "attest")
READ_TODAY = frozenset({"aws", "cluster", "http", "files"})
TRACKS = MappingProxyType({"L1": "preflight", "L2": "deployment", "L3": "sharp-edges", "L4": "failure"})
_NOT_GRADED = frozenset({Level.OUT, Level.ATT})
_CLAUSE_ID = re.compile(r"[A-Z][A-Z0-9]*-[1-9][0-9]*")
_DECISION_ID = re.compile(r"D[1-9][0-9]*")
_R = TypeVar("_R", "Clause", "Decision")


class Coverage(StrEnum):
    """How much of a clause is graded."""

    COVERED = "covered"
    PARTLY = "partly"
    PLANNED = "planned"
    NOT_GRADED = "not graded"


@dataclass(frozen=True)
class Decision:
    """A question the reference leaves open, and how Hallmark answers it.

    Attributes:
        id: ``D1`` … ``D11``.
        question: What is unclear.
        answer: What is graded.
    """

    id: str
    question: str
    answer: str


@dataclass(frozen=True)
class Reference:
    """Every clause and decision by id, in the order of the reference."""

    clauses: Mapping[str, Clause]
    decisions: Mapping[str, Decision]

    def aws_decidable(self) -> tuple[Clause, ...]:
        """Return the graded clauses that read calls to AWS decide on their own."""
        return self._decidable(frozenset({"aws"}))

    def http_decidable(self) -> tuple[Clause, ...]:
        """Return the graded clauses that AWS, the cluster and requests from outside decide together."""
        return self._decidable(frozenset({"aws", "cluster", "http"}))

    def cluster_decidable(self) -> tuple[Clause, ...]:
        """Return the graded clauses that read calls to AWS and to the cluster decide together."""
        return self._decidable(frozenset({"aws", "cluster"}))

    def _decidable(self, read: frozenset[str]) -> tuple[Clause, ...]:
        graded = (clause for clause in self.clauses.values() if clause.level not in _NOT_GRADED)
        return tuple(clause for clause in graded if clause.needs and read.issuperset(clause.needs))


@dataclass(frozen=True)
class Row:
    """One clause of the coverage matrix, with the checks and labs that name it."""

    clause: Clause
    checks: tuple[CheckSpec, ...]
    labs: tuple[Lab, ...]
    state: Coverage


@cache
def load() -> Reference:
    """Read the reference that belongs to this version of Hallmark.

    Raises:
        AuthorError: The file is written wrong.
    """
    return parse(files("hallmark").joinpath("reference.toml").read_text(encoding="utf-8"))


def parse(text: str) -> Reference:
    """Read a reference from TOML with a ``[[clause]]`` and a ``[[decision]]`` table for each record.

    Args:
        text: The TOML text.

    Returns:
        The checked reference.

    Raises:
        AuthorError: Not TOML, or a record with a missing, unknown, repeated or impossible entry.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AuthorError(f"reference.toml is not TOML: {error}") from error
    unknown = set(document) - {"clause", "decision"}
    if unknown:
        raise AuthorError(f"reference.toml: unknown table {min(unknown)!r}", "Use [[clause]] and [[decision]].")
    decisions = _by_id(document.get("decision", []), "decision", _decision)
    clauses = _by_id(document.get("clause", []), "clause", _clause)
    for clause in clauses.values():
        if clause.decision and clause.decision not in decisions:
            raise AuthorError(f"reference.toml: clause {clause.id}: there is no decision {clause.decision!r}")
    return Reference(MappingProxyType(clauses), MappingProxyType(decisions))


def matrix(
    reference: Reference,
    checks: Sequence[CheckSpec],
    labs: Sequence[Lab],
    read: frozenset[str] = READ_TODAY,
) -> tuple[Row, ...]:
    """Return the coverage matrix: one row for each clause, in the order of the reference.

    A clause is *covered* when a check proves it and all it needs can be read, *partly* covered when a
    check proves it but part of what it needs cannot be read yet, and *planned* while no check names it.
    Clauses out of scope or attested are *not graded*. A clause that needs nothing of a target is a promise
    of Hallmark itself: it is covered when each of its tracks has a lab.

    Args:
        reference: The clauses.
        checks: The declarations of all checks.
        labs: All labs.
        read: What this version reads of a target: a subset of ``SOURCES``.

    Raises:
        AuthorError: A check or a lab names a clause that does not exist.
    """
    named = [(check.id, check.clauses) for check in checks] + [(lab.id, lab.clauses) for lab in labs]
    for owner, clauses in named:
        for clause in clauses:
            if clause not in reference.clauses:
                raise AuthorError(f"{owner}: there is no clause {clause!r}", "Run: hallmark clauses")
    return tuple(_row(clause, checks, labs, read) for clause in reference.clauses.values())


def _row(clause: Clause, checks: Sequence[CheckSpec], labs: Sequence[Lab], read: frozenset[str]) -> Row:
    proving = tuple(check for check in checks if clause.id in check.clauses)
    owners = {check.id.partition("/")[0] for check in proving}
    teaching = tuple(lab for lab in labs if clause.id in lab.clauses or lab.id in owners)
    return Row(clause, proving, teaching, _state(clause, bool(proving), {lab.track for lab in labs}, read))


def _state(clause: Clause, proven: bool, tracks: set[str], read: frozenset[str]) -> Coverage:  # noqa: FBT001  (private, named at the call)
    if clause.level in _NOT_GRADED:
        return Coverage.NOT_GRADED
    if clause.needs:
        begun, complete = proven, read.issuperset(clause.needs)
    else:
        missing = {TRACKS[lab] for lab in clause.labs} - tracks
        begun, complete = len(missing) < len(clause.labs), not missing
    if not begun:
        return Coverage.PLANNED
    return Coverage.COVERED if complete else Coverage.PARTLY


def _by_id(tables: list[dict[str, Any]], kind: str, make: Callable[[dict[str, Any]], _R]) -> dict[str, _R]:
    records: dict[str, _R] = {}
    for number, table in enumerate(tables, start=1):
        where = f"reference.toml: {kind} {table.get('id', f'number {number}')}"
        try:
            record = make(table)
        except ValueError as error:
            raise AuthorError(f"{where}: {error}") from error
        if record.id in records:
            raise AuthorError(f"{where}: the id is used twice")
        records[record.id] = record
    return records


def _clause(table: dict[str, Any]) -> Clause:
    _check_entries(table, Clause, required=("id", "level", "section", "domain", "text", "observed"))
    if not _CLAUSE_ID.fullmatch(table["id"]):
        raise ValueError(f"{table['id']!r} is not a clause id like NET-5")
    needs = _choices(table.get("needs", []), SOURCES, "needs")
    labs = _choices(table.get("labs", []), tuple(TRACKS), "labs")
    return Clause(**{**table, "level": Level(table["level"]), "needs": needs, "labs": labs})


def _decision(table: dict[str, Any]) -> Decision:
    _check_entries(table, Decision, required=("id", "question", "answer"))
    if not _DECISION_ID.fullmatch(table["id"]):
        raise ValueError(f"{table['id']!r} is not a decision id like D1")
    return Decision(**table)


def _check_entries(table: dict[str, Any], record: type[Clause | Decision], required: tuple[str, ...]) -> None:
    unknown = set(table) - {field.name for field in fields(record)}
    if unknown:
        raise ValueError(f"unknown entry {min(unknown)!r}")
    for name in required:
        if not isinstance(table.get(name), str) or not table[name].strip():
            raise ValueError(f"{name!r} has to be a text that is not empty")


def _choices(values: Any, allowed: tuple[str, ...], name: str) -> tuple[str, ...]:
    if not isinstance(values, list) or any(value not in allowed for value in values):
        raise ValueError(f"{name!r} has to be a list of {', '.join(allowed)}; found {values!r}")
    if len(set(values)) != len(values):
        raise ValueError(f"{name!r} names something twice: {values!r}")
    return tuple(values)
