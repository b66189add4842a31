"""The part of the POSIX shell's grammar that people use in pods, as a tree.

Lists with ``;``, ``&&`` and ``||``, pipes, quotes, variables, redirections to files, ``if``, ``while``, ``until`` and
``for``. Source: POSIX.1-2024, Shell Command Language. What is not here is refused by name, never guessed.
"""

import re
from dataclasses import dataclass, field

OPERATORS = ("&&", "||", ";", "|", "\n")
RESERVED = frozenset({"if", "then", "elif", "else", "fi", "while", "until", "for", "in", "do", "done"})
_VARIABLE = re.compile(r"\$(?:\{(\w+|\?)(?::-([^}]*))?\}|(\w+|\?|\$))")
_REDIRECT = re.compile(r"(\d?)>&(\d)|(\d?)(>>|>|<)")


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
Token = Word | str | Redirect


@dataclass
class _Reader:
    tokens: list[Token]
    at: int = 0

    def peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def word(self) -> str:
        token = self.peek()
        return token.literal if isinstance(token, Word) else ""

    def take(self) -> Token:
        token = self.peek()
        if token is None:
            raise ShellSyntax("unexpected end of file")
        self.at += 1
        return token

    def expect(self, *wanted: str) -> str:
        found = self.word()
        if found not in wanted:
            raise ShellSyntax(f'unexpected "{found or self.peek() or "end of file"}" (expecting "{wanted[0]}")')
        self.at += 1
        return found

    def skip(self) -> None:
        while self.peek() in {";", "\n"}:
            self.at += 1


def parse(text: str) -> Chain:
    """Parse a script.

    Raises:
        ShellSyntax: It is wrong, or uses what is not known here.
    """
    reader = _Reader(_tokens(text))
    tree = _chain(reader)
    if reader.peek() is not None:
        raise ShellSyntax(f'unexpected "{reader.word() or reader.peek()}"')
    return tree


def _chain(reader: _Reader, *ends: str) -> Chain:
    parts: list[tuple[str, Node]] = []
    operator = ";"
    reader.skip()
    while reader.peek() is not None and reader.word() not in ends:
        parts.append((operator, _pipe(reader)))
        found = reader.peek()
        if found not in {";", "\n", "&&", "||"}:
            break
        operator = ";" if found == "\n" else str(found)
        reader.take()
        reader.skip()
    return Chain(tuple(parts))


def _pipe(reader: _Reader) -> Node:
    parts = [_command(reader)]
    while reader.peek() == "|":
        reader.take()
        parts.append(_command(reader))
    return parts[0] if len(parts) == 1 else Pipe(tuple(parts))


def _command(reader: _Reader) -> Node:
    match reader.word():
        case "if":
            return _choice(reader)
        case "while" | "until":
            wanted = reader.expect("while", "until") == "while"
            condition = _chain(reader, "do")
            return Loop(condition, _body(reader), wanted)
        case "for":
            return _each(reader)
        case word if word in RESERVED:
            raise ShellSyntax(f'unexpected "{word}"')
    return _simple(reader)


def _choice(reader: _Reader) -> Choice:
    branches: list[tuple[Node, Node]] = []
    otherwise: Node = Chain(())
    while reader.expect("if", "elif", "else", "fi") in {"if", "elif"}:
        condition = _chain(reader, "then")
        reader.expect("then")
        branches.append((condition, _chain(reader, "elif", "else", "fi")))
    if reader.word() or reader.peek():
        last = reader.tokens[reader.at - 1]
        if isinstance(last, Word) and last.literal == "else":
            otherwise = _chain(reader, "fi")
            reader.expect("fi")
    return Choice(tuple(branches), otherwise)


def _each(reader: _Reader) -> Each:
    reader.expect("for")
    name = reader.word()
    reader.take()
    reader.expect("in")
    words = []
    while isinstance(token := reader.take(), Word):
        words.append(token)
    reader.skip()
    return Each(name, tuple(words), _body(reader))


def _body(reader: _Reader) -> Chain:
    reader.expect("do")
    body = _chain(reader, "done")
    reader.expect("done")
    return body


def _simple(reader: _Reader) -> Simple:
    words: list[Word] = []
    redirects: list[Redirect] = []
    while isinstance(token := reader.peek(), Word | Redirect):
        reader.take()
        if isinstance(token, Word):
            words.append(token)
        else:
            target = token.target if isinstance(token.target, int) else reader.take()
            if not isinstance(target, Word | int):
                raise ShellSyntax("a file name is missing after a redirection")
            redirects.append(Redirect(token.stream, token.mode, target))
    if not words and not redirects:
        raise ShellSyntax(f'unexpected "{reader.peek() or "end of file"}"')
    return Simple(tuple(words), tuple(redirects))


@dataclass
class _Building:
    pieces: list[tuple[str, bool]] = field(default_factory=list)
    plain: str = ""
    quoted: bool = False
    started: bool = False

    def flush(self) -> None:
        if self.plain:
            self.pieces.append((self.plain, True))
            self.plain = ""

    def done(self) -> Word | None:
        self.flush()
        return Word(tuple(self.pieces), self.quoted) if self.started else None


def _tokens(text: str) -> list[Token]:  # noqa: C901  (a scanner: one case a character class)
    tokens: list[Token] = []
    word = _Building()
    at = 0

    def end() -> None:
        nonlocal word
        if finished := word.done():
            tokens.append(finished)
        word = _Building()

    while at < len(text):
        character = text[at]
        operator = next((each for each in OPERATORS if text.startswith(each, at)), "")
        if redirect := None if word.started else _REDIRECT.match(text, at):
            tokens.append(_redirect(redirect))
            at = redirect.end()
        elif operator or character in "<>":
            end()
            if operator:
                tokens.append(operator)
                at += len(operator)
        elif character in " \t":
            end()
            at += 1
        elif character == "#" and not word.started:
            at = _line_end(text, at)
        elif character in "'\"":
            at = _quoted(text, at, word)
        elif character in "`&()" or text.startswith("$(", at):
            raise ShellSyntax(f'"{text[at : at + 2].strip()}" is not available in this shell')
        else:
            escaped = character == "\\" and at + 1 < len(text)
            word.started = True
            if escaped:
                word.flush()
                word.pieces.append((text[at + 1], False))
            else:
                word.plain += character
            at += 2 if escaped else 1
    end()
    return tokens


def _quoted(text: str, at: int, word: _Building) -> int:
    quote = text[at]
    close = at + 1
    while close < len(text) and text[close] != quote:
        close += 2 if quote == '"' and text[close] == "\\" else 1
    if close >= len(text):
        raise ShellSyntax("unterminated quoted string")
    word.flush()
    inside = text[at + 1 : close]
    if quote == '"':
        if "$(" in inside or "`" in inside:
            raise ShellSyntax('"$(" is not available in this shell')
        inside = re.sub(r'\\(["\\])', r"\1", inside)
    word.pieces.append((inside, quote == '"'))
    word.quoted = word.started = True
    return close + 1


def _redirect(found: re.Match[str]) -> Redirect:
    if found[2]:
        return Redirect(int(found[1] or 1), ">", int(found[2]))
    return Redirect(int(found[3] or (0 if found[4] == "<" else 1)), found[4], Word(()))


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def expand(word: Word, variables: dict[str, str]) -> str:
    """The text of a word with its variables filled in; one that is not set is empty."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        return variables.get(name) or found[2] or ""

    return "".join(_VARIABLE.sub(value, text) if expands else text for text, expands in word.pieces)
