"""Faults of no lab: of a kind alone, with parameters of somebody's own or those of the first lab that has it."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from hallmark.faults import definition, kinds
from hallmark.faults.definition import Fault

OWNER = "by-hand"
"""Stands for a lab in the journal."""
TTL = timedelta(minutes=30)


def fault(kind: str, params: Mapping[str, Any]) -> Fault:
    """Return a fault whose symptom is the kind's."""
    symptom = kinds.load(kind, params).symptom.splitlines()[0]
    return Fault(OWNER, kind, TTL, symptom, params=params)


def usual(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return parameters with which each kind bites into the reference: those of the first lab that has it."""
    labs = [definition.read(file) for file in sorted(root.glob("graders/*/fault.toml"), reverse=True)]
    return {each.kind: each.params for each in labs}
