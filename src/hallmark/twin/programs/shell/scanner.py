"""Cuts a script into words, operators and redirections."""

import re
from dataclasses import dataclass, field

from hallmark.twin.programs.shell.syntax import Redirect, ShellSyntax, Word

OPERATORS = ("&&", "||", ";", "|", "\n")
_REDIRECT = re.compile(r"(\d?)>&(\d)|(\d?)(>>|>|<)")

Token = Word | str | Redirect


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


def tokens(text: str) -> list[Token]:  # noqa: C901  (a scanner: one case a character class)
    """Cut a script into words, operators and redirections; the file of a redirection is the word that follows it.

    Raises:
        ShellSyntax: A quote is not closed, or something stands there that is not known here.
    """
    found: list[Token] = []
    word = _Building()
    at = 0

    def end() -> None:
        nonlocal word
        if finished := word.done():
            found.append(finished)
        word = _Building()

    while at < len(text):
        character = text[at]
        operator = next((each for each in OPERATORS if text.startswith(each, at)), "")
        if redirect := None if word.started else _REDIRECT.match(text, at):
            found.append(_redirect(redirect))
            at = redirect.end()
        elif operator or character in "<>":
            end()
            if operator:
                found.append(operator)
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
    return found


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
