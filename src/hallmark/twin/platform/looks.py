"""Looks at a store: for real if a server is behind its name, else at what the network would do."""

from collections.abc import Callable
from contextlib import suppress

from hallmark.twin.platform.pool import NotHere
from hallmark.twin.programs.langsmith.stores import Store, Trouble


class Looks:
    """Sees whether a store can be used.

    Args:
        store: Asks the network, and remembers a connection that stands.
        really: Uses the server.
    """

    def __init__(self, store: Store, really: Callable[[], object]) -> None:
        self._store = store
        self._really = really
        self._void = False

    def look(self) -> None:
        """Use it once.

        Raises:
            Trouble: It cannot be used.
        """
        if self._void:
            self._look_at_nothing()
            return
        try:
            self._really()
        except NotHere:
            self._void = True
            self._store.use()

    def _look_at_nothing(self) -> None:
        self._store.use()
        with suppress(Trouble):  # a server may have come up meanwhile
            self._really()
            self._void = False
