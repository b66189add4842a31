"""Saves changed accounts to disk while the server runs, because moto remembers in memory only.

A save waits until the account has been quiet for a moment, so that a running ``terraform apply`` is not slowed
down, but never longer than `PATIENCE`. What a crash can lose is therefore known: at most that many seconds; of logs,
which grow all the time, `UNHURRIED`.
"""

import time
from pathlib import Path
from threading import Event, Thread

from hallmark.errors import EnvironmentFault
from hallmark.twin.aws import memory
from hallmark.twin.aws.gate import Gate
from hallmark.twin.aws.seal import Seal
from hallmark.twin.files import write

QUIET = 3.0
"""Seconds without a change after which an account is saved."""
PATIENCE = 30.0
"""Seconds after which an account that never rests is saved all the same."""
UNHURRIED = 600.0
"""Seconds after which an account is saved of which nothing changed but logs."""


class Autosave:
    """Writes ``autosave/<account>.snapshot`` in the state directory.

    Args:
        gate: Knows which accounts changed and lends its lock.
        seal: Seals what is written.
        state: The state directory.
    """

    def __init__(self, gate: Gate, seal: Seal, state: Path) -> None:
        self._gate = gate
        self._seal = seal
        self._folder = state / "autosave"
        self._stopped = Event()
        self._saved_at: dict[str, float] = {}
        self.error = ""
        """Why the last save failed, or empty."""

    def start(self) -> None:
        """Begin to save in the background."""
        Thread(target=self._watch, name="autosave", daemon=True).start()

    def stop(self) -> None:
        """Save what is unsaved, then stop."""
        self._stopped.set()
        self._save(list(self._gate.unsaved | self._gate.unhurried))

    def _watch(self) -> None:
        while not self._stopped.wait(timeout=1.0):
            self._save(self._due(time.monotonic()))

    def _due(self, now: float) -> list[str]:
        changed = [
            account
            for account, at in list(self._gate.unsaved.items())
            if now - at > QUIET or now - self._saved_at.setdefault(account, now) > PATIENCE
        ]
        grown = [account for account, since in list(self._gate.unhurried.items()) if now - since > UNHURRIED]
        return list(dict.fromkeys(changed + grown))

    def _save(self, accounts: list[str]) -> None:
        for account in accounts:
            try:
                with self._gate.lock:
                    self._gate.unsaved.pop(account, None)
                    self._gate.unhurried.pop(account, None)
                    sealed = self._seal.close(account, memory.dump(account))
                write(self._folder / f"{account}.snapshot", sealed)
                self.error = ""
            except EnvironmentFault as fault:
                self._gate.note(account)
                self.error = fault.message
            self._saved_at[account] = time.monotonic()
