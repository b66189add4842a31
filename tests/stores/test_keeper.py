"""How the keeper follows what is wanted, with servers that are no processes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault
from hallmark.twin.files import hold
from hallmark.twin.stores.held import GivenFault
from hallmark.twin.stores.keeper import ABSENT, Keeper
from hallmark.twin.stores.postgres import Postgres
from hallmark.twin.stores.server import Server
from hallmark.twin.stores.wanted import Cache, Database, Store, Wanted, read
from hallmark.twin.workers import Workers

DATABASE = {
    "key": "db-1",
    "hosts": ["pg.rds.amazonaws.com"],
    "status": "available",
    "user": "ann",
    "password": "correct-horse-battery",
    "database": "app",
    "max_connections": "50",
    "reboots": 0,
}
CACHE = {
    "key": "cache-1",
    "hosts": ["one.cache.amazonaws.com", "two.cache.amazonaws.com"],
    "status": "available",
    "tokens": ["a-token-of-sixteen-letters"],
    "maxmemory_policy": "",
}


class Pretender(Server):
    """Runs when it is told to."""

    works = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "Pretender")
        self._runs = False

    @property
    def is_alive(self) -> bool:
        """As it was told."""
        return self._runs

    def start(self) -> None:
        """Write data."""
        if not (self.works or self._runs):
            raise EnvironmentFault("It does not start.")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._runs = True

    def stop(self, within: float = 0.0) -> None:
        """Rest."""
        del within
        self._runs = False


@dataclass(frozen=True)
class Want:
    """Wants a pretender."""

    key: str
    hosts: tuple[str, ...] = ("a",)
    serves: bool = True

    def make(self, folder: Path) -> Store:
        """A pretender."""
        return Pretender(folder)

    def change(self, server: Store, before: Wanted) -> None:
        """Nothing to change."""


class Account:
    """What is wanted, or no answer."""

    def __init__(self, *wanted: Want) -> None:
        self.wanted: Sequence[Want] | None = wanted

    def __call__(self) -> Sequence[Wanted]:
        """Answer."""
        if self.wanted is None:
            raise EnvironmentFault("The twin does not answer.")
        return self.wanted


def addresses(state: Path) -> set[str]:
    """The names that lead to a server."""
    return set(json.loads((state / "addresses.json").read_text()))


def test_no_answer_changes_nothing(tmp_path: Path) -> None:
    """Servers and data stay while the emulated AWS is away, and also if it was never there."""
    account = Account(Want("one"))
    followed = Keeper(tmp_path, account)
    followed.follow()
    account.wanted = None
    for each in (followed, Keeper(tmp_path, account)):
        for _ in range(ABSENT + 1):
            each.follow()
    assert (tmp_path / "data" / "one").exists()
    followed._publish()
    account.wanted = (Want("one"),)
    followed.follow()
    assert followed._servers["one"].is_alive


def test_a_missing_store_ends_at_once_and_its_data_a_little_later(tmp_path: Path) -> None:
    """A short absence costs no data."""
    account = Account(Want("one"), Want("two", ("b", "c")))
    followed = Keeper(tmp_path, account)
    followed.follow()
    assert addresses(tmp_path) == {"a", "b", "c"}
    account.wanted = (Want("one"),)
    for _ in range(ABSENT):
        assert (tmp_path / "data" / "two").exists()
        followed.follow()
        assert addresses(tmp_path) == {"a"}
    assert not (tmp_path / "data" / "two").exists()
    assert (tmp_path / "data" / "one").exists()


def test_a_stopped_store_has_no_address(tmp_path: Path) -> None:
    """Its data stays."""
    account = Account(Want("one"))
    followed = Keeper(tmp_path, account)
    followed.follow()
    account.wanted = (Want("one", serves=False),)
    followed.follow()
    assert addresses(tmp_path) == set()
    account.wanted = (Want("one"),)
    followed.follow()
    assert addresses(tmp_path) == {"a"}


def test_a_server_that_does_not_start_harms_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again, but not at every look."""
    account = Account(Want("one"), Want("two", ("b",)))
    followed = Keeper(tmp_path, account)
    followed.follow()
    monkeypatch.setattr(Pretender, "works", False)
    followed._servers["one"].stop()
    followed.follow()
    assert addresses(tmp_path) == {"b"}
    monkeypatch.setattr(Pretender, "works", True)
    followed.follow()
    assert addresses(tmp_path) == {"b"}
    followed._later.clear()  # time passes
    followed.follow()
    assert addresses(tmp_path) == {"a", "b"}


def test_what_is_wrong_with_a_given_server_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as it is; and commands end with that, instead of with pods that wait."""

    def refuse(_: Pretender) -> None:
        raise GivenFault("The server of X does not answer.", "start it")

    workers = Workers(tmp_path, tmp_path / "cluster", tmp_path / "kubeconfig")
    keeper = Keeper(tmp_path / "stores", Account(Want("one")))
    with hold(tmp_path / "stores" / "stores.lock", "busy"):
        with monkeypatch.context() as patch:
            patch.setattr(Pretender, "start", refuse)
            keeper.follow()
            assert workers.stores_say() == "The server of X does not answer."
            with pytest.raises(EnvironmentFault, match=r"The server of X does not answer\.") as caught:
                workers.require_stores(0.0)
            assert caught.value.hint == "start it"
        keeper._later.clear()
        keeper.follow()
        workers.require_stores(0.0)
        assert workers.stores_say() == ""


def test_an_end_leaves_no_address(tmp_path: Path) -> None:
    """Everything is stopped."""
    followed = Keeper(tmp_path, Account(Want("one")))
    followed.follow()
    followed.stop()
    assert addresses(tmp_path) == set()


def test_what_aws_says_is_read() -> None:
    """Both kinds; what is about to go is not there any more."""
    database, cache = read({"databases": [DATABASE], "caches": [CACHE]})
    assert isinstance(database, Database)
    assert isinstance(cache, Cache)
    assert (database.connections, cache.policy) == (50, "volatile-lru")
    assert "correct-horse-battery" not in repr(database)
    assert "a-token-of-sixteen-letters" not in repr(cache)
    gone = {"status": "deleting"}
    assert read({"databases": [DATABASE | gone], "caches": [CACHE | gone]}) == []


@pytest.mark.parametrize(
    ("told", "connections"),
    [("", 200), ("LEAST({DBInstanceClassMemory/9531392},5000)", 200), ("12", 12), ("1", 6), ("5000", 1000)],
)
def test_connections(told: str, connections: int) -> None:
    """A number of the parameter group, within what a laptop can give."""
    assert Database.of(DATABASE | {"max_connections": told}).connections == connections


def test_a_reboot_restarts_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters are taken then, not before."""
    stops: list[Any] = []
    monkeypatch.setattr(Postgres, "stop", lambda *_: stops.append(1))
    before = Database.of(DATABASE)
    server = before.make(tmp_path)
    changed = replace(before, connections=60)
    changed.change(server, before)
    assert (server.settings, stops) == ({"max_connections": "60"}, [])
    replace(changed, reboots=1).change(server, changed)
    assert stops == [1]
