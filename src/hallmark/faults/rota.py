"""Faults one after the other, for whoever wants a system broken again and again: every kind there is, once a round."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from hallmark.errors import AuthorError
from hallmark.faults import by_hand, kinds, runner
from hallmark.faults.definition import Fault
from hallmark.targets.profile import Profile

OWNER = "soak"
"""Stands for a lab in the journals."""
TTL = timedelta(minutes=15)
"""After it a fault reverts itself, should nobody be left to do so."""


class Rota:
    """Breaks and mends one target.

    Args:
        root: The clone of the repository, whose labs tell with which parameters a kind bites.
        profile: The target.
        home: The state directory.
        only: Kinds to use; default: all.
    """

    def __init__(self, root: Path, profile: Profile, home: Path, only: Sequence[str] = ()) -> None:
        self._profile = profile
        self._home = home
        self._faults = {fault.kind: fault for fault in _faults(root) if not only or fault.kind in only}

    @property
    def names(self) -> list[str]:
        """The kinds that can be injected, in their order."""
        return list(self._faults)

    def inject(self, name: str) -> None:
        """Break the target; returns once the symptom is there.

        Raises:
            HallmarkError: It could not be done; nothing of it is left.
        """
        runner.Runner(self._profile, self._home).inject(self._faults[name])

    def revert(self) -> None:
        """Mend what is broken.

        Raises:
            HallmarkError: Something could not be reverted.
        """
        runner.revert(self._home, self._profile)


def _faults(root: Path) -> list[Fault]:
    params = by_hand.usual(root)
    found = []
    for name in kinds.names():
        with suppress(AuthorError):  # it needs parameters, and no lab tells them
            symptom = kinds.load(name, params.get(name, {})).symptom.splitlines()[0]
            found.append(Fault(OWNER, name, TTL, symptom, params=params.get(name, {})))
    return found
