"""What AWS tells of a database and moto does not, or tells wrong."""

import uuid
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.rds.models import DBInstance, DBInstanceClustered, DBParameterGroup, DBSubnetGroup
from moto.rds.responses import RDSResponse

from hallmark.twin.aws.extension.patching import Function, around, extend
from hallmark.twin.aws.extension.rds.catalogue import ENGINE_VERSIONS, family

INSIGHTS_DAYS = 7
"""Retention of Performance Insights when none is asked for."""


def install() -> None:
    """Own resource ids, a zone of the subnet group, Performance Insights, sources of parameters, engine versions."""
    around(DBInstance, "__init__")(_create)
    around(DBInstanceClustered, "__init__")(_create_in_cluster)
    around(DBParameterGroup, "update_parameters")(_update_parameters)
    database: Any = DBInstance
    database.latest_restorable_time = property(_latest_restorable_time)
    extend(RDSResponse, describe_db_engine_versions)


def _create(original: Function, database: DBInstance, *args: Any, **kwargs: Any) -> None:
    original(database, *args, **kwargs)
    database.dbi_resource_id = f"db-{uuid.uuid4().hex[:26].upper()}"
    insights: Any = database
    insights.performance_insights_enabled = bool(kwargs.get("enable_performance_insights"))
    if insights.performance_insights_enabled:
        days = kwargs.get("performance_insights_retention_period") or INSIGHTS_DAYS
        insights.performance_insights_retention_period = int(days)
        insights.performance_insights_kms_key_id = kwargs.get("performance_insights_kms_key_id")
    insights.database_insights_mode = kwargs.get("database_insights_mode") or "standard"
    if getattr(database, "db_subnet_group", None) and not kwargs.get("availability_zone"):
        database.availability_zone = _first_zone(database.db_subnet_group)


def _create_in_cluster(original: Function, database: DBInstanceClustered, *args: Any, **kwargs: Any) -> None:
    # An Aurora instance stands in the subnet group of its cluster.
    original(database, *args, **kwargs)
    group = database.backend.subnet_groups.get(database.cluster.db_subnet_group)
    if group:
        database.db_subnet_group = group
        database.availability_zone = kwargs.get("availability_zone") or _first_zone(group)


def _first_zone(group: DBSubnetGroup) -> str:
    zones: list[str] = [subnet["SubnetAvailabilityZone"]["Name"] for subnet in group.subnets]
    return min(zones)


def _latest_restorable_time(database: DBInstance) -> datetime | None:
    # There is no point in time to restore to while backups are off.
    return utcnow() if database.backup_retention_period else None


def _update_parameters(original: Function, group: DBParameterGroup, parameters: Any) -> Any:
    # Without its source, Terraform takes a parameter it set for one it did not.
    return original(group, [{"Source": "user", **parameter} for parameter in parameters])


def describe_db_engine_versions(request: RDSResponse) -> ActionResult:
    """Engine versions RDS offers, filtered by engine, version and parameter group family."""
    wanted = {name: request.params.get(name) for name in ("Engine", "EngineVersion", "DBParameterGroupFamily")}
    offered = [
        {
            "Engine": engine,
            "EngineVersion": version,
            "MajorEngineVersion": version.partition(".")[0],
            "DBParameterGroupFamily": family(engine, version),
            "DBEngineDescription": engine,
            "DBEngineVersionDescription": f"{engine} {version}",
            "Status": "available",
        }
        for engine, versions in ENGINE_VERSIONS.items()
        for version in versions
    ]
    return ActionResult({"DBEngineVersions": [one for one in offered if _matches(one, wanted)]})


def _matches(offered: dict[str, str], wanted: dict[str, str | None]) -> bool:
    return all(value in {None, offered[name]} for name, value in wanted.items())
