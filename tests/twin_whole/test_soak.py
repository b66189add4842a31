"""A short soak of a whole twin: something breaks and comes back under load, and every accepted run is there."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from hallmark.twin.emulator import Server
from hallmark.waiting import until

FILLER, SIZE = "filler:", 1_000_000
"""Prefix of keys that take memory, and bytes of each; the cache has room for some 250."""
EVICTIONS = 3000
"""So many random ones in 250 keys miss one of them with a probability of one in 150,000."""
pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("soak")]


def test_a_fault_under_load_loses_no_accepted_run(clone: Callable[[], Any]) -> None:
    """A few seconds of load, one fault; the report counts, and nothing stays broken."""
    project = clone()
    done = project.run("soak", "--minutes", "0.2", "--rate", "5", "--only", "ingestion-stopped")

    assert done.returncode == 0, done.stderr
    assert "ingestion-stopped: there." in done.stderr
    assert "PROMISED" not in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [int(words[2]) > 0 for words in rows if words[0] == "ingestion-stopped"] == [True]
    assert "No fault is active." in project.run("fault", "list").stdout


@pytest.mark.parametrize(("policy", "is_lost"), [("allkeys-random", True), ("noeviction", False)])
def test_a_queue_that_runs_out_of_memory(clone: Callable[[], Any], policy: str, *, is_lost: bool) -> None:
    """Nobody works off the queue, and memory fills up: an evicting cache loses accepted runs, another one none."""
    project = clone()
    project.twin.up()
    project.twin.clients("elasticache").modify_cache_parameter_group(
        CacheParameterGroupName=_group(project.twin),
        ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": policy}],
    )
    soak = ("soak", "--minutes", "0.5", "--rate", "5", "--only", "ingestion-stopped")
    with project.start(*soak) as process, _cache(project) as cache:
        assert any("ingestion-stopped: there." in line for line in process.stderr)
        assert until(lambda: cache.info("memory")["maxmemory_policy"] == policy, 30)
        _fill(cache)
        printed, said = process.communicate(timeout=600)

    assert process.returncode == 0, said
    assert "PROMISED" not in printed
    assert ("(SE-40)" in printed) is is_lost, printed
    project.twin.down()


def _group(twin: Any) -> str:
    (node, *_) = twin.clients("elasticache").describe_cache_clusters()["CacheClusters"]
    return str(node["CacheParameterGroup"]["CacheParameterGroupName"])


@contextmanager
def _cache(project: Any) -> Iterator[redis.Redis]:
    """Log in to the cache as pods do."""
    state = project.home / "twin"
    running = Server(state).find()
    assert running
    (cache,) = running.control.store_secrets(project.twin.account)["caches"]
    places = json.loads((state / "stores" / "addresses.json").read_text())
    place = next(places[host] for host in cache["hosts"] if host in places)
    with redis.Redis(host=place["address"], port=place["port"], password=cache["tokens"][0]) as client:
        yield client


def _fill(cache: redis.Redis) -> None:
    """Take all memory for a moment, and give it back."""
    try:
        for number in range(EVICTIONS):
            cache.set(f"{FILLER}{number}", bytes(SIZE))
    except redis.OutOfMemoryError:
        pass
    finally:
        for key in cache.scan_iter(f"{FILLER}*"):
            cache.unlink(key)


def test_an_unknown_kind_of_fault_is_named(clone: Callable[[], Any]) -> None:
    """Before a twin is started."""
    project = clone()
    done = project.run("soak", "--only", "nonsense")

    assert done.returncode == 2
    assert "no kind of fault 'nonsense'" in done.stderr
    assert not project.twin.status().running
