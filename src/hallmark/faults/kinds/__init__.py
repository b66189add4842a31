"""The kinds of fault: one module each, found by listing this folder, never registered.

A kind's docstring is the symptom an operator sees. It has two functions::

    def plan(read: Reader) -> list[Step]         # the calls and their inverses; further parameters are its own
    def observe(read: Reader) -> Observation     # whether the symptom is there, and what must stay as it is

`observe` may take any of the parameters of `plan`. A kind whose symptom takes longer than most to show says so with
a constant ``SHOWS_WITHIN``, in seconds. One that people notice says what they see, and nothing else, with a constant
``SEEN``, a :class:`~hallmark.faults.sight.Sight`, or, where it depends on the parameters, with a function ``seen`` of
them: where there is a way to look, it is proved as well.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hallmark.errors import AuthorError
from hallmark.faults.journal import Step
from hallmark.faults.reader import Reader
from hallmark.faults.sight import Sight


@dataclass(frozen=True)
class Observation:
    """What a fresh look at the target shows.

    Attributes:
        symptom: Whether the documented symptom is there.
        unaffected: Everything near the fault that it must leave alone; equal before and after.
    """

    symptom: bool
    unaffected: Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    Attributes:
        name: Name of its module, with hyphens.
        symptom: What an operator sees.
        plan: Returns the steps that cause it.
        observe: Looks whether it is there.
        shows_within: Seconds until it is to be seen; 0 for the usual.
        seen: What people see of it; None: it is not said.
    """

    name: str
    symptom: str
    plan: Callable[[Reader], list[Step]]
    observe: Callable[[Reader], Observation]
    shows_within: float = 0.0
    seen: Sight | None = None


@dataclass(frozen=True)
class About:
    """What can be said of a kind without a target.

    Attributes:
        name: Its name.
        symptom: What an operator sees: the first line, and the paragraphs after it.
        parameters: Its parameters with their defaults; those without one have to be given.
        seen: What people see of it.
        shows_within: See :class:`Kind`.
    """

    name: str
    symptom: tuple[str, ...]
    parameters: Mapping[str, str]
    seen: Sight | None
    shows_within: float


def about(name: str) -> About:
    """Describe a kind."""
    module = _module(name)
    accepted = {each: found for each, found in inspect.signature(module.plan).parameters.items() if each != "read"}
    return About(
        name=name,
        symptom=tuple(inspect.cleandoc(module.__doc__ or "").split("\n\n")),
        parameters={each: "" if found.default is found.empty else str(found.default)
                    for each, found in accepted.items()},
        seen=getattr(module, "SEEN", None),
        shows_within=getattr(module, "SHOWS_WITHIN", 0.0),
    )  # fmt: skip


def names() -> list[str]:
    """All kinds there are."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def load(name: str, params: Mapping[str, Any]) -> Kind:
    """Load a kind and hold *params* against what its plan takes.

    Raises:
        AuthorError: There is no such kind, or it takes other parameters.
    """
    if name not in names():
        raise AuthorError(f"there is no kind of fault {name!r}; there are {', '.join(names())}.")
    module = _module(name)
    accepted = {each: found for each, found in inspect.signature(module.plan).parameters.items() if each != "read"}
    if unknown := set(params) - set(accepted):
        raise AuthorError(f"the fault {name} takes no parameter {min(unknown)!r}.")
    if missing := {each for each, found in accepted.items() if found.default is found.empty} - set(params):
        raise AuthorError(f"the fault {name} needs the parameter {min(missing)!r}.")
    looked_at = {each: value for each, value in params.items() if each in inspect.signature(module.observe).parameters}
    return Kind(
        name=name,
        symptom=inspect.cleandoc(module.__doc__ or ""),
        plan=partial(module.plan, **params),
        observe=partial(module.observe, **looked_at),
        shows_within=getattr(module, "SHOWS_WITHIN", 0.0),
        seen=module.seen(**params) if hasattr(module, "seen") else getattr(module, "SEEN", None),
    )


def _module(name: str) -> Any:
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
