"""Writes stay quick: each step looks at what an object has, not at what its kind could have."""

import copy
import time
from collections.abc import Callable
from typing import Any

from hallmark.twin.cluster.schema import defaults, definitions, ownership, validation
from hallmark.twin.cluster.schema.definitions import Schema

Json = dict[str, Any]
Make = Callable[..., Json]


def best(work: Callable[[], object], rounds: int = 40) -> float:
    """Milliseconds of the quickest round; the machine may be busy with something else."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return min(times)


def create(group: str, kind: str, obj: Json, schema: Schema) -> None:
    """All that happens to an object that is created."""
    assert validation.check(obj, schema, custom=False) == validation.Findings()
    defaults.apply(group, kind, obj)
    assert validation.semantic(group, kind, obj, None) == []
    ownership.track(None, obj, schema, manager="m", api_version="v1", subresource="", time="2026-11-01T00:00:00Z")


def test_deployment_takes_less_than_a_millisecond_and_a_half(deployments: Schema, deployment: Make) -> None:
    """Checking, defaulting and recording a typical Deployment takes less than 1.5 ms."""
    assert best(lambda: create("apps", "Deployment", deployment(bare=True), deployments)) < 1.5


def test_config_map_takes_less_than_a_fifth_of_a_millisecond() -> None:
    """A small ConfigMap takes less than 0.2 ms."""
    schema = definitions.builtin("", "v1", "ConfigMap")
    assert schema is not None
    small = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}, "data": {"k": "v"}}
    assert best(lambda: create("", "ConfigMap", copy.deepcopy(small), schema)) < 0.2


def test_apply_takes_less_than_a_millisecond_and_a_half(deployments: Schema, deployment: Make) -> None:
    """Applying a Deployment once more takes less than 1.5 ms."""
    config, live = deployment(bare=True), deployment()
    options: Json = {"manager": "m", "force": True, "api_version": "apps/v1", "subresource": "", "time": "t"}
    applied = ownership.apply(live, config, deployments, **options)
    assert best(lambda: ownership.apply(applied, config, deployments, **options)) < 1.5
