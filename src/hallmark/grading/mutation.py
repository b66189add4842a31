"""Mutants: the solution's evidence with one thing changed, to prove that the graders notice.

A mutant is written beside the checks, in ``graders/<lab>/mutants*.py``::

    @mutant(breaks=["postgres_private"])
    def database_is_public(edit: Edit) -> None:
        \"\"\"The database has a public address.\"\"\"
        for database in edit.each("rds", "describe_db_instances", "DBInstances"):
            database["PubliclyAccessible"] = True

It is killed when every check it breaks fails and no other does. ``breaks=()`` is a valid variant: all must pass.
"""

import copy
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hallmark.errors import AuthorError
from hallmark.evidence.snapshot import Snapshot
from hallmark.grading.judge import Check, judge_all
from hallmark.model import Answer, Call, Result, Status, Verdict


class Edit:
    """A copy of evidence that may be changed; answers are copied when first touched.

    Args:
        snapshot: The evidence to start from; it stays as it is.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._base = snapshot
        self._answers = dict(snapshot.answers)
        self._copied: set[str] = set()
        self.scope = dict(snapshot.scope)

    @property
    def snapshot(self) -> Snapshot:
        """The changed evidence."""
        return replace(self._base, answers=self._answers, scope=self.scope)

    def answers(self, service: str, operation: str, **params: Any) -> list[Any]:
        """Return the mutable values of all observed answers to an operation, whose parameters include *params*.

        Raises:
            AuthorError: The evidence holds no such answer: the mutant would change nothing.
        """
        values = [self._mutable(key) for key in self._keys(service, operation, params)]
        observed = [value for value in values if value is not None]
        if not observed:
            raise AuthorError(f"no observed answer of {service}.{operation} {params or ''} to change.")
        return observed

    def each(self, service: str, operation: str, path: str = "", **params: Any) -> Iterator[dict[str, Any]]:
        """Walk *path* (names with dots; lists are entered by themselves) and yield each mapping found there.

        Raises:
            AuthorError: Nothing is there: the mutant would change nothing.
        """
        found = [item for value in self.answers(service, operation, **params) for item in _walk(value, path)]
        if not found:
            raise AuthorError(f"nothing at {path!r} in {service}.{operation} to change.")
        yield from found

    def objects(self, resource: str, name: str = "", **params: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of a Kubernetes resource in every list of it, or only those called *name*.

        Resources of two groups may share their name: then *params* tell them apart, such as ``version="v1"``.

        Raises:
            AuthorError: There is none: the mutant would change nothing.
        """
        found = list(self.each("kubernetes", "list", "items", resource=resource, **params))
        named = [one for one in found if name in {"", one["metadata"]["name"]}]
        if not named:
            raise AuthorError(f"no {resource} {name} to change.")
        yield from named

    def remove(self, resource: str, name: str = "") -> None:
        """Take objects of a Kubernetes resource out of every list of it: those called *name*, or all.

        Raises:
            AuthorError: There is none: the mutant would change nothing.
        """
        gone = {one["metadata"]["name"] for one in self.objects(resource, name)}
        for answer in self.answers("kubernetes", "list", resource=resource):
            answer["items"] = [one for one in answer["items"] if one["metadata"]["name"] not in gone]

    def status(self, service: str, operation: str, status: Status, code: str = "", **params: Any) -> None:
        """Replace answers by one that was not observed."""
        keys = self._keys(service, operation, params)
        if not keys:
            raise AuthorError(f"no answer of {service}.{operation} {params or ''} to change.")
        for key in keys:
            self._answers[key] = Answer(status, None, code or str(status), f"{service}.{operation}: {code or status}")

    def put(self, call: Call, value: Any) -> None:
        """Add or replace an observed answer."""
        self._answers[call.key] = Answer(Status.OBSERVED, value)

    def _keys(self, service: str, operation: str, params: dict[str, Any]) -> list[str]:
        prefix = f"{service}.{operation}{{"
        keys = [key for key in self._answers if key.startswith(prefix)]
        return [key for key in keys if params.items() <= _arguments(key).items()] if params else keys

    def _mutable(self, key: str) -> Any:
        if key not in self._copied:
            self._answers[key] = replace(self._answers[key], value=copy.deepcopy(self._answers[key].value))
            self._copied.add(key)
        return self._answers[key].value


