"""A scorecard as a JSON file: what is stored, compared, signed and read back. Everything shown is made from it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from hallmark.errors import UsageError
from hallmark.model import CheckSpec, Level, Result, Scorecard, Verdict
from hallmark.reporting.outline import tally

FORMAT = 1
_AGAIN = "Make a new one: nox -s grade"
_Record = TypeVar("_Record", CheckSpec, Result, Scorecard)


def to_json(card: Scorecard) -> str:
    """Return the one text of *card*: keys sorted, so that equal scorecards are equal files."""
    body = {"format": FORMAT, **asdict(card)}
    text = json.dumps(body, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    # Half a surrogate pair cannot be written as UTF-8; its backslash form is the JSON escape of the same text.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def read(path: Path) -> Scorecard:
    """Read the scorecard in file *path*.

    Raises:
        UsageError: The file cannot be read, is not a scorecard, has another format, or contradicts itself.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.", _AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not a scorecard: it is not JSON ({error}).", _AGAIN) from error
    if not isinstance(body, dict) or "format" not in body:
        raise UsageError(f"{path} is not a scorecard: it names no format.", _AGAIN)
    stated = body.pop("format")
    if stated is True or stated != FORMAT:  # to Python, true is 1
        raise UsageError(f"{path} has another scorecard format; this version reads {FORMAT}.", _AGAIN)
    try:
        card = _record(Scorecard, body, "scorecard")
        _hold_together(card)
    except ValueError as error:
        raise UsageError(f"{path} is not a scorecard: {error}.", _AGAIN) from error
    return card


def _record(kind: type[_Record], table: Any, where: str) -> _Record:
    """Build a record from *table*, which has to hold exactly its fields."""
    names = {field.name for field in fields(kind)}
    if not isinstance(table, dict) or set(table) != names:
        wrong = sorted(names.symmetric_difference(table)) if isinstance(table, dict) else ["all"]
        raise ValueError(f"{where}: missing or unknown: {', '.join(wrong)}")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value, f"{where}.{name}") for name, value in table.items()})


def _value(kind: Any, value: Any, where: str) -> Any:
    if kind is CheckSpec:
        return _record(CheckSpec, value, where)
    if kind in {Level, Verdict}:
        return kind(value)
    if kind == tuple[Result, ...] and isinstance(value, list):
        return tuple(_record(Result, item, f"{where}[{number}]") for number, item in enumerate(value))
    if kind == tuple[str, ...] and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if kind == Mapping[str, str] and isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
        return value
    if kind in {str, int} and type(value) is kind:  # a bool is an int to isinstance
        return value
    raise ValueError(f"{where} has a value of the wrong kind")


def _hold_together(card: Scorecard) -> None:
    """Refuse a scorecard whose parts contradict each other: no rendering could be true to it."""
    ids = [result.check.id for result in card.results]
    if len(set(ids)) != len(ids):
        raise ValueError("a check appears twice")
    causes = {result.check.id for result in card.results if result.verdict in {Verdict.FAIL, Verdict.ERROR}}
    for result in card.results:
        if result.check.points < 0:
            raise ValueError(f"{result.check.id} has negative points")
        if not (result.cause in causes if result.verdict is Verdict.BLOCKED else result.cause == ""):
            raise ValueError(f"{result.check.id} is {result.verdict}, and its cause is {result.cause!r}")
    total = tally("", card.results)
    stated = (card.earned, card.possible, card.recommended_met, card.recommended)
    if stated != (total.earned, total.possible, total.recommended_met, total.recommended):
        raise ValueError("its totals do not follow from its results")
