"""The figures of a kind of fault: of one turn, the worst of several, and those that were kept for the page."""

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("measured.toml")


@dataclass(frozen=True)
class Measured:
    """One kind, measured once or several times in a row.

    Attributes:
        kind: Its name.
        seen: What people saw while the fault was there.
        symptom: Seconds from its first call until the symptom was proved; 0: it could not be injected.
        recovery: Seconds from the first inverse until the symptom was gone and traces went round.
        recovered: Seconds from the first inverse until R1 to R9 held and the state was the one before; 0: they did not.
        times: How often it was injected and reverted.
        problem: What was not as it is to be; empty: nothing.
    """

    kind: str
    seen: str = ""
    symptom: float = 0.0
    recovery: float = 0.0
    recovered: float = 0.0
    times: int = 1
    problem: str = ""


def worst(turns: Sequence[Measured]) -> Measured:
    """Return the slowest of each figure; a problem is that of the last turn, or that people saw different things."""
    last, sights = turns[-1], sorted({each.seen for each in turns})
    differs = f"people saw {' and '.join(map(repr, sights))}" if len(sights) > 1 else ""
    return replace(
        last,
        symptom=max(each.symptom for each in turns),
        recovery=max(each.recovery for each in turns),
        recovered=max(each.recovered for each in turns),
        times=len(turns),
        problem=last.problem or differs,
    )


def write(file: Path, found: Sequence[Measured], now: datetime) -> None:
    """Write figures, each kind with its day; those of kinds that were not measured stay."""
    table = {**read(file), **{each.kind: {**asdict(each), "day": f"{now:%Y-%m-%d}"} for each in found}}
    lines = ["# Written by `hallmark fault measure --keep`: seconds on a twin, the worst of so many times.", ""]
    for kind, row in sorted(table.items()):
        values = [f"{name} = {_toml(value)}" for name, value in row.items() if name != "kind"]
        lines += [f"[{kind}]", *values, ""]
    file.write_text("\n".join(lines), encoding="utf-8")


def read(file: Path = FILE) -> dict[str, dict[str, Any]]:
    """Return the figures that were kept, by kind."""
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _toml(value: object) -> str:
    if isinstance(value, (int, float)):
        return repr(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