@dataclass(frozen=True)
class Mutant:
    """One change, and the checks it must break.

    Attributes:
        name: Name of the function.
        description: First line of its docstring.
        breaks: Names of checks, without the lab.
        edit: Makes the change.
    """

    name: str
    description: str
    breaks: tuple[str, ...]
    edit: Callable[[Edit], None]


@dataclass(frozen=True)
class Outcome:
    """What the grader said to one mutant.

    Attributes:
        mutant: What was changed.
        missed: Checks that should have failed and did not.
        hurt: Checks that failed although the change does not concern them.
    """

    mutant: Mutant
    missed: tuple[str, ...]
    hurt: tuple[str, ...]

    @property
    def killed(self) -> bool:
        """Whether exactly the right checks failed."""
        return not self.missed and not self.hurt


def mutant(breaks: Iterable[str]) -> Callable[[Callable[[Edit], None]], Mutant]:
    """Declare the decorated function a mutant that breaks the named checks."""

    def declare(function: Callable[[Edit], None]) -> Mutant:
        description = (function.__doc__ or "").strip().split("\n")[0]
        if not description:
            raise AuthorError(f"mutant {function.__name__} needs a docstring: what is broken.")
        return Mutant(function.__name__, description, tuple(breaks), function)

    return declare


def load(grader: Path) -> list[Mutant]:
    """Return the mutants of ``graders/<lab>``, in the order of files and lines.

    Raises:
        AuthorError: Two mutants share a name.
    """
    found: dict[str, Mutant] = {}
    for file in sorted(grader.glob("mutants*.py")):
        spec = importlib.util.spec_from_file_location(f"{grader.name}_{file.stem}".replace("-", "_"), file)
        if spec is None or spec.loader is None:
            raise AuthorError(f"{file.name} cannot be loaded.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for item in vars(module).values():
            if isinstance(item, Mutant):
                if item.name in found:
                    raise AuthorError(f"{grader.name}: two mutants are called {item.name}.")
                found[item.name] = item
    return list(found.values())


def try_mutant(mutant: Mutant, checks: Sequence[Check], solution: Snapshot) -> Outcome:
    """Judge the changed evidence and compare with what the mutant declares.

    A check counts as failed by FAIL. A check blocked by one that is meant to fail is neither missed nor hurt.

    Raises:
        AuthorError: The mutant names a check that does not exist.
    """
    lab = checks[0].spec.id.split("/")[0]
    meant = {f"{lab}/{name}" for name in mutant.breaks}
    if unknown := meant - {check.spec.id for check in checks}:
        raise AuthorError(f"mutant {mutant.name} breaks {min(unknown)}, which is not a check.")
    edit = Edit(solution)
    mutant.edit(edit)
    results = judge_all(checks, edit.snapshot)
    missed = tuple(sorted(i for i in meant if not _failed(results[i], meant)))
    hurt = tuple(sorted(i for i, r in results.items() if i not in meant and not _unharmed(r, meant)))
    return Outcome(mutant, missed, hurt)


def _failed(result: Result, meant: set[str]) -> bool:
    return result.verdict is Verdict.FAIL or (result.verdict is Verdict.BLOCKED and result.cause in meant)


def _unharmed(result: Result, meant: set[str]) -> bool:
    return result.verdict is Verdict.PASS or (result.verdict is Verdict.BLOCKED and result.cause in meant)


def _arguments(key: str) -> dict[str, Any]:
    service, rest = key.split(".", 1)
    operation, params = rest.split("{", 1)
    return Call(service, operation, "{" + params).arguments


def _walk(value: Any, path: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, path)
    elif isinstance(value, dict):
        if not path:
            yield value
            return
        name, _, rest = path.partition(".")
        if name in value:
            yield from _walk(value[name], rest)
