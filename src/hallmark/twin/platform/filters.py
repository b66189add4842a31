"""Filters in SQL. Values never become a part of the text: they are parameters of the query."""

from collections.abc import Callable, Sequence
from typing import Any

from hallmark.twin.platform.expressions import Name, Term, invalid, read
from hallmark.twin.platform.rows import moment

COMPARED = {"eq": "=", "neq": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "ILIKE"}
STATUS = "multiIf(error IS NOT NULL, 'error', end_time IS NOT NULL, 'success', 'pending')"
"""Known only when all parts of a run are."""
TEXTS = {
    "id": "toString(id)",
    "name": "name",
    "run_type": "run_type",
    "status": STATUS,
    "error": "error",
    "trace_id": "toString(trace_id)",
    "parent_run_id": "toString(parent_run_id)",
    "session_id": "toString(session_id)",
    "dotted_order": "dotted_order",
}
NUMBERS = {"latency": "dateDiff('microsecond', start_time, end_time) / 1000000"}
TRUTHS = {"is_root": "parent_run_id IS NULL", "error": "error IS NOT NULL"}
MOMENTS = frozenset({"start_time", "end_time"})
SEARCHED = "concat(ifNull(name, ''), ' ', ifNull(inputs, ''), ' ', ifNull(outputs, ''), ' ', ifNull(error, ''))"
PAIRS = {"metadata_key": "metadata_value", "feedback_key": "feedback_score"}
"""Fields that are asked for in pairs, inside one ``and``."""


class Conditions:
    """Conditions of one query, and their parameters."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.parameters: dict[str, object] = {}

    def add(self, part: str, **parameters: object) -> None:
        """Demand something."""
        self.parts.append(part)
        self.parameters |= parameters

    def filter(self, text: str) -> None:
        """Demand what a filter says.

        Raises:
            Refusal: It cannot be read, or asks for what is not here.
        """
        self.parts.append(self._term(read(text)))

    def sql(self) -> str:
        """All of them."""
        return " AND ".join(f"({part})" for part in self.parts) or "1"

    def value(self, value: object, kind: str = "String") -> str:
        """A parameter for a value."""
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    def _term(self, term: Any) -> str:
        if not isinstance(term, Term):
            raise invalid()
        if term.function == "and":
            return self._all(term.arguments)
        if term.function == "or":
            return self._joined(" OR ", term.arguments)
        handlers: dict[str, Callable[..., str]] = {
            "not": self._not, "has": self._has, "search": self._search, "in": self._in
        }  # fmt: skip
        if term.function in handlers:
            return handlers[term.function](*self._exactly(term))
        if term.function not in COMPARED:
            raise invalid()
        return self._comparison(term)

    @staticmethod
    def _exactly(term: Term) -> Sequence[Any]:
        if len(term.arguments) != (1 if term.function in {"not", "search"} else 2):
            raise invalid()
        return term.arguments

    def _joined(self, word: str, terms: Sequence[Any]) -> str:
        return f"({word.join(self._term(each) for each in terms) or '1'})"

    def _all(self, terms: Sequence[Any]) -> str:
        pairs = {name: each for each in terms if (name := _field(each)) in {*PAIRS, *PAIRS.values()}}
        others = [each for each in terms if each not in pairs.values()]
        found = [self._pair(key, pairs[key], pairs.get(value)) for key, value in PAIRS.items() if key in pairs]
        return " AND ".join([*found, *(self._term(each) for each in others)]) or "1"

    def _pair(self, name: str, key: Term, value: Term | None) -> str:
        wanted = self.value(key.arguments[1])
        if name == "metadata_key":
            there = f"JSONHas(ifNull(extra, ''), 'metadata', {wanted})"
            found = f"JSONExtractString(ifNull(extra, ''), 'metadata', {wanted})"
            return there + (f" AND {self._compare(found, value)}" if value else "")
        score = f" AND {self._compare('score', value, 'Float64')}" if value else ""
        return f"id IN (SELECT run_id FROM feedback FINAL WHERE key = {wanted}{score})"  # noqa: S608  (parameters)

    def _comparison(self, term: Term) -> str:
        name = _field(term)
        if not name:
            raise invalid()
        if name in PAIRS:
            return self._pair(name, term, None)
        wanted = term.arguments[1]
        if wanted is None and name in {*TEXTS, *MOMENTS}:
            return f"{name} IS {'NULL' if term.function == 'eq' else 'NOT NULL'}"
        if isinstance(wanted, bool) and name in TRUTHS:
            return TRUTHS[name] if wanted == (term.function == "eq") else f"NOT ({TRUTHS[name]})"
        if name in NUMBERS:
            return self._compare(NUMBERS[name], term, "Float64")
        if name in MOMENTS:
            return f"{name} {COMPARED[term.function]} {self.value(moment(wanted), 'DateTime64(6)')}"
        if name in TEXTS:
            return self._compare(TEXTS[name], term)
        raise invalid()

    def _compare(self, left: str, term: Term, kind: str = "String") -> str:
        wanted = term.arguments[1]
        if isinstance(wanted, bool):
            wanted = str(wanted).lower()
        if term.function not in COMPARED or not isinstance(wanted, str | float):
            raise invalid()
        if kind == "Float64" and not isinstance(wanted, float):
            raise invalid()
        return f"{left} {COMPARED[term.function]} {self.value(_plain(wanted), kind)}"

    def _not(self, term: Any) -> str:
        return f"NOT ({self._term(term)})"

    def _has(self, name: Any, wanted: Any) -> str:
        if name != Name("tags"):
            raise invalid()
        return f"has(JSONExtract(ifNull(tags, '[]'), 'Array(String)'), {self.value(wanted)})"

    def _search(self, wanted: Any) -> str:
        return f"positionCaseInsensitive({SEARCHED}, {self.value(wanted)}) > 0"

    def _in(self, name: Any, wanted: Any) -> str:
        if not isinstance(name, Name) or name.name not in TEXTS or not isinstance(wanted, list):
            raise invalid()
        return f"{TEXTS[name.name]} IN ({', '.join(self.value(each) for each in wanted) or 'NULL'})"


def _field(term: Any) -> str:
    # The field that a comparison is about; empty for what is no comparison.
    if not isinstance(term, Term) or term.function not in COMPARED or len(term.arguments) != 2:  # noqa: PLR2004
        return ""
    return term.arguments[0].name if isinstance(term.arguments[0], Name) else ""


def _plain(value: Any) -> Any:
    # Numbers are compared with texts as they were written.
    return int(value) if isinstance(value, float) and value.is_integer() else value
