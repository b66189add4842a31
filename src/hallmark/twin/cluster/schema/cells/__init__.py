"""Cells of tables that are more than a field, by the kind of what they are about.

``data/columns.toml`` names each as ``module.function``. A function takes an object and the time that ages are counted
from.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from hallmark.twin.cluster.schema.cells import access, cluster, common, events, network, pods, storage, workloads
from hallmark.twin.cluster.schema.values import Json

Cell = Callable[[Json, datetime], Any]

_MODULES = {
    "access": access,
    "cluster": cluster,
    "common": common,
    "events": events,
    "network": network,
    "pods": pods,
    "storage": storage,
    "workloads": workloads,
}


@cache
def named(name: str) -> Cell:
    """The function that makes a cell.

    Args:
        name: ``pods.status``.
    """
    module, _, function = name.partition(".")
    found: Cell = getattr(_MODULES[module], function)
    return found
