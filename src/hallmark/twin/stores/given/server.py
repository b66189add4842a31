"""What all servers by URL have in common: how a store begins on one, rests, and goes.

The order of steps is such that one can be killed between any two. The server is marked before the folder is; whoever
finds two different marks takes the folder's, whose data is then complete there.
"""

import logging
import secrets
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from hallmark.errors import EnvironmentFault, HallmarkError
from hallmark.twin.stores.given.address import Address
from hallmark.twin.stores.held import GivenFault, Held

if TYPE_CHECKING:  # drivers take longer than most commands
    from hallmark.twin.stores.postgres import Postgres
    from hallmark.twin.stores.valkey import Valkey

Own = TypeVar("Own", bound="Postgres | Valkey")
LOG = logging.getLogger(__name__)
MOVED = "moved"
"""Copy of what a server of our own left, for as long as it is read in."""
LOOKS_EVERY = 5.0
"""Seconds between two looks whether the server is still there."""


@dataclass(frozen=True)
class Owner:
    """Whose something on a server is.

    Attributes:
        twin: Name of the twin.
        key: Of the store.
    """

    twin: str
    key: str


class Session(ABC):
    """An administrator's work on a server, over one connection."""

    @abstractmethod
    def admit(self) -> None:
        """Refuse a server that is unfit, or where something of somebody else is in the way; nothing is changed.

        Raises:
            GivenFault: It is.
        """

    @abstractmethod
    def state(self) -> str:
        """The mark of what the server holds of this store; empty if that is nothing, or half of something."""

    @abstractmethod
    def mark(self, state: str) -> None:
        """Say which state the server holds."""

    @abstractmethod
    def fill(self, file: Path | None) -> None:
        """Put a file's data, or nothing, in place of everything there is of this twin."""

    @abstractmethod
    def open(self) -> None:
        """Let the store's clients in."""

    @abstractmethod
    def shut(self) -> None:
        """Let none of them in any more, and end who is."""

    @abstractmethod
    def save(self, file: Path) -> None:
        """Write the data into a file."""


class Given(ABC, Generic[Own]):
    """A store on a server that somebody else runs.

    Args:
        folder: The store's folder.
        address: Where the server is.
        owner: Whose store it is.
        own: The store as a server of the twin's own: what is wanted, and where its data may have been so far.
    """

    def __init__(self, folder: Path, address: Address, owner: Owner, own: Own) -> None:
        self.folder = folder
        self._given = address
        self._owner = owner
        self._own = own
        self._held = Held(folder)
        self._at_work = False
        self._looked = self._failed = 0.0

    @abstractmethod
    def session(self) -> AbstractContextManager[Session]:
        """Get in.

        Raises:
            GivenFault: The server does not answer, or does not let us in.
        """

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the server is there, and is the one that work began on."""

    @abstractmethod
    def _save_own(self, file: Path) -> None:
        """Write what the server of our own holds into a file, while it runs."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self._given.place

    @property
    def is_alive(self) -> bool:
        """Whether the store is at work; the server is looked at from time to time."""
        if self._at_work and time.monotonic() > self._looked + LOOKS_EVERY:
            self._at_work = self._answers()
            self._looked = time.monotonic()
        return self._at_work

    def start(self) -> None:
        """Have the store at work on the server; nothing happens if it is.

        Raises:
            GivenFault: The server is not there, is unfit, or has something of somebody else in the way.
        """
        if self.is_alive:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with self.session() as at:
                self._begin(at)
        except EnvironmentFault as error:
            raise GivenFault(error.message, error.hint) from None
        self._own.clear()
        (self.folder / MOVED).unlink(missing_ok=True)
        self._at_work, self._looked = True, time.monotonic()

    def stop(self, within: float = 0.0) -> None:
        """Have the store rest; the server runs on. What cannot be read now stays there, and is told.

        Args:
            within: Seconds; of no meaning here.
        """
        del within
        if self._at_work:
            self._answers()  # a mark that was evicted a moment ago comes back
        self._at_work = False
        if not self._held.is_at_work or time.monotonic() < self._failed + LOOKS_EVERY:
            return
        try:
            with self.session() as at:
                self._rest(at)
        except HallmarkError as error:
            self._failed = time.monotonic()
            LOG.warning("%s: its data was not read. %s", self.folder.name, error.message)

    def _begin(self, at: Session) -> None:
        at.admit()
        if not self._held.state or self._held.state != at.state():
            at.fill(self._kept())
        state = secrets.token_hex(8)
        at.mark(state)
        self._held.begin(state)
        at.open()

    def _rest(self, at: Session) -> None:
        if at.state() != self._held.state:
            raise self._gone()
        at.shut()
        at.save(self._held.file)

    def _kept(self) -> Path | None:
        """What the folder holds, as a file to be read in; None for nothing."""
        if self._held.is_at_work:
            raise self._gone()
        if self._held.state:
            return self._held.file
        if not (self.folder / "data").exists():
            return None
        moved = self.folder / MOVED
        self._own.start()
        try:
            self._save_own(moved)
        finally:
            self._own.stop()
        return moved

    def _open_again(self) -> None:
        """Have what is wanted now hold at once, if the store is at work."""
        if self.is_alive:
            with self.session() as at:
                at.open()

    def _gone(self) -> GivenFault:
        return self._given.fault(f"does not hold the data of {self.folder.name} any more", "hallmark twin reset")
