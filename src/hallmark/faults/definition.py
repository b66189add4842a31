"""A lab's fault: ``graders/<lab>/fault.toml``, which names a kind and says how long it may last."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from hallmark.errors import AuthorError

PHASES = ("detect", "collect", "diagnose", "repair")
_KEYS = {"kind": str, "ttl_minutes": int, "symptom": str, "phases": list}


@dataclass(frozen=True)
class Fault:
    """What a lab breaks.

    Attributes:
        lab: The lab it belongs to.
        kind: Name of a module in ``faults/kinds``, with hyphens.
        ttl: Time to live: after it the fault reverts itself.
        symptom: What an operator notices, in one sentence.
        phases: What of detect, collect, diagnose and repair is graded.
        params: Parameters of the kind.
    """

    lab: str
    kind: str
    ttl: timedelta
    symptom: str
    phases: tuple[str, ...] = PHASES
    params: Mapping[str, Any] = field(default_factory=dict)


def read(file: Path) -> Fault:
    """Read a ``fault.toml``.

    Raises:
        AuthorError: It is malformed.
    """
    where = f"graders/{file.parent.name}/{file.name}"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AuthorError(f"{where} is not valid TOML: {error}") from error
    if problems := _problems(table):
        raise AuthorError(f"{where}: {'; '.join(problems)}.")
    return Fault(
        lab=file.parent.name,
        kind=table["kind"],
        ttl=timedelta(minutes=table["ttl_minutes"]),
        symptom=table["symptom"],
        phases=tuple(table["phases"]),
        params=table.get("params", {}),
    )


def _problems(table: Mapping[str, Any]) -> list[str]:
    problems = [f"unknown key {name}" for name in sorted(set(table) - set(_KEYS) - {"params"})]
    problems += [f"{name} must be {kind.__name__}" for name, kind in _KEYS.items() if type(table.get(name)) is not kind]
    if not problems and table["ttl_minutes"] < 1:
        problems.append("ttl_minutes must be at least 1")
    if not problems and not set(table["phases"]) <= set(PHASES):
        problems.append(f"phases are {', '.join(PHASES)}")
    if not isinstance(table.get("params", {}), dict):
        problems.append("params must be a table")
    return problems
