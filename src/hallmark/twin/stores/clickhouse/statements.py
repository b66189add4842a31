"""What of a request is the statement, and what the data of an INSERT.

Text before the data of ``INSERT ... FORMAT x`` is read with a narrow grammar: data may hold the same words. Everything
else is left to the engine, ``INSERT ... VALUES`` included.
"""

import re
from dataclasses import dataclass

_GAP = rb"(?:\s|--[^\n]*\n|/\*.*?\*/)"
_NAME = rb"(?:[\w$.]+|`[^`]*`|\"[^\"]*\")+"
_INSERT = re.compile(
    rb"^" + _GAP + rb"*(?P<target>INSERT\s+INTO\s+(?:TABLE\s+)?" + _NAME + rb"(?:\s*\([^()]*\))?)"
    rb"(?P<settings>\s+SETTINGS\s+[\w\s=,.'-]*?)?\s+FORMAT\s+(?P<format>(?!VALUES\b)\w+)[ \t\f]*\r?\n?",
    re.IGNORECASE | re.DOTALL,
)
HEAD = 20_000
"""Bytes in which an INSERT has to come to its data."""


@dataclass(frozen=True)
class Insert:
    """An INSERT with data.

    Attributes:
        target: ``INSERT INTO`` with table and columns.
        settings: A SETTINGS clause, or nothing.
        format: Of the data.
        data: The data.
    """

    target: str
    settings: str
    format: str
    data: bytes

    def reading(self, file: str) -> str:
        """The same with the data in a file: this way the engine reports every error before it says that all is well."""
        return f"{self.target} FROM INFILE '{file}' {self.settings} FORMAT {self.format}"


def insert(text: bytes) -> Insert | None:
    """The INSERT with data that a request's text is, or None."""
    found = _INSERT.match(text[:HEAD])
    if not found or not text[found.end() :].strip():
        return None
    target, settings, form = ((part or b"").decode().strip() for part in found.group("target", "settings", "format"))
    return Insert(target, settings, form, text[found.end() :])
