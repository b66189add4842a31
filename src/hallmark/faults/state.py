"""The state of a target as far as one kind of fault may touch it, so that the end can be held against the beginning.

It is what the kind's `observe` says must stay as it is, whether its symptom is there, and, for what the kind does
change, the values its plan would record now: the calls of its inverses. What a plan makes anew each time, such as a
mark, tells nothing and is left out; of a token, which nobody can read, only the symptom tells. Values are compared and
never shown.
"""

from collections.abc import Mapping
from typing import Any

from hallmark.errors import Absent, HallmarkError, Unobservable
from hallmark.faults.kinds import Kind
from hallmark.faults.reader import Reader

State = Mapping[str, Any]


def take(kind: Kind, read: Reader) -> State:
    """Return the state now, by the name of each part.

    Raises:
        Absent: There is nothing that the kind could break.
        GuardRefused: It may not be broken.
        Unobservable: Denied or failed.
    """
    observed = kind.observe(read)
    found: dict[str, Any] = {f"unaffected: {name}": value for name, value in observed.unaffected.items()}
    recorded: dict[str, list[str]] = {}
    for one, again in zip(kind.plan(read), kind.plan(read), strict=True):
        if one.undo == again.undo:
            recorded.setdefault(f"recorded: {one.resource}", []).append(one.undo.key)
    found["symptom"] = observed.symptom
    return found | {name: sorted(keys) for name, keys in recorded.items()}  # AWS lists rules in any order


def differing(kind: Kind, read: Reader, before: State) -> list[str]:
    """Return the parts that are not as they were; that the state cannot be taken is a difference, too."""
    try:
        now = take(kind, read)
    except (Absent, HallmarkError, Unobservable) as cause:
        return [f"the state cannot be told: {cause}"]
    return [f"not as before: {name}" for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
