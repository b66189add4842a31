"""The evidence of one moment: every call, what became of it, and nothing secret. A JSON file."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hallmark.errors import Absent, Unobservable, UsageError
from hallmark.model import Answer, Call, Status
from hallmark.targets import cluster, shapes

FORMAT = 1
LOCAL = frozenset({"workstation", "files", "platform"})
"""Services of :class:`Call` that are neither AWS nor the cluster: no published model says how they answer."""
CLUSTER = "kubernetes"
"""The service of :class:`Call` that asks the cluster."""


class Evidence(Protocol):
    """What a view asks: a stored snapshot, or one that is just being taken."""

    @property
    def scope(self) -> Mapping[str, str]:
        """Which system the evidence is about, see :meth:`hallmark.targets.profile.Profile.scope`."""

    @property
    def collected_at(self) -> str:
        """When it was taken, ISO 8601 UTC: the only clock a check may use."""

    def ask(self, call: Call) -> Any:
        """Return what was observed.

        Raises:
            Absent: The target answered that it does not exist.
            Unobservable: Denied, failed, or never asked.
        """

    def need(self, calls: Iterable[Call]) -> None:
        """Announce independent calls together, so that collecting them takes one step, not many."""


@dataclass(frozen=True)
class Snapshot:
    """Stored evidence.

    Attributes:
        answers: Answer by :attr:`Call.key`.
        scope: Which system it is about.
        collected_at: ISO 8601 UTC.
        versions: Versions of what collected it.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    scope: Mapping[str, str] = field(default_factory=dict)
    collected_at: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def ask(self, call: Call) -> Any:
        """See :meth:`Evidence.ask`."""
        answer = self.answers.get(call.key)
        if answer is None:
            raise Unobservable("not-collected", f"{call.service}.{call.operation} is not in this evidence")
        if answer.status is Status.ABSENT:
            raise Absent(answer.message)
        if answer.status is not Status.OBSERVED:
            raise Unobservable(answer.code, answer.message)
        return answer.value

    def need(self, calls: Iterable[Call]) -> None:
        """Nothing to announce: what was not collected is said by :meth:`ask`."""

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON text, hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """One canonical text: sorted keys, an answer a line, so that equal evidence has an equal digest."""
        answers = ",\n".join(f"{_json(key)}: {_json(vars(answer))}" for key, answer in sorted(self.answers.items()))
        about = {
            "format": FORMAT,
            "scope": dict(self.scope),
            "collected_at": self.collected_at,
            "versions": dict(self.versions),
        }
        text = f'{{"answers": {{\n{answers}\n}},\n{_json(about)[1:]}\n'
        return text.encode("utf-8", "backslashreplace").decode()  # AWS may send half a surrogate pair


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def read(path: Path) -> Snapshot:
    """Read evidence from *path*; every answer is held against the service's published model.

    Raises:
        UsageError: The file is missing, is not evidence, or was made by a newer format.
    """
    again = f"hallmark collect -o {path}"
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != FORMAT:
            raise UsageError(f"{path}: evidence format {body['format']!r}, this version reads {FORMAT}.", again)
        answers = {key: _checked(key, Answer(**fields)) for key, fields in body["answers"].items()}
        scope = {str(k): str(v) for k, v in body["scope"].items()}
        return Snapshot(answers, scope, str(body["collected_at"]), dict(body["versions"]))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.", again) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"{path} is not Hallmark evidence: {error}.", again) from error


def _checked(key: str, answer: Answer) -> Answer:
    service, rest = key.split(".", 1)
    operation = rest.split("{", 1)[0]
    status = Status(answer.status)
    if status is Status.OBSERVED and service not in LOCAL:
        wrong = (
            cluster.defects(operation, answer.value)
            if service == CLUSTER
            else shapes.defects(service, operation, answer.value)
        )
        if wrong:
            return Answer(Status.FAILED, None, "malformed", f"{service}.{operation}: {wrong[0]}")
    return Answer(status, answer.value, answer.code, answer.message, answer.milliseconds)
