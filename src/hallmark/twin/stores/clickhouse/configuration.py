"""What ClickHouse's own listeners read when they start: ``config.xml`` and ``users.xml``, with digests of passwords.

Both are read once: there is no reload, so they need not stay on a disk that snapshots keep.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from xml.sax.saxutils import escape

from hallmark.errors import EnvironmentFault
from hallmark.twin.files import write
from hallmark.twin.stores.clickhouse.cmdline import DOOR
from hallmark.twin.stores.clickhouse.users import User, Users

FIRST = "default"
"""Whom the program itself logs in as, see :mod:`hallmark.twin.stores.clickhouse.cmdline`."""
NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
"""Names that can be elements of XML."""
CONFIG = """<clickhouse>
  <users_config>{users}</users_config>
  <display_name>hallmark</display_name>
  <memory_worker_period_ms>1000</memory_worker_period_ms>
  <max_server_memory_usage>{memory}</max_server_memory_usage>
  <http_authentication_servers><door><uri from_env="{door}"/></door></http_authentication_servers>
  <query_log>
    <database>system</database>
    <table>query_log</table>
    <ttl>event_date + INTERVAL 3 DAY DELETE</ttl>
  </query_log>
</clickhouse>
"""


def write_files(folder: Path, users: Users, memory: int, queries: int) -> tuple[Path, Path]:
    """Write both files, closed to others; returns where ``config.xml`` and ``users.xml`` are.

    Args:
        folder: Where to.
        users: Who may.
        memory: Bytes that all statements together may take; 0 for what the machine has.
        queries: How many statements may run at the same time.

    Raises:
        EnvironmentFault: A user has a name that ``users.xml`` cannot hold.
    """
    config, known = folder / "config.xml", folder / "users.xml"
    write(known, _users(users, memory, queries))
    write(config, CONFIG.format(users=escape(str(known)), memory=memory, door=DOOR))
    return config, known


def _users(users: Users, memory: int, queries: int) -> str:
    everybody = {FIRST: None, **users.known}
    profiles = "".join(_profile(name, user, memory, queries) for name, user in everybody.items())
    entries = "".join(_entry(name, user) for name, user in everybody.items())
    inside = f"<profiles>{profiles}</profiles><quotas><default/></quotas><users>{entries}</users>"
    return f"<clickhouse>{inside}</clickhouse>\n"


def _profile(name: str, user: User | None, memory: int, queries: int) -> str:
    settings: dict[str, str] = {"async_insert": "0", "max_concurrent_queries_for_all_users": str(queries + 1)}
    # One more: the program's own session counts. And an INSERT is on disk when it is answered, as with the stand-in.
    settings |= {"max_memory_usage": str(memory)} if memory else {}
    settings |= dict(user.settings if user else {})
    settings |= {"readonly": "2"} if user and user.readonly else {}
    return f"<{name}>{_elements(settings)}</{name}>"


def _entry(name: str, user: User | None) -> str:
    if not NAME.fullmatch(name):
        raise EnvironmentFault("ClickHouse's own users.xml cannot hold the name of this user.")
    methods = "".join(f"<way{number}>{way}</way{number}>" for number, way in enumerate(_ways(name, user)))
    rest = f"<networks><ip>127.0.0.1</ip></networks><profile>{name}</profile><quota>default</quota>"
    return f"<{name}><auth_methods>{methods}</auth_methods>{rest}</{name}>"


def _ways(name: str, user: User | None) -> Iterator[str]:
    if user:
        yield f"<password_sha256_hex>{sha256(user.password.encode()).hexdigest()}</password_sha256_hex>"
    if name == FIRST:
        yield "<http_authentication><server>door</server><scheme>basic</scheme></http_authentication>"


def _elements(values: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items())
