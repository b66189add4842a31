"""Writes of faults to data stores and to Secrets Manager that are more than one call.

A secret value is read, changed and written here, in memory: it is in no argument, no answer and no error. What undoes
a change names the version of the secret that was current before, which Secrets Manager keeps, and never its value.
"""

import re
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from hallmark.waiting import until

PASSWORD, WHOLE = "password", "whole"
"""What of a value is changed: the password of the URL it is, or everything."""
CURRENT = "AWSCURRENT"
SETTLES_WITHIN = 1800.0
"""Seconds a database or a cache may take to change its state; for RDS it is minutes."""
LOOKS_EVERY = 2.0
_URL = re.compile(r"^(?P<before>(?:[a-z][a-z0-9+.-]*://)?[^:@/\s]*:)(?P<password>\S+)(?P<after>@[^@\s]*)$")
_NAMESPACE = uuid.UUID("9a1d5a8e-2c55-4b42-8f0e-6f2f1d0c7b11")
_AVAILABLE, _STOPPED = "available", "stopped"
Clients = Callable[[str], Any]
"""Gives the client of a service."""


class Refused(Exception):
    """A write was not made.

    Args:
        code: Why, in a word.
        certain: Nothing was changed.
    """

    def __init__(self, code: str, *, certain: bool = True) -> None:
        super().__init__(code)
        self.code = code
        self.certain = certain


def wrong_version(recorded: str) -> str:
    """Return the id of the wrong version that follows a recorded one: always the same, so that it is known again."""
    return str(uuid.uuid5(_NAMESPACE, recorded))


def current_version(stages: Mapping[str, list[str]]) -> str:
    """Return the id of the current one of a secret's versions; empty: there is none."""
    return next((version for version, labels in stages.items() if CURRENT in labels), "")


def _spoil_secret_value(clients: Clients, secret: str, recorded: str, part: str) -> bool:
    """Make a version with a wrong value the current one."""
    manager, wrong = clients("secretsmanager"), wrong_version(recorded)
    stages = _stages(manager, secret)
    if current_version(stages) == wrong:
        return False
    if current_version(stages) != recorded:
        raise Refused("MovedOn")
    if wrong in stages:  # of an earlier time, and wrong still
        return _move(manager, secret, wrong, recorded)
    value = _spoiled(manager.get_secret_value(SecretId=secret, VersionId=recorded)["SecretString"], part)
    try:
        manager.put_secret_value(SecretId=secret, SecretString=value, ClientRequestToken=wrong)
    except ClientError as error:
        if _code(error) != "ResourceExistsException":
            raise
        return _move(manager, secret, wrong, recorded)
    return True


def _restore_secret_version(clients: Clients, secret: str, recorded: str) -> bool:
    """Make the recorded version the current one again."""
    manager = clients("secretsmanager")
    current = current_version(_stages(manager, secret))
    return current != recorded and _move(manager, secret, recorded, current)


def _replace_auth_token(clients: Clients, group: str) -> bool:
    """Let a token in that nobody knows, and no other."""
    return _set_token(clients("elasticache"), group, secrets.token_hex(24))


def _restore_auth_token(clients: Clients, group: str, secret: str, recorded: str) -> bool:
    """Let the token in that the recorded version of a secret holds, and no other."""
    try:
        value = clients("secretsmanager").get_secret_value(SecretId=secret, VersionId=recorded)["SecretString"]
    except ClientError as error:
        raise Refused(_code(error)) from error  # what is not found here is not the cache
    found = _URL.match(value.strip())
    return _set_token(clients("elasticache"), group, found["password"] if found else value)


def _set_cache_parameter(clients: Clients, group: str, name: str, value: str | None) -> bool:
    """Set a parameter of a parameter group; None: let it have its default again."""
    cache, which = clients("elasticache"), {"CacheParameterGroupName": group}
    own = cache.get_paginator("describe_cache_parameters").paginate(**which, Source="user").build_full_result()
    if {each["ParameterName"]: each.get("ParameterValue") for each in own["Parameters"]}.get(name) == value:
        return False
    change = cache.reset_cache_parameter_group if value is None else cache.modify_cache_parameter_group
    change(**which, ParameterNameValues=[{"ParameterName": name, "ParameterValue": value or ""}])
    return True


def _start_database(clients: Clients, instance: str) -> bool:
    """Start a database and wait until it is available; one that is just stopping is waited for first."""
    databases = clients("rds")
    if _database(databases, instance) == _AVAILABLE:
        return False
    _await(lambda: _database(databases, instance) != "stopping")
    if _database(databases, instance) == _STOPPED:
        databases.start_db_instance(DBInstanceIdentifier=instance)
    _await(lambda: _database(databases, instance) == _AVAILABLE)
    return True


def _stop_database(clients: Clients, instance: str) -> bool:
    """Have a database stopped; that it is stopped shows later."""
    databases = clients("rds")
    if _database(databases, instance) in {_STOPPED, "stopping"}:
        return False
    databases.stop_db_instance(DBInstanceIdentifier=instance)
    return True


def _set_token(cache: Any, group: str, token: str) -> bool:
    # SET is taken only after ROTATE, and leaves one token (ElastiCache API reference, "AuthTokenUpdateStrategy").
    for strategy in ("ROTATE", "SET"):
        _await(lambda: _cache(cache, group) == _AVAILABLE)
        cache.modify_replication_group(
            ReplicationGroupId=group, AuthToken=token, AuthTokenUpdateStrategy=strategy, ApplyImmediately=True
        )
    _await(lambda: _cache(cache, group) == _AVAILABLE)
    return True


def _await(condition: Callable[[], bool]) -> None:
    if not until(condition, SETTLES_WITHIN, LOOKS_EVERY):
        raise Refused("TimedOut", certain=False)


def _cache(cache: Any, group: str) -> str:
    return str(cache.describe_replication_groups(ReplicationGroupId=group)["ReplicationGroups"][0]["Status"])


def _database(databases: Any, instance: str) -> str:
    return str(databases.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]["DBInstanceStatus"])


def _stages(manager: Any, secret: str) -> Mapping[str, list[str]]:
    found: Mapping[str, list[str]] = manager.describe_secret(SecretId=secret).get("VersionIdsToStages") or {}
    return found


def _move(manager: Any, secret: str, to: str, away_from: str) -> bool:
    """Move the label; a version without labels is not listed, but can be moved to for as long as it is kept."""
    where = {"SecretId": secret, "VersionStage": CURRENT, "MoveToVersionId": to}
    try:
        manager.update_secret_version_stage(**where, **({"RemoveFromVersionId": away_from} if away_from else {}))
    except ClientError as error:
        # What is not found here is the version, not the secret: nothing is restored, and nobody should think so.
        raise Refused(_code(error)) from error
    return True


def _spoiled(value: str, part: str) -> str:
    if part == WHOLE:
        return secrets.token_urlsafe(48)[: max(len(value), 16)]
    found = _URL.match(value.strip())
    if not found:
        raise Refused("NoPassword")
    return f"{found['before']}{secrets.token_hex(16)}{found['after']}"


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", "Unknown"))


OPERATIONS: Mapping[str, Callable[..., bool]] = {
    "replace_auth_token": _replace_auth_token,
    "restore_auth_token": _restore_auth_token,
    "restore_secret_version": _restore_secret_version,
    "set_cache_parameter": _set_cache_parameter,
    "spoil_secret_value": _spoil_secret_value,
    "start_db_instance": _start_database,
    "stop_db_instance": _stop_database,
}
"""Each says whether it changed anything; all may be repeated."""
