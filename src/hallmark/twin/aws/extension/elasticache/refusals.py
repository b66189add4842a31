"""Caches that ElastiCache would not create."""

from typing import Any

from moto.elasticache.exceptions import InvalidParameterCombinationException, InvalidParameterValueException
from moto.elasticache.models import ElastiCacheBackend

from hallmark.twin.aws.extension.elasticache.parameter_groups import find
from hallmark.twin.aws.extension.patching import Function, around

VERSIONS = {
    "redis": ("5.0.6", "6.0", "6.2", "7.0", "7.1"),
    "valkey": ("7.2", "8.0", "8.1", "8.2"),
}
"""Engine versions a new cache can have (ElastiCache user guide, "Supported engines and versions")."""
TOKEN = range(16, 129)
"""Length of an AUTH token."""
SNAPSHOT_DAYS = range(36)


def install() -> None:
    """Refuse on creation, for groups and for single clusters."""
    around(ElastiCacheBackend, "create_replication_group")(_create_replication_group)
    around(ElastiCacheBackend, "create_cache_cluster")(_create_cache_cluster)


def _create_replication_group(original: Function, backend: ElastiCacheBackend, **wanted: Any) -> Any:
    _refuse(backend, wanted)
    _refuse_failover(wanted)
    return original(backend, **wanted)


def _create_cache_cluster(original: Function, backend: ElastiCacheBackend, **wanted: Any) -> Any:
    _refuse(backend, wanted)
    return original(backend, **wanted)


def _refuse(backend: ElastiCacheBackend, wanted: dict[str, Any]) -> None:
    engine, version = wanted.get("engine") or "redis", wanted.get("engine_version")
    if engine in VERSIONS and version and version not in VERSIONS[engine]:
        raise InvalidParameterCombinationException(f"Cannot find version {version} for {engine}")
    _refuse_family(backend, engine, version, wanted.get("cache_parameter_group_name"))
    refuse_token(wanted.get("auth_token"), is_encrypted=bool(wanted.get("transit_encryption_enabled")))
    days = wanted.get("snapshot_retention_limit")
    if days is not None and days not in SNAPSHOT_DAYS:
        raise InvalidParameterValueException(f"Invalid snapshot retention limit: {days}. Must be between 0 and 35.")


def _refuse_family(backend: ElastiCacheBackend, engine: str, version: str | None, group: str | None) -> None:
    if not group or not version or engine not in VERSIONS:
        return
    found = find(backend, group)["CacheParameterGroupFamily"]
    expected = family(engine, version)
    if found != expected:
        message = f"Expected a parameter group of family {expected} but found one of family {found}"
        raise InvalidParameterCombinationException(message)


def family(engine: str, version: str) -> str:
    """The parameter group family of an engine version, for example ``redis7``."""
    major = version.partition(".")[0]
    return {"redis5": "redis5.0", "redis6": "redis6.x"}.get(f"{engine}{major}", f"{engine}{major}")


def refuse_token(token: str | None, *, is_encrypted: bool) -> None:
    """Refuse an AUTH token that is too short or too long, or that would travel in the open.

    Raises:
        ElastiCacheException: As ElastiCache answers; it is no error to give no token.
    """
    if not token:
        return
    if not is_encrypted:
        raise InvalidParameterCombinationException(
            "The AUTH token is only supported when encryption-in-transit is enabled"
        )
    if len(token) not in TOKEN:
        raise InvalidParameterValueException("AUTH token must be between 16 and 128 characters in length.")


def _refuse_failover(wanted: dict[str, Any]) -> None:
    shards = wanted.get("num_node_groups") or 1
    replicas = wanted.get("replicas_per_node_group") or 0
    nodes = max(wanted.get("num_cache_clusters") or 1, shards * (replicas + 1))
    single = shards == 1 and nodes == 1
    if wanted.get("automatic_failover_enabled") and single and wanted.get("cluster_mode") != "enabled":
        raise InvalidParameterCombinationException(
            "Must specify at least two cache clusters in order to auto failover."
        )
    if wanted.get("multi_az_enabled") and not wanted.get("automatic_failover_enabled"):
        raise InvalidParameterCombinationException(
            "Must have automatic failover enabled to use Multi-AZ functionality."
        )
