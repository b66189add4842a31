"""The write-ahead journal: what will be done to a target and how to undo it, on disk before anything is done.

One JSON file a fault in ``<home>/journal``; once reverted it is put away into ``reverted/`` there. It holds no secret:
the guard refuses a fault whose inverse would need one.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault
from hallmark.evidence.files import write_text
from hallmark.model import Call

FORMAT = 1
FOLDER = "journal"
PUT_AWAY = "reverted"


class State(StrEnum):
    """Where a fault is in its life. A fault is active from the first call on, until the last inverse is made."""

    PLANNED = "planned"
    INJECTING = "injecting"
    INJECTED = "injected"
    REVERTING = "reverting"
    REVERTED = "reverted"


@dataclass(frozen=True)
class Step:
    """One call of a fault, and its inverse.

    Attributes:
        what: The change in words.
        back: Its inverse in words.
        resource: Id and name of what is changed.
        do: The call.
        undo: The call that brings the recorded value back; it may be repeated.
        started: Whether the call may have been made.
        outcome: What became of the inverse, empty while it is due.
        is_last: Whether the inverse waits for those of all steps that are not.
    """

    what: str
    back: str
    resource: str
    do: Call
    undo: Call
    started: bool = False
    outcome: str = ""
    is_last: bool = False

    def describe(self) -> str:
        """Say in one line what is done."""
        return f"{self.do.service} {self.do.operation}: {self.what} ({self.resource})"

    def describe_inverse(self) -> str:
        """Say in one line what undoes it."""
        return f"{self.undo.service} {self.undo.operation}: {self.back} ({self.resource})"


@dataclass(frozen=True)
class Journal:
    """One injected fault.

    Attributes:
        id: Kind and time, also the name of the file.
        lab: The lab that injected it.
        kind: See :class:`hallmark.faults.definition.Fault`.
        symptom: What an operator notices.
        target: The profile it was injected by, so that it can be undone without asking anybody.
        account: The account it was injected into.
        steps: In the order of injection.
        planned_at: ISO 8601 UTC.
        expires_at: When it reverts by itself, ISO 8601 UTC.
        state: Where it is.
        params: Parameters of the kind.
    """

    id: str
    lab: str
    kind: str
    symptom: str
    target: Mapping[str, Any]
    account: str
    steps: tuple[Step, ...]
    planned_at: str
    expires_at: str
    state: State = State.PLANNED
    params: Mapping[str, Any] = field(default_factory=dict)

    def with_step(self, index: int, **changes: Any) -> "Journal":
        """Return the journal with one step changed."""
        changed = replace(self.steps[index], **changes)
        return replace(self, steps=(*self.steps[:index], changed, *self.steps[index + 1 :]))

    @property
    def inverses(self) -> list[tuple[int, Step]]:
        """The steps in the order of their inverses, each with its place: the youngest first, then what comes last."""
        backwards = reversed(list(enumerate(self.steps)))
        return sorted(backwards, key=lambda each: each[1].is_last)

    def is_expired(self, now: datetime) -> bool:
        """Whether its time to live is over."""
        return datetime.fromisoformat(self.expires_at) <= now

    @property
    def is_active(self) -> bool:
        """Whether the target may differ from its recorded state."""
        return self.state is not State.REVERTED


def timestamp(moment: datetime) -> str:
    """Write a moment as it stands in a journal: ISO 8601 UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def save(home: Path, journal: Journal) -> Journal:
    """Put *journal* on disk and return it; when this returns, a power cut cannot lose it.

    Raises:
        EnvironmentFault: The disk is full or not writable.
    """
    live, done = _places(home, journal.id)
    try:
        write_text(
            live if journal.is_active else done, json.dumps(_to_json(journal), indent=1, ensure_ascii=False) + "\n"
        )
    except EnvironmentFault as fault:
        raise EnvironmentFault(fault.message, "Free space, or point HALLMARK_HOME at a disk that has some.") from fault
    if not journal.is_active:
        live.unlink(missing_ok=True)
    _flush(live.parent)
    return journal


def read(home: Path, name: str) -> Journal:
    """Read one journal by its id.

    Raises:
        EnvironmentFault: It is damaged. Nothing is guessed: somebody has to look.
    """
    live, done = _places(home, name)
    file = live if live.exists() else done
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        if (made := body.pop("format")) != FORMAT:
            hint = "Revert it with the version of Hallmark that injected it."
            raise EnvironmentFault(f"the journal {file} has format {made}, this version reads {FORMAT}.", hint)
        steps = tuple(Step(**{**s, "do": _call(s["do"]), "undo": _call(s["undo"])}) for s in body.pop("steps"))
        return Journal(**{**body, "state": State(body["state"])}, steps=steps)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        hint = "Bring the target back with terraform apply (or hallmark twin reset), then remove the file."
        raise EnvironmentFault(f"the journal {file} cannot be read: {error}.", hint) from error


def active(home: Path) -> list[Journal]:
    """Return the faults that are not reverted, oldest first. Reads one folder and nothing else."""
    found = [read(home, file.stem) for file in (home / FOLDER).glob("*.json")]
    return sorted((each for each in found if each.is_active), key=lambda each: each.planned_at)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Let one process at a time inject or revert; the kernel frees the lock when its holder dies."""
    folder = home / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("a")
    except OSError as error:
        hint = "Free space, or point HALLMARK_HOME at a disk that has some."
        raise EnvironmentFault(f"cannot write {folder}: {error.strerror}.", hint) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _places(home: Path, name: str) -> tuple[Path, Path]:
    """Where a journal is while its fault is active, and where it is put away."""
    folder = home / FOLDER
    return folder / f"{name}.json", folder / PUT_AWAY / f"{name}.json"


def _flush(folder: Path) -> None:
    """Make the names in *folder* survive a power cut, as ``fsync`` makes the content of a file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _to_json(journal: Journal) -> dict[str, Any]:
    steps = [{**asdict(s), "do": _plain(s.do), "undo": _plain(s.undo)} for s in journal.steps]
    return {"format": FORMAT, **asdict(journal), "steps": steps}


def _plain(call: Call) -> dict[str, Any]:
    return {"service": call.service, "operation": call.operation, "params": call.arguments}


def _call(plain: Mapping[str, Any]) -> Call:
    return Call.of(plain["service"], plain["operation"], **plain["params"])
