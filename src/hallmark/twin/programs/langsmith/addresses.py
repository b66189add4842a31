"""Connection settings of the data stores, read as the drivers read them.

Sources: libpq "Connection URIs", redis-py ``from_url``. An error never quotes a part of a URL: it may be a password.
"""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

ENCODE = "percent-encode special characters of the password"


class BadAddress(Exception):
    """A setting is no address; the message names the setting and never its value."""


@dataclass(frozen=True)
class Address:
    """Where a store is and who logs in.

    Attributes:
        host: Name or address.
        port: TCP port.
        user: May be empty.
        password: May be empty.
        database: May be empty.
        tls: Whether the client speaks TLS.
    """

    host: str
    port: int
    user: str
    password: str
    database: str
    tls: bool


def postgres(url: str) -> Address:
    """Read ``[postgres://]user:password@host:port/database?sslmode=…``.

    Raises:
        BadAddress: It cannot be read, as SE-35's passwords make it.
    """
    parts = _split("POSTGRES_DATABASE_URI", url if "://" in url else f"postgres://{url}", 5432)
    mode = parse_qs(parts.query).get("sslmode", ["prefer"])[-1]
    return _address(parts, 5432, tls=mode != "disable")


def redis(url: str) -> Address:
    """Read ``redis[s]://[user]:token@host:port``.

    Raises:
        BadAddress: It cannot be read.
    """
    if urlsplit(url).scheme not in {"redis", "rediss"}:
        raise BadAddress("Redis URL must specify one of the following schemes (redis://, rediss://, unix://)")
    parts = _split("REDIS_DATABASE_URI", url, 6379)
    return _address(parts, 6379, tls=parts.scheme == "rediss")


def _split(setting: str, url: str, port: int) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = (parts.port or port) > 0 and bool(parts.hostname)
    except ValueError:
        raise BadAddress(f"invalid port number in {setting}: {ENCODE}") from None
    if not usable:
        raise BadAddress(f"no host in {setting}: {ENCODE}")
    if parts.netloc.count("@") > 1:
        raise BadAddress(f"could not translate the host name in {setting}: more than one @; {ENCODE}")
    return parts


def _address(parts: SplitResult, port: int, *, tls: bool) -> Address:
    return Address(
        host=str(parts.hostname),
        port=parts.port or port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=parts.path.lstrip("/"),
        tls=tls,
    )
