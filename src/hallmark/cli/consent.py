"""Asking a person before something is lost."""

import sys

import click

from hallmark.errors import UsageError


def require(question: str, again: str) -> None:
    """Ask whether to go on, and return only if the answer is yes.

    Args:
        question: What would happen, and the question.
        again: The command that does it without asking.

    Raises:
        UsageError: The answer was no, or nobody is there to give one.
        click.Abort: Ctrl-C.
    """
    try:
        agreed = click.confirm(question)
    except click.Abort:  # Ctrl-C, or the end of input
        if sys.stdin.isatty():
            raise
        agreed = False
        click.echo()
    if not agreed:
        raise UsageError("Nobody agreed, so nothing was changed.", again)
