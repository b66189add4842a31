"""Secrets written into text files: where they stand and what they look like, never what they are.

Two ways of telling. A *shape* is a secret whatever it is called: an access key id, a private key, a URL with a
password. A *name* that ends like ``password`` or ``auth_token`` makes a literal value a secret. References
(``var.x``, ``${…}``, ``<fill in>``) are none. Files are read line by line, so one line is what a finding names.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_SHAPES = {
    "AWS access key id": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "LangSmith API key": re.compile(r"\blsv2_(?:pt|sk)_[0-9A-Za-z_]{8,}"),
    "signed token": re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}"),
    "URL with a password": re.compile(r"://[^\s/@\"'$<{:]*:(?!%[sqv])[^\s/@\"'$<{]+@"),
}
_WITHOUT_SCHEME = re.compile(r"^(?!mailto:)[^\s/@\"'$<{:]*:(?!%[sqv])[^\s/@\"'$<{]+@[\w.-]+(:\d+)?([/?]|$)")
"""The same as LangSmith's documentation writes it. In a line of text it may be anything, as a whole value it is one."""
_MARKS = ("AKIA", "ASIA", "PRIVATE KEY", "lsv2_", "eyJ", "://")
"""Part of every shape, one for each: a line without them needs no closer look, which takes twenty times as long."""
_TELLING = ("passw", "passphrase", "secret", "token", "salt", "credential", "key", "connection")
"""Part of every telling name, in small letters: the same."""
_NAME = re.compile(
    r"(?:^|_)(?:(?:pg)?passw(?:or)?d|passphrase|secret|token|salt|credentials?|licen[cs]e_key|api_key|access_key"
    r"|secret_key|private_key|encryption_key|secret_string|connection_(?:url|string))(?:_wo)?$"
)
_QUOTED = re.compile(r"""["']?(?P<name>[\w.-]+)["']?\s*[:=](?!=)\s*(?P<quote>["'])(?P<value>[^"']+)(?P=quote)""")
_UNQUOTED = re.compile(
    r"""^\s*(?:-\s+|export\s+)?(?P<name>[\w.-]+)\s*[:=]\s*(?P<value>[^\s"'{\[|>&*#$].*?)(?:\s+#.*)?$"""
)
_VARIABLE = re.compile(r'^\s*variable\s+"?(?P<name>[\w-]+)"?\s*\{')
_REFERENCE = re.compile(r"\$\{|%\{|\{\{|^\$|^<.*>$|^arn:|^(?:null|true|false)$")
_BARE = (".yaml", ".yml", ".env", ".properties")
"""Kinds of file in which text needs no quotation marks."""
_MOCKED = (".tftest.hcl", ".tftest.json")
"""Terraform's own tests: a literal password there is made up, a real key is still a real key."""
_NAMES_OF_KEYS = frozenset({"secretKey"})
"""External Secrets and the chart write the *name* of a key under these, not a value."""


class Leak(NamedTuple):
    """One secret in a text: its line, from 1, and its kind in words."""

    line: int
    kind: str


def leaks(text: str, name: str) -> Iterator[Leak]:
    """Find the secrets of one file.

    Args:
        text: Its content.
        name: Its name; the ending decides whether text without quotation marks is a value.
    """
    variable = ""
    for number, line in enumerate(text.splitlines(), 1):
        if opened := _VARIABLE.match(line):
            variable = opened["name"]
        elif line.startswith("}"):
            variable = ""
        named = "" if name.endswith(_MOCKED) else _named(line, variable, bare=name.endswith(_BARE))
        kind = _shape(line) or named
        if kind:
            yield Leak(number, kind)


def kind_of(name: str, value: str) -> str:
    """Say what kind of secret a literal looks like, found under *name*; nothing when it looks like none.

    For data that has a structure already, such as an environment variable or a value of a chart.

    >>> kind_of("config.apiKeySalt", "s3cr3t"), kind_of("hostname", "langsmith.example.com")
    ('literal value of apiKeySalt', '')
    """
    last = re.split(r"[./]", name)[-1]
    if found := _shape(value):
        return found
    if _WITHOUT_SCHEME.match(value):
        return "URL with a password"
    return f"literal value of {last}" if value and _is_telling(last) and not _REFERENCE.search(value) else ""


def _shape(line: str) -> str:
    if not any(mark in line for mark in _MARKS):
        return ""
    return next((kind for kind, pattern in _SHAPES.items() if pattern.search(line)), "")


def _named(line: str, variable: str, *, bare: bool) -> str:
    """A literal under a telling name, or as the default of a variable with a telling name."""
    small = line.lower()
    if not (variable or any(word in small for word in _TELLING)) or line.lstrip().startswith(("#", "//")):
        return ""
    for found in [*_QUOTED.finditer(line), *(_UNQUOTED.finditer(line) if bare else ())]:
        name = variable if variable and found["name"] == "default" else found["name"]
        if _is_telling(name) and not _REFERENCE.search(found["value"]):
            return f"literal value of {name}"
    return ""


def _is_telling(name: str) -> bool:
    return name not in _NAMES_OF_KEYS and not name.endswith("SecretKey") and bool(_NAME.search(_snake(name)))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-.]", "_", name).lower()
