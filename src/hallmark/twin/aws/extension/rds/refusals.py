"""Databases that RDS would not create."""

from typing import Any

from moto.rds.exceptions import InvalidParameterCombination, InvalidParameterValue, RDSClientError
from moto.rds.models import RDSBackend

from hallmark.twin.aws.extension.patching import Function, around
from hallmark.twin.aws.extension.rds.catalogue import ENGINE_VERSIONS, family, is_instance_class, resolve

RETENTION = range(36)
"""Days a backup can be kept: 0 (off) to 35."""
SMALLEST_GIB = 20
"""Smallest gp2 or gp3 volume of RDS for PostgreSQL."""
PASSWORD = range(8, 129)
"""Length of a PostgreSQL master password."""
ENOUGH_ZONES = 2


def install() -> None:
    """Refuse on creation and, where the same value can be changed later, on modification."""
    around(RDSBackend, "create_db_instance")(_create_instance)
    around(RDSBackend, "modify_db_instance")(_modify_instance)
    around(RDSBackend, "create_db_cluster")(_create_cluster)
    around(RDSBackend, "create_subnet_group")(_create_subnet_group)


def _create_instance(original: Function, backend: RDSBackend, wanted: dict[str, Any]) -> Any:
    _settle_version(wanted.get("engine", ""), wanted)
    _refuse_values(wanted)
    if wanted.get("engine") == "postgres":
        _refuse_small_volume(wanted.get("allocated_storage"))
        _refuse_family(backend, wanted)
    return original(backend, wanted)


def _modify_instance(original: Function, backend: RDSBackend, identifier: str, wanted: dict[str, Any]) -> Any:
    database = backend.describe_db_instances(identifier)[0]
    if str(database.engine_version).startswith(f"{wanted.get('engine_version')}."):
        del wanted["engine_version"]  # a major version that is already there changes nothing
    _settle_version(database.engine, wanted)
    _refuse_values(wanted)
    return original(backend, identifier, wanted)


def _create_cluster(original: Function, backend: RDSBackend, wanted: dict[str, Any]) -> Any:
    _settle_version(wanted.get("engine", ""), wanted)
    _refuse_values(wanted)
    return original(backend, wanted)


def _create_subnet_group(original: Function, backend: RDSBackend, *args: Any) -> Any:
    _, _, subnets, _ = args
    zones = sorted({subnet.availability_zone for subnet in subnets})
    if len(zones) < ENOUGH_ZONES:
        raise RDSClientError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
            f"Current AZ coverage: {', '.join(zones)}. Add subnets to cover at least 2 AZs.",
        )
    return original(backend, *args)


def _settle_version(engine: str, wanted: dict[str, Any]) -> None:
    # RDS takes a major version for its newest minor version, and refuses one it has never heard of.
    version = wanted.get("engine_version")
    if not version:
        return
    wanted["engine_version"] = resolve(engine, version)
    if wanted["engine_version"] is None:
        raise InvalidParameterCombination(f"Cannot find version {version} for {engine}")


def _refuse_small_volume(gibibytes: int | None) -> None:
    if gibibytes is not None and gibibytes < SMALLEST_GIB:
        _refuse_value(f"Invalid storage size for engine name postgres and storage type gp2: {gibibytes}")


def _refuse_values(wanted: dict[str, Any]) -> None:
    instance_class = wanted.get("db_instance_class")
    if instance_class and wanted.get("engine", "postgres") in ENGINE_VERSIONS and not is_instance_class(instance_class):
        _refuse_value(f"Invalid DB Instance class: {instance_class}")
    days = wanted.get("backup_retention_period")
    if days is not None and int(days) not in RETENTION:
        _refuse_value(f"Invalid backup retention period: {days}. Must be between 0 and 35")
    password = wanted.get("master_user_password")
    if password is not None and len(password) not in PASSWORD:
        _refuse_value(
            "The parameter MasterUserPassword is not a valid password because it is "
            f"{'shorter than 8' if len(password) < PASSWORD.start else 'longer than 128'} characters."
        )


def _refuse_family(backend: RDSBackend, wanted: dict[str, Any]) -> None:
    name, version = wanted.get("db_parameter_group_name"), wanted.get("engine_version")
    group = backend.db_parameter_groups.get(name) if name else None
    if not group or not version or group.family == family("postgres", version):
        return
    raise InvalidParameterCombination(
        f"The Parameter Group {name} with DBParameterGroupFamily {group.family} can't be used for this "
        f"instance. Please use a Parameter Group with DBParameterGroupFamily {family('postgres', version)}"
    )


def _refuse_value(message: str) -> None:
    raise InvalidParameterValue(message)
