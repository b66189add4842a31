"""Reads a script into the tree of :mod:`hallmark.twin.programs.shell.syntax`: one function a rule of the grammar."""

from dataclasses import dataclass

from hallmark.twin.programs.shell.scanner import Token, tokens
from hallmark.twin.programs.shell.syntax import (
    Chain,
    Choice,
    Each,
    Loop,
    Node,
    Pipe,
    Redirect,
    ShellSyntax,
    Simple,
    Word,
)  # fmt: skip

RESERVED = frozenset({"if", "then", "elif", "else", "fi", "while", "until", "for", "in", "do", "done"})


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
    reader = _Reader(tokens(text))
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
