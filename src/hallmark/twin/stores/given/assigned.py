"""Which stores of a twin are on given servers."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hallmark.twin.stores.given import marks
from hallmark.twin.stores.given.address import POSTGRES, REDIS
from hallmark.twin.stores.given.chosen import DATA, Chosen
from hallmark.twin.stores.given.server import Owner
from hallmark.twin.stores.held import Held
from hallmark.twin.stores.wanted import Cache, Database, Place, Wanted

LOG = logging.getLogger(__name__)
KINDS: dict[str, type[Database | Cache]] = {POSTGRES: Database, REDIS: Cache}


class Assigned:
    """Which stores are on given servers: one on each, for as long as it is there; the others have servers of our own.

    Args:
        state: State directory of the stores.
    """

    def __init__(self, state: Path) -> None:
        self._chosen = Chosen.of(state)
        self._data = state / DATA
        self._keys: dict[str, str] = {}
        self.notes: list[str] = []

    def place(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """Return what is wanted, with a place for those that are on a given server."""
        placed, notes = {each.key: each for each in wanted}, []
        for setting, address in self._chosen.addresses.items():
            kin = [each for each in wanted if isinstance(each, KINDS[setting])]
            key = self._key(setting, [each.key for each in kin])
            for each in kin:
                if each.key == key:
                    placed[key] = replace(each, place=Place(address, Owner(self._chosen.twin, key)))
                elif key:
                    notes.append(f"{each.key} has a server of the twin's own: {setting} serves one store, {key}.")
        if notes != self.notes:
            self.notes = notes
            LOG.info("given servers: %s", " ".join(notes) or "nothing else")
        return list(placed.values())

    def erase(self, key: str) -> None:
        """Remove what is marked as of a store that is gone; a server that is away keeps it."""
        for address in self._chosen.addresses.values():
            marks.erase(address, Owner(self._chosen.twin, key))

    def _key(self, setting: str, keys: Sequence[str]) -> str:
        known = self._keys.get(setting, "")
        if known not in keys:
            # Later, one that began on a server of our own stays there until the stores start again.
            free = [each for each in keys if not (known and (self._data / each).exists())]
            begun = [each for each in free if Held(self._data / each).state]
            known = self._keys[setting] = next(iter([*begun, *free]), known)
        return known if known in keys else ""
