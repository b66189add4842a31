"""Regions of a service, as botocore knows them, but without reading the service's whole description for one word of it.

moto asks once for each service, and each time through a session of its own: three times 4 MB of JSON while it is
imported, which leaves holes of as many objects in memory for good. Partitions it asks for with each role of a cluster.
"""

import gzip
import re
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.exceptions import DataNotFoundError

from hallmark.twin.descriptions import loader

PREFIX = re.compile(rb'"endpointPrefix"\s*:\s*"([^"]+)"')
HEAD = 8192
"""Bytes at the beginning of a description in which its metadata is."""


def apply() -> None:
    """Have every session of this process answer so."""
    botocore.session.Session.get_available_regions = _available
    botocore.session.Session.get_available_partitions = _partitions


def _available(
    _: Any,
    service_name: str,
    partition_name: str = "aws",
    allow_non_regional: bool = False,  # noqa: FBT001, FBT002  (botocore's)
) -> list[str]:
    return list(_regions(service_name, partition_name, allow_non_regional))


def _partitions(_: Any) -> list[str]:
    return list(_resolver().get_available_partitions())


@cache
def _regions(service: str, partition: str, non_regional: bool) -> tuple[str, ...]:  # noqa: FBT001  (passed on)
    try:
        prefix = _prefix(service)
    except DataNotFoundError:  # no service is called so
        return ()
    return tuple(_resolver().get_available_endpoints(prefix, partition, non_regional))


@cache
def _resolver() -> Any:
    session = botocore.session.Session()
    session.register_component("data_loader", loader())
    return session._get_internal_component("endpoint_resolver")  # noqa: SLF001  (as botocore's own function does)


def _prefix(service: str) -> str:
    version = loader().determine_latest_version(service, "service-2")
    for root in loader().search_paths:
        file = Path(root) / service / version / "service-2.json.gz"
        if file.is_file():
            with gzip.open(file) as opened:
                found = PREFIX.search(opened.read(HEAD))
            return found[1].decode() if found else service
    return service
