"""A cache knows the newest state, whether a write or the watch told it first."""

import asyncio
from typing import Any, cast

from hallmark.twin.kube.cache import Cache, Caches
from hallmark.twin.kube.client import Api
from hallmark.twin.kube.kinds import PODS, Object, owned_by

OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web", "uid": "owner"}}


def pod(version: int, uid: str = "1", **metadata: Any) -> Object:
    """A pod at one version."""
    return {"metadata": {"name": "a", "namespace": "n", "uid": uid, "resourceVersion": str(version), **metadata}}


def empty() -> Cache:
    """A cache that never watches."""
    return Cache(cast("Api", None), PODS)


def test_the_newest_state_wins() -> None:
    """An older state that comes later changes nothing and tells nobody."""
    cache, told = empty(), cast("list[Object]", [])
    cache.listen(told.append)
    for version in (2, 1, 2, 3):
        cache.note(pod(version))

    assert cache.get(("n", "a")) == pod(3)
    assert told == [pod(2), pod(3)]


def test_what_is_gone_does_not_come_back() -> None:
    """After the removal, a late state of the same object is ignored; a new object of the same name is not."""
    cache = empty()
    cache.note(pod(1))
    cache.forget(pod(2))
    cache.note(pod(1))
    assert cache.get(("n", "a")) is None

    cache.note(pod(3, uid="2"))
    assert cache.get(("n", "a")) == pod(3, uid="2")
    cache.forget(pod(2))
    assert cache.get(("n", "a")) == pod(3, uid="2")


def test_children_follow_their_owner_reference() -> None:
    """Adoption and release move an object from one owner to another."""
    cache = empty()
    cache.note(pod(1))
    assert cache.controlled_by("owner") == []
    adopted = pod(2, ownerReferences=owned_by(OWNER))
    cache.note(adopted)
    assert cache.controlled_by("owner") == [adopted]
    cache.note(pod(3))
    assert cache.controlled_by("owner") == []


def test_namespaces_are_told_apart() -> None:
    """All objects, or those of one namespace."""
    cache = empty()
    other = {"metadata": {"name": "a", "namespace": "m", "uid": "9", "resourceVersion": "1"}}
    cache.note(pod(1))
    cache.note(other)

    assert cache.all("m") == [other]
    assert cache.all() == [pod(1), other]


def test_each_kind_has_one_cache() -> None:
    """Asking twice gives the same one."""
    caches = Caches(cast("Api", None))

    assert caches[PODS] is caches[PODS]
    assert list(caches) == [caches[PODS]]


def test_one_object_can_be_asked_for_before_the_watch_tells() -> None:
    """The present one is taken in, even one that was removed and is restored; one that is gone is forgotten."""

    class Live:
        present: Object | None = pod(5)

        async def get(self, *_: str) -> Object | None:
            return self.present

    live = Live()
    cache = Cache(cast("Api", live), PODS)
    cache.note(pod(1))
    asyncio.run(cache.renew(("n", "a")))
    assert cache.get(("n", "a")) == pod(5)

    live.present = None
    asyncio.run(cache.renew(("n", "a")))
    assert cache.get(("n", "a")) is None

    live.present = pod(7)
    asyncio.run(cache.renew(("n", "a")))
    assert cache.get(("n", "a")) == pod(7)
