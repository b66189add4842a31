"""Keeps a server for every store that the emulated AWS knows, and says where they are.

Everything here runs in one thread that lives as long as the process: the kernel ends servers with the thread that
started them.
"""

import json
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import redis

from hallmark.errors import HallmarkError
from hallmark.twin.files import disk_fault
from hallmark.twin.stores.given.assigned import Assigned
from hallmark.twin.stores.given.chosen import TOLD
from hallmark.twin.stores.held import GivenFault
from hallmark.twin.stores.wanted import Store, Wanted

LOG = logging.getLogger(__name__)
AGAIN_AFTER = 10.0
"""Seconds until a server that did not start is tried again."""
ABSENT = 3
"""So many times in a row a store has to be missing before its data is removed."""


class Keeper:
    """The servers of one account.

    Args:
        state: Folder of the data, in ``data``, and of ``addresses.json``.
        ask: What is wanted now.
        is_due: Whether to ask now; else what was wanted last still is.
    """

    def __init__(
        self, state: Path, ask: Callable[[], Sequence[Wanted]], is_due: Callable[[], bool] = lambda: True
    ) -> None:
        self._data = state / "data"
        self._file = state / "addresses.json"
        self._told = state / TOLD
        self._given = Assigned(state)
        self._faults: dict[str, GivenFault] = {}
        self._ask = ask
        self._is_due = is_due
        self._is_settled = False
        self._servers: dict[str, Store] = {}
        self._known: dict[str, Wanted] = {}
        self._later: dict[str, float] = {}
        self._absent: Counter[str] = Counter()
        self._published: object = None

    def follow(self) -> None:
        """Bring the servers to what is wanted now; without an answer they stay as they are."""
        if not self._is_due() and self._is_settled:
            self._bring(self._known)
            return
        try:
            wanted = {each.key: each for each in self._given.place(self._ask())}
        except HallmarkError as error:
            LOG.info("nothing new: %s", error.message)
            self._bring(self._known)
            return
        for key in self._servers.keys() - wanted.keys():
            self._servers.pop(key).stop()
            self._known.pop(key, None)
            self._faults.pop(key, None)
            LOG.info("%s is gone", key)
        self._bring(wanted)
        self._sweep(wanted.keys())
        self._is_settled = self._known == wanted and not self._absent

    def stop(self) -> None:
        """Stop every server."""
        self._faults.clear()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: server.stop(), self._servers.values()))
        self._publish()

    def _bring(self, wanted: Mapping[str, Wanted]) -> None:
        self._publish()  # what is gone or has died first: starting takes its time
        for each in list(wanted.values()):
            self._serve(each)
            self._publish()

    def _serve(self, wanted: Wanted) -> None:
        if time.monotonic() < self._later.get(wanted.key, 0.0):
            return
        server = self._servers.get(wanted.key)
        if server is None:
            server = self._servers[wanted.key] = wanted.make(self._data / wanted.key)
        try:
            self._settle(server, wanted)
            self._known[wanted.key] = wanted
            self._faults.pop(wanted.key, None)
        except (HallmarkError, redis.RedisError, OSError) as error:
            # The next try begins anew. Words of a library may hold anything: they are not logged.
            server.stop()
            del self._servers[wanted.key]
            self._known.pop(wanted.key, None)
            self._later[wanted.key] = time.monotonic() + AGAIN_AFTER
            if isinstance(error, GivenFault):
                self._faults[wanted.key] = error
            LOG.error("%s: %s", wanted.key, error.message if isinstance(error, HallmarkError) else type(error).__name__)  # noqa: TRY400

    def _settle(self, server: Store, wanted: Wanted) -> None:
        before = self._known.get(wanted.key)
        if before is not None and before != wanted:
            wanted.change(server, before)
        was = server.is_alive
        if wanted.serves:
            server.start()
        else:
            server.stop()
        if was is not server.is_alive:
            LOG.info("%s is %s", wanted.key, "up" if server.is_alive else "down")

    def _publish(self) -> None:
        """Say where the servers are, in one step and to us alone."""
        found: dict[str, dict[str, object]] = {}
        for key, wanted in self._known.items():
            server = self._servers.get(key)
            if server is not None and server.is_alive:
                address, port = server.address
                found |= {host: {"address": address, "port": port} for host in wanted.hosts}
        told = {
            "faults": [[error.message, error.hint] for error in self._faults.values()],
            "notes": self._given.notes,
        }
        if (found, told) != self._published:
            self._write(self._file, found)
            self._write(self._told, told)
            self._published = found, told

    def _write(self, file: Path, content: dict[str, Any]) -> None:
        partial = file.with_name(f".{file.name}")
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
                json.dump(content, opened)
            partial.replace(file)
        except OSError as error:
            raise disk_fault(file.parent, error) from error

    def _sweep(self, wanted: Collection[str]) -> None:
        """Remove the data of stores that are gone for good."""
        kept = {each.name for each in self._data.iterdir()} if self._data.exists() else set()
        self._absent = Counter({key: self._absent[key] + 1 for key in kept - set(wanted)})
        for key, times in self._absent.items():
            if times >= ABSENT:
                self._given.erase(key)
                shutil.rmtree(self._data / key, ignore_errors=True)
                LOG.info("the data of %s is removed", key)
