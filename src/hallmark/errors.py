"""Hallmark's own errors. The type carries the decision; the message names the next command."""

from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit codes of every command (design: section 9)."""

    PASSED = 0
    NOT_PASSED = 1
    USAGE = 2
    UNKNOWN = 3


class HallmarkError(Exception):
    """Base of all errors a person may see: one sentence, and what to do next.

    Args:
        message: What went wrong, in one sentence.
        hint: The next command or setting that helps; may be empty.
    """

    exit_code = Exit.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(HallmarkError):
    """The call, a setting or an input file is wrong: the person can mend it."""


class EnvironmentFault(HallmarkError):
    """Something outside Hallmark does not work: a port, a disk, a missing program, an endpoint."""

    exit_code = Exit.UNKNOWN


class AuthorError(HallmarkError):
    """A lab, a grader or the reference is written wrong: its author has to mend it."""


class GuardRefused(HallmarkError):
    """The fault engine will not touch this target: it is not marked as a lab."""


class Absent(Exception):
    """AWS answered that the thing does not exist. An observation, never a failure to observe."""


class Unobservable(Exception):
    """A fact could not be observed; the check that asked gets the verdict ERROR.

    Args:
        code: Machine-readable cause: ``denied``, ``throttled``, ``timeout``, ``server``, ``unreachable``,
            ``credentials``, ``no-key``, ``truncated``, ``malformed``, ``undecidable`` (AWS does not say enough),
            ``not-collected``.
        message: What was asked and what came back, without secrets.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NotApplicable(Exception):
    """The target is of a kind that cannot have what a check asks for: it is neither met nor missed.

    Args:
        message: Why, in one sentence.
    """


class Miss(AssertionError):
    """A requirement is not met: what a check raises instead of passing.

    Args:
        expected: What the reference asks for.
        observed: What was found. Never a secret value.
        where: The resource (ARN, id or file) a person has to open.
        next: The next command to run, as printed; may be empty.
    """

    def __init__(self, *, expected: str, observed: Any, where: str = "", next: str = "") -> None:  # noqa: A002
        super().__init__(f"expected {expected}; observed {observed}" + (f" at {where}" if where else ""))
        self.expected = expected
        self.observed = str(observed)
        self.where = where
        self.next = next
