"""Redis or Valkey that the person runs: an ElastiCache group is all of it, so it has to be empty or marked as ours.

The mark is a key. Tokens are further passwords of the user ``default``, which keeps the person's own: nobody is locked
out. Which of its passwords are ours, a user who is off says: it lives as long as they do, and is in no file.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis

from hallmark.errors import HallmarkError
from hallmark.twin.stores.copies import client, execute, load_keys, numbers, save_keys
from hallmark.twin.stores.given.address import Address
from hallmark.twin.stores.given.server import Given, Owner, Session
from hallmark.twin.stores.valkey import Valkey, hashed

LOG = logging.getLogger(__name__)
MARK = "hallmark:twin"
OLDEST = 6
POLICY = "maxmemory-policy"
NEXT = "then: hallmark twin up"


class Administration(Session):
    """An administrator's connection.

    Args:
        address: The server's.
        open_one: Client of its database 0.
        owner: Whose store it is.
        wanted: The group as the twin's own server has it: tokens and settings.
    """

    def __init__(self, address: Address, open_one: redis.Redis, owner: Owner, wanted: Valkey) -> None:
        self._address = address
        self._client = open_one
        self._owner = owner
        self._wanted = wanted
        self._keeper = f"hallmark-{owner.twin}"

    def admit(self) -> None:
        """See the base class."""
        require_fit(self._address, self._client)
        require_free(self._address, self._client, self._owner.twin)
        if not self._wanted.passwords:
            said = "has a password, and a cache without AUTH token lets everybody in"
            raise self._address.fault(said, "set an AUTH token in Terraform, or unset the variable")

    def state(self) -> str:
        """See the base class."""
        mark = marked(self._client)
        return mark.get("state", "") if self._is_ours(mark) else ""

    def mark(self, state: str) -> None:
        """See the base class."""
        before = marked(self._client).get("policy") or self._policy()
        mark = {"twin": self._owner.twin, "store": self._owner.key, "state": state, "policy": before}
        self._client.set(MARK, json.dumps(mark))

    def fill(self, file: Path | None) -> None:
        """See the base class."""
        before = marked(self._client).get("policy") or self._policy()
        self._client.flushall()
        empty = {"twin": self._owner.twin, "store": self._owner.key, "state": "", "policy": before}
        self._client.set(MARK, json.dumps(empty))
        if file:
            load_keys(self._address.login, file)

    def open(self) -> None:
        """See the base class."""
        wanted, ours = {hashed(each) for each in self._wanted.passwords}, self._tokens(self._keeper)
        new = wanted - self._tokens("default")  # one that is the person's own anyway is never taken away
        old = ours - wanted
        if new:
            self._acl(self._keeper, "off", *(f"#{each}" for each in new))
            self._acl("default", *(f"#{each}" for each in new))
        if old:
            self._acl("default", *(f"!{each}" for each in old))
            self._acl(self._keeper, *(f"!{each}" for each in old))
        self._configure(self._wanted.settings)

    def shut(self) -> None:
        """See the base class."""
        theirs = self._tokens("default")
        if ours := [each for each in self._tokens(self._keeper) if each in theirs]:
            self._acl("default", *(f"!{each}" for each in ours))
        execute(self._client, "ACL", "DELUSER", self._keeper)
        for kind in ("normal", "pubsub"):
            execute(self._client, "CLIENT", "KILL", "TYPE", kind, "USER", "default", "SKIPME", "yes")

    def save(self, file: Path) -> None:
        """See the base class."""
        save_keys(self._address.login, file, MARK.encode())

    def erase(self) -> None:
        """Remove everything of this store; nothing happens where the mark is another one's."""
        mark = marked(self._client)
        if self._is_ours(mark):
            self.shut()
            self._configure({POLICY: mark["policy"]} if mark.get("policy") else {})
            self._client.flushall()

    def _is_ours(self, mark: Mapping[str, str]) -> bool:
        return (mark.get("twin"), mark.get("store")) == (self._owner.twin, self._owner.key)

    def _tokens(self, user: str) -> set[str]:
        """Hashes of a user's passwords; none if there is no such user."""
        return set(_user(self._client, user).get("passwords", []))

    def _acl(self, user: str, *rules: str) -> None:
        execute(self._client, "ACL", "SETUSER", user, *rules)

    def _policy(self) -> str:
        with suppress(redis.ResponseError):  # somebody may have forbidden it
            return str(self._client.config_get(POLICY).get(POLICY, ""))
        return ""

    def _configure(self, settings: Mapping[str, str]) -> None:
        try:
            for name, value in settings.items():
                self._client.config_set(name, value)
        except redis.ResponseError:
            LOG.warning("%s: it does not let us set %s", self._address.setting, ", ".join(settings))


