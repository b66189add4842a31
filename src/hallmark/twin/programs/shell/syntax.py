"""A script of the shell as a tree: commands, what joins them, and their words.

Lists with ``;``, ``&&`` and ``||``, pipes, quotes, variables, redirections to files, ``if``, ``while``, ``until`` and
``for``: the part of the POSIX shell's grammar that people use in pods. Source: POSIX.1-2024, Shell Command Language.
What is not here is refused by name, never guessed.
"""

import re
from dataclasses import dataclass

_VARIABLE = re.compile(r"\$(?:\{(\w+|\?)(?::-([^}]*))?\}|(\w+|\?|\$))")


class ShellSyntax(Exception):
    """The text is not in the part of the grammar that is known here."""


@dataclass(frozen=True)
class Word:
    """Pieces of text; each is expanded unless it stood in single quotes."""

    pieces: tuple[tuple[str, bool], ...]
    quoted: bool = False

    @property
    def literal(self) -> str:
        """The text, if it is a plain word; quoted words are never keywords or operators."""
        return "" if self.quoted else "".join(text for text, _ in self.pieces)


@dataclass(frozen=True)
class Redirect:
    """Where a stream goes: mode ``>``, ``>>`` or ``<`` and a file, or another stream's number as the target."""

    stream: int
    mode: str
    target: Word | int


@dataclass(frozen=True)
class Simple:
    """One command with its words and redirections."""

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True)
class Pipe:
    """Commands, each reading what the one before wrote."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Chain:
    """Commands, each after ``;``, ``&&`` or ``||``."""

    parts: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True)
class Choice:
    """``if``: pairs of condition and body, and the last resort."""

    branches: tuple[tuple["Node", "Node"], ...]
    otherwise: "Node"


@dataclass(frozen=True)
class Loop:
    """``while`` (wanted is true), ``until`` (false)."""

    condition: "Node"
    body: "Node"
    wanted: bool


@dataclass(frozen=True)
class Each:
    """``for``."""

    name: str
    words: tuple[Word, ...]
    body: "Node"


Node = Simple | Pipe | Chain | Choice | Loop | Each


def expand(word: Word, variables: dict[str, str]) -> str:
    """The text of a word with its variables filled in; one that is not set is empty."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        return variables.get(name) or found[2] or ""

    return "".join(_VARIABLE.sub(value, text) if expands else text for text, expands in word.pieces)
