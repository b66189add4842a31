"""A cache of one kind, kept current by a watch: what client-go calls an informer.

Whoever writes notes the answer here at once (:meth:`Cache.note`), so that a loop that reads its own cache never
creates a thing twice because the watch is a moment behind.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress

import aiohttp

from hallmark.errors import EnvironmentFault
from hallmark.twin.kube.client import Api, ApiError, NotFound
from hallmark.twin.kube.kinds import Key, Kind, Object, controller_of, key_of, version_of

RETRY = 0.5
"""Seconds before listing again after a watch broke."""
Listener = Callable[[Object], None]
"""Is told of an object that was added, changed or removed."""


class Cache:
    """All objects of one kind.

    Args:
        api: The cluster.
        kind: What is cached.
    """

    def __init__(self, api: Api, kind: Kind) -> None:
        self._api = api
        self.kind = kind
        self.synced = asyncio.Event()
        """Set once the first list is in."""
        self._objects: dict[Key, Object] = {}
        self._children: dict[str, dict[Key, Object]] = {}
        self._removed: dict[str, int] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Tell *listener* of every change from now on."""
        self._listeners.append(listener)

    def get(self, key: Key) -> Object | None:
        """Return one object. What is returned is shared: never change it."""
        return self._objects.get(key)

    def all(self, namespace: str = "") -> list[Object]:
        """Return the objects of a namespace, or of all."""
        return [each for (place, _), each in self._objects.items() if not namespace or place == namespace]

    def controlled_by(self, uid: str) -> list[Object]:
        """Return the objects whose controller has this uid."""
        return list(self._children.get(uid, {}).values())

    def note(self, thing: Object) -> None:
        """Take in an object as it is now, unless a newer one is known."""
        if thing["metadata"]["uid"] in self._removed:
            return
        known = self._objects.get(key_of(thing))
        if known and version_of(known) >= version_of(thing):
            return
        self._forget_parent(known)
        self._objects[key_of(thing)] = thing
        if parent := controller_of(thing):
            self._children.setdefault(parent["uid"], {})[key_of(thing)] = thing
        self._tell(thing)

    def forget(self, thing: Object) -> None:
        """Take in that an object is gone."""
        self._removed[thing["metadata"]["uid"]] = version_of(thing)
        while len(self._removed) > 4096:  # noqa: PLR2004  (only the last moments matter)
            del self._removed[next(iter(self._removed))]
        known = self._objects.get(key_of(thing))
        if known and known["metadata"]["uid"] == thing["metadata"]["uid"]:
            self._forget_parent(known)
            del self._objects[key_of(thing)]
            self._tell(thing)

    async def renew(self, key: Key) -> None:
        """Ask for one object now: for who cannot wait until the watch has told of it.

        Raises:
            ApiError: The API does not give it.
            EnvironmentFault: The API does not answer.
        """
        namespace, name = key
        known, found = self.get(key), await self._api.get(self.kind, name, namespace)
        if found:
            self._welcome(found)
            self.note(found)
        elif known:
            self.forget(known)

    async def run(self) -> None:
        """List, watch, and begin again when the watch ends; until cancelled."""
        while True:
            with suppress(aiohttp.ClientError, EnvironmentFault, TimeoutError):
                try:
                    await self._follow(await self._fill())
                except NotFound:
                    # A custom resource nobody has defined yet: there is none, and nobody should wait for it.
                    self.synced.set()
                except ApiError as error:
                    logging.getLogger(__name__).info("watch of %s: %s", self.kind.plural, error.message)
            await asyncio.sleep(RETRY)

    async def _fill(self) -> str:
        found, version = await self._api.list(self.kind)
        present = {each["metadata"]["uid"] for each in found}
        for gone in [each for each in self._objects.values() if each["metadata"]["uid"] not in present]:
            if version_of(gone) <= int(version):
                self.forget(gone)
        for each in found:
            self._welcome(each)
            self.note(each)
        self.synced.set()
        return version

    async def _follow(self, version: str) -> None:
        async for event, thing in self._api.watch(self.kind, version):
            if event == "DELETED":
                self.forget(thing)
            elif event != "BOOKMARK":
                if event == "ADDED":
                    self._welcome(thing)
                self.note(thing)

    def _welcome(self, thing: Object) -> None:
        # A removed object that is there again, and not only in old news: the cluster was restored.
        if version_of(thing) > self._removed.get(thing["metadata"]["uid"], -1):
            self._removed.pop(thing["metadata"]["uid"], None)

    def _forget_parent(self, known: Object | None) -> None:
        parent = controller_of(known) if known else None
        if known and parent:
            self._children.get(parent["uid"], {}).pop(key_of(known), None)
            if not self._children.get(parent["uid"]):
                self._children.pop(parent["uid"], None)

    def _tell(self, thing: Object) -> None:
        for listener in self._listeners:
            listener(thing)


class Caches:
    """One cache a kind, made when first asked for, and writes that keep them current.

    Args:
        api: The cluster.
    """

    def __init__(self, api: Api) -> None:
        self.api = api
        self._caches: dict[Kind, Cache] = {}

    def __getitem__(self, kind: Kind) -> Cache:
        """Return the cache of *kind*."""
        return self._caches.setdefault(kind, Cache(self.api, kind))

    def __iter__(self) -> Iterator[Cache]:
        """Yield every cache that was asked for."""
        return iter(self._caches.values())

    async def create(self, kind: Kind, thing: Object) -> Object:
        """Create an object; see :meth:`Api.create`."""
        return self._noted(kind, await self.api.create(kind, thing))

    async def patch(self, kind: Kind, of: Object, patch: object, subresource: str = "") -> Object:
        """Merge-patch an object or its subresource; see :meth:`Api.patch`."""
        answer = await self.api.patch(kind, of, patch, subresource)
        return answer if subresource not in {"", "status"} else self._noted(kind, answer)

    async def update(self, kind: Kind, thing: Object, subresource: str = "") -> Object:
        """Replace an object or its status; see :meth:`Api.update`."""
        return self._noted(kind, await self.api.update(kind, thing, subresource))

    async def delete(self, kind: Kind, thing: Object, **options: object) -> None:
        """Delete an object; see :meth:`Api.delete`. One that only waits for its end stays in the cache."""
        answer = await self.api.delete(kind, thing, **options)
        if answer.get("kind") == kind.kind:
            self._noted(kind, answer)
        else:
            self[kind].forget(thing)

    def _noted(self, kind: Kind, thing: Object) -> Object:
        self[kind].note(thing)
        return thing
