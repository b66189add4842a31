"""Filters as text, ``and(eq(run_type, "llm"), gt(latency, 2))``, read into calls of calls."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from hallmark.twin.platform.calls import Refusal

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>[(),\[\]]))"""
)
_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
DEEPEST, LONGEST = 20, 10_000


@dataclass(frozen=True)
class Name:
    """A field."""

    name: str


@dataclass(frozen=True)
class Term:
    """A function with its arguments: terms, names and constants."""

    function: str
    arguments: tuple[Any, ...]


def read(text: str) -> Term:
    """Read a filter.

    Raises:
        Refusal: It cannot be read.
    """
    tokens = _Tokens(text)
    found = _value(tokens, 0)
    if not isinstance(found, Term) or tokens.peek() is not None:
        raise invalid()
    return found


def invalid() -> Refusal:
    """A filter that cannot be used."""
    return Refusal(400, "Invalid filter")


class _Tokens:
    def __init__(self, text: str) -> None:
        self._all = self._split(text.strip())
        self._next = next(self._all, None)

    @staticmethod
    def _split(text: str) -> Iterator[tuple[str, str]]:
        position = 0
        while position < len(text):
            found = _TOKEN.match(text, position)
            if not found or len(text) > LONGEST:
                raise invalid()
            yield str(found.lastgroup), found[found.lastgroup or 0]
            position = found.end()

    def peek(self) -> tuple[str, str] | None:
        return self._next

    def take(self, *signs: str) -> tuple[str, str]:
        found = self._next
        if found is None or (signs and found[1] not in signs):
            raise invalid()
        self._next = next(self._all, None)
        return found


def _value(tokens: _Tokens, depth: int) -> Any:
    kind, text = tokens.take()
    if depth > DEEPEST:
        raise invalid()
    if kind == "text":
        return _unquoted(text)
    if kind == "number":
        return float(text)
    if kind == "sign":
        return _several(tokens, depth, "]") if text == "[" else _refuse()
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if tokens.peek() == ("sign", "("):
        tokens.take()
        return Term(text, tuple(_several(tokens, depth, ")")))
    return Name(text)


def _several(tokens: _Tokens, depth: int, end: str) -> list[Any]:
    found: list[Any] = []
    if tokens.peek() == ("sign", end):
        tokens.take()
        return found
    while True:
        found.append(_value(tokens, depth + 1))
        if tokens.take(",", end)[1] == end:
            return found


def _unquoted(text: str) -> str:
    if text[0] == '"':
        try:
            return str(orjson.loads(text))
        except orjson.JSONDecodeError:
            pass
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _refuse() -> Any:
    raise invalid()
