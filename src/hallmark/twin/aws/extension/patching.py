"""How the extension changes moto: a function put around another, or added to a class."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.core.exceptions import ServiceException

Function = Callable[..., Any]


class Refusal(ServiceException):
    """AWS says no: code and message. A class of ours, since moto looks for the codes of its own in its own services."""


def around(owner: Any, name: str) -> Callable[[Function], Function]:
    """Put the decorated function in place of ``owner.name``; it receives the original as its first argument.

    Args:
        owner: A class or a module of moto.
        name: The function or method to surround; it must exist, so that a new moto cannot drop it unnoticed.
    """
    original = getattr(owner, name)

    def decorate(replacement: Function) -> Function:
        @wraps(original)
        def surrounding(*args: Any, **kwargs: Any) -> Any:
            return replacement(original, *args, **kwargs)

        setattr(owner, name, surrounding)
        return replacement

    return decorate


def extend(owner: type, *functions: Function) -> None:
    """Give a class more methods, each under its own name; one that exists is replaced."""
    for function in functions:
        setattr(owner, function.__name__, function)


def parameter(request: Any, name: str, default: Any = None) -> Any:
    """A parameter of the request that moto is handling."""
    return request._get_param(name, default)  # noqa: SLF001  (private by its name only: moto's handlers call it)


def number(request: Any, name: str) -> int | None:
    """A parameter that is a number, or None."""
    value = parameter(request, name)
    return None if value is None else int(value)


def switch(request: Any, name: str) -> bool | None:
    """A parameter that is true or false, or None."""
    value = parameter(request, name)
    return None if value is None else str(value).lower() == "true"
