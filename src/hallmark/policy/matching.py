"""Patterns, policy variables and three-valued logic: the ground every policy question stands on.

A truth is True, False or None. None means "could be either": a context key nobody observed, a question about
"some object", or a case AWS does not document. Who asks decides what None is worth (:class:`Unknown`).
"""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

Truth = bool | None

# What a policy means literally (`${*}`, `${?}`, or a variable's value) travels as private-use characters, so
# that no later step takes it for a wildcard.
_LITERAL = {"*": "\ue000", "?": "\ue001", "$": "$"}
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def every(truths: Iterable[Truth]) -> Truth:
    """Combine by "and": one False decides; otherwise one None leaves it open."""
    seen = set(truths)
    return False if False in seen else None if None in seen else True


def some(truths: Iterable[Truth]) -> Truth:
    """Combine by "or": one True decides; otherwise one None leaves it open."""
    seen = set(truths)
    return True if True in seen else None if None in seen else False


def negate(truth: Truth) -> Truth:
    """Turn True into False and back; what is open stays open."""
    return None if truth is None else not truth


def plain(text: str) -> str:
    """Give a resolved text back with its literal `*` and `?`."""
    return text.replace("\ue000", "*").replace("\ue001", "?")


@lru_cache(maxsize=8192)  # a grade asks the same of the same statements for every action and role
def like(pattern: str, text: str) -> bool:
    """Tell whether a pattern with `*` and `?` matches a text, case-sensitively.

    fnmatch knows `[` as well, which IAM does not: it is escaped. It does not backtrack, so no pattern can
    stall a grade.
    """
    escaped = pattern.replace("[", "[[]").replace("\ue000", "[*]").replace("\ue001", "[?]")
    return fnmatchcase(text, escaped)


def matches(pattern: str, question: str) -> Truth:
    """Tell whether a pattern matches what is asked about; wildcards in the question stand for unknown text.

    True: it matches every text the question may mean. False: none of them. None: some may match.

    >>> matches("s3:*", "s3:Get*"), matches("s3:GetObject", "s3:Get*"), matches("ec2:*", "s3:Get*")
    (True, None, False)
    """
    if "*" not in question and "?" not in question:
        return like(pattern, question)
    # A `?` in the pattern is one character, a `*` in the question any number: not covered, only possible.
    if pattern == question or (like(pattern, question) and not ("?" in pattern and "*" in question)):
        return True
    return None if overlaps(pattern, question) else False


@lru_cache(maxsize=4096)  # see `like`
def overlaps(one: str, other: str) -> bool:
    """Tell whether any text at all matches both patterns.

    >>> overlaps("s3:*Object", "s3:Get*"), overlaps("s3:Put*", "s3:Get*")
    (True, False)
    """
    # row[j]: can the part of `one` read so far and other[:j] mean the same text?
    row = [not other[:j].strip("*") for j in range(len(other) + 1)]
    for x in one:
        after = [x == "*" and row[0]]
        for j, y in enumerate(other):
            if "*" in (x, y):
                after.append(row[j + 1] or after[j])
            else:
                after.append(row[j] and (x == y or "?" in (x, y)))
        row = after
    return row[-1]


def resolve(text: str, values: Callable[[str], tuple[str, ...] | None]) -> str | bool | None:
    """Put the request's values in the place of `${…}` variables.

    Args:
        text: A resource or a condition value of a policy.
        values: Gives the values of a context key: empty when absent, None when unknown.

    Returns:
        The text; or False when a variable has no value, which AWS matches with nothing; or None when that is
        unknown or when AWS has no rule for it (a key of several values).

    Source: IAM User Guide, "IAM policy elements: Variables and tags".
    """
    parts = _VARIABLE.split(text)
    for place in range(1, len(parts), 2):
        value = _substitute(parts[place], values)
        if not isinstance(value, str):
            return value
        parts[place] = value
    return "".join(parts)


def widen(text: str) -> str:
    """Put `*` in the place of each policy variable: every text it may ever stand for."""
    return _VARIABLE.sub("*", text)


def _substitute(variable: str, values: Callable[[str], tuple[str, ...] | None]) -> str | bool | None:
    if variable in _LITERAL:
        return _LITERAL[variable]
    key, _, default = (part.strip() for part in variable.partition(","))
    found = values(key)
    if found is None or len(found) > 1:
        return None
    if any(found):
        return _literal(found[0])
    return _literal(default[1:-1]) if default else False


def _literal(text: str) -> str:
    return text.replace("*", _LITERAL["*"]).replace("?", _LITERAL["?"])