class GivenRedis(Given[Valkey]):
    """An ElastiCache group on a server that the person runs; arguments are those of the base class."""

    def __init__(self, folder: Path, address: Address, owner: Owner, own: Valkey) -> None:
        super().__init__(folder, address, owner, own)
        self._run = ""
        self._mark = ""

    def set_passwords(self, passwords: Iterable[str]) -> None:
        """Take these tokens, and no others but the person's, from now on."""
        self._own.set_passwords(passwords)
        self._open_again()

    def set_settings(self, settings: dict[str, str]) -> None:
        """Change the configuration, at once, as far as the server lets us."""
        self._own.set_settings(settings)
        self._open_again()

    @contextmanager
    def session(self) -> Iterator[Administration]:
        """See the base class."""
        with connected(self._given) as open_one:
            yield Administration(self._given, open_one, self._owner, self._own)

    def start(self) -> None:
        """See the base class; a server that began anew has forgotten the tokens, so which run it is counts."""
        if not self.is_alive:
            super().start()
            with connected(self._given) as open_one:
                self._run, self._mark = _run(open_one), json.dumps(marked(open_one))

    def _answers(self) -> bool:
        with suppress(HallmarkError), connected(self._given) as open_one:
            # Keys may be evicted and flushed. While the store is at work here, the server is ours.
            open_one.set(MARK, self._mark, nx=True)
            return _run(open_one) == self._run
        return False

    def _save_own(self, file: Path) -> None:
        save_keys(self._own.login, file, MARK.encode())


@contextmanager
def connected(address: Address) -> Iterator[redis.Redis]:
    """Connect as an administrator. A library's words may hold anything, so they are replaced.

    Raises:
        GivenFault: The server is not there, lets nobody in, or refused the work.
    """
    try:
        with client(address.login) as open_one:
            yield open_one
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
        hint = f"mend user and password in {address.setting}, {NEXT}"
        raise address.fault("does not let us in, or not do the work", hint) from None
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        raise address.fault("does not answer", f"start it, or mend {address.setting}, {NEXT}") from None
    except redis.RedisError as error:
        raise address.fault(f"refused the work ({type(error).__name__})", f"read its log, {NEXT}") from None


def require_fit(address: Address, open_one: redis.Redis) -> None:
    """Refuse a server of an old version, one of many, and one without a password.

    Raises:
        GivenFault: It is unfit.
    """
    about = _about(open_one, "server") | _about(open_one, "replication")
    version = str(about.get("redis_version", "0"))
    if int(version.partition(".")[0]) < OLDEST:
        raise address.fault(f"is Redis {version}", f"use Redis {OLDEST} or later, or Valkey, {NEXT}")
    if about.get("redis_mode", "standalone") != "standalone" or about.get("role") != "master":
        raise address.fault("is one of several", f"name one that stands alone, {NEXT}")
    user = _user(open_one, "default")
    if "nopass" in user["flags"] or not user["enabled"]:
        hint = f"give it one with requirepass in its configuration and in {address.setting}, {NEXT}"
        raise address.fault("has no password for its user default, so wrong tokens would work", hint)


def require_free(address: Address, open_one: redis.Redis, twin: str) -> None:
    """Refuse a server that is neither empty nor marked as this twin's.

    Raises:
        GivenFault: It is somebody's.
    """
    if marked(open_one).get("twin") != twin and numbers(open_one):
        said = "holds keys that are not this twin's, and nothing was done to them"
        raise address.fault(said, f"give the twin an empty server in {address.setting}, {NEXT}")


def erase(address: Address, owner: Owner) -> None:
    """Remove everything of one store.

    Raises:
        GivenFault: The server did not do it.
    """
    with connected(address) as open_one:
        Administration(address, open_one, owner, Valkey(Path())).erase()


def marked(open_one: redis.Redis) -> dict[str, str]:
    """Return what the mark says; nothing if there is none, or the key is somebody else's."""
    with suppress(ValueError, redis.ResponseError):
        told = json.loads(open_one.get(MARK) or b"{}")
        return told if isinstance(told, dict) else {}
    return {}


def _user(open_one: redis.Redis, name: str) -> dict[str, Any]:
    """What ACL knows of a user; nothing if there is none."""
    told: Any = open_one.acl_getuser(name)
    return told or {}


def _about(open_one: redis.Redis, section: str) -> dict[str, Any]:
    told: dict[str, Any] = execute(open_one, "INFO", section)
    return told


def _run(open_one: redis.Redis) -> str:
    return str(_about(open_one, "server")["run_id"])
