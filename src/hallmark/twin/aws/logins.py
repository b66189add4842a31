"""Whether a login to an emulated data store would be accepted, and what the store's own server has to know for that.

The words are those of PostgreSQL and Redis. Who logs in is told nothing: ``password``, ``token`` and their like are
compared. Only the process that runs the servers (:mod:`hallmark.twin.stores`) is given them.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.elasticache.models import elasticache_backends
from moto.rds.models import rds_backends

ACCEPTED: dict[str, str] = {"outcome": "accepted", "message": ""}
FORCED_SINCE = 15
"""Major version of PostgreSQL from which RDS demands TLS by default (RDS user guide, ``rds.force_ssl``)."""


@dataclass(frozen=True)
class Login:
    """What a client shows.

    Attributes:
        host: Endpoint name of the store.
        user: May be empty.
        password: Password or AUTH token; may be empty.
        database: May be empty.
        tls: Whether the client speaks TLS.
        address: Where it comes from, for the message.
    """

    host: str
    user: str
    password: str
    database: str
    tls: bool
    address: str

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> "Login":
        """Read a question."""
        texts = {name: str(asked.get(name) or "") for name in ("host", "user", "password", "database", "address")}
        return cls(**texts, tls=bool(asked.get("tls")))


def verdict(account: str, login: Login) -> dict[str, str]:
    """Answer one login: outcome ``accepted``, ``denied`` with the store's words, ``reset`` or ``unknown host``."""
    for database in _databases(account):
        if database.address == login.host:
            return _postgres(database, login)
    for _, group, nodes in _caches(account):
        if login.host in _endpoints(group):
            return _redis(group, nodes, login)
    return {"outcome": "unknown host", "message": ""}


def servers(account: str) -> dict[str, list[dict[str, Any]]]:
    """Every store of an account as its server has to be: with the master's password, and the tokens."""
    return {
        "databases": [_database(each) for each in _databases(account) if "postgres" in str(each.engine)],
        "caches": [_cache(*each) for each in _caches(account)],
    }


def _database(database: Any) -> dict[str, Any]:
    group = database.backend.db_parameter_groups.get(
        database.db_parameter_group_name or ""
    )  # this makes no default one
    connections = group.parameters.get("max_connections", {}) if group else {}
    return {
        "key": database.dbi_resource_id,
        "hosts": [database.address],
        "status": database.status,
        "user": database.master_username,
        "password": _password(database),
        "database": database.db_name or "",
        "max_connections": str(connections.get("ParameterValue", "")),
        "reboots": getattr(database, "reboots", 0),
    }


def _cache(backend: Any, group: Any, nodes: list[Any]) -> dict[str, Any]:
    # Its age tells a group from an earlier one of the same name.
    age = str(group.replication_group_create_time)
    return {
        "key": f"{group.replication_group_id}-{hashlib.sha256(age.encode()).hexdigest()[:12]}",
        "hosts": sorted(_endpoints(group)),
        "status": group.status,
        "tokens": sorted(_tokens(nodes)) if group.auth_token_enabled else [],
        "maxmemory_policy": _maxmemory_policy(backend, nodes),
    }


def _maxmemory_policy(backend: Any, nodes: list[Any]) -> str:
    name = next((node.cache_parameter_group_name for node in nodes), None)
    values: dict[str, Any] = backend.parameter_groups.get(name, {}).get("Values", {})
    return str(values.get("maxmemory-policy", ""))


def _postgres(database: Any, login: Login) -> dict[str, str]:
    if not login.tls and _forces_tls(database):
        whom = f'host "{login.address}", user "{login.user}", database "{login.database}"'
        return _denied(f"FATAL:  no pg_hba.conf entry for {whom}, no encryption")
    known = login.user == database.master_username and _same(_password(database), login.password)
    if not known:
        return _denied(f'FATAL:  password authentication failed for user "{login.user}"')
    if login.database not in {"", "postgres", database.db_name}:
        return _denied(f'FATAL:  database "{login.database}" does not exist')
    return ACCEPTED


def _forces_tls(database: Any) -> bool:
    for group in database.db_parameter_groups():
        if set_ := group.parameters.get("rds.force_ssl"):
            return str(set_.get("ParameterValue")) == "1"
    major = str(database.engine_version).split(".")[0]
    return major.isdigit() and int(major) >= FORCED_SINCE


def _password(database: Any) -> str:
    if getattr(database, "manage_master_user_password", False) and hasattr(database, "master_user_secret"):
        value = json.loads(database.master_user_secret.secret.secret_string or "{}")
        return str(value.get("password", ""))
    return str(getattr(database, "_master_user_password", "") or "")


def _redis(group: Any, nodes: list[Any], login: Login) -> dict[str, str]:
    if bool(group.transit_encryption_enabled) is not login.tls:
        return {"outcome": "reset", "message": ""}
    if not group.auth_token_enabled:
        if login.password:
            return _denied(
                "ERR AUTH <password> called without any password configured for the default user. "
                "Are you sure your configuration is correct?"
            )
        return ACCEPTED
    if not login.password:
        return _denied("NOAUTH Authentication required.")
    if not any(_same(token, login.password) for token in _tokens(nodes)):
        return _denied("WRONGPASS invalid username-password pair or user is disabled.")
    return ACCEPTED


def _tokens(nodes: list[Any]) -> set[str]:
    tokens = (getattr(node, name, None) for node in nodes for name in ("auth_token", "former_auth_token"))
    return {token for token in tokens if token}


def _databases(account: str) -> Iterator[Any]:
    for backend in dict.values(rds_backends[account]):
        yield from getattr(backend, "_databases", backend.databases).values()


def _caches(account: str) -> Iterator[tuple[Any, Any, list[Any]]]:
    for backend in dict.values(elasticache_backends[account]):
        for group in backend.replication_groups.values():
            members = [backend.cache_clusters.get(each) for each in group.member_clusters]
            yield backend, group, [each for each in members if each is not None]


def _endpoints(group: Any) -> set[str]:
    found = {shard.get(f"{role}_endpoint_address") for shard in group.node_groups for role in ("primary", "reader")}
    configuration = getattr(group, "configuration_endpoint", None) or {}
    return {str(each) for each in (*found, configuration.get("address")) if each}


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _denied(message: str) -> dict[str, str]:
    return {"outcome": "denied", "message": message}
