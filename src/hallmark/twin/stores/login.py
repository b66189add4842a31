"""How an administrator gets into a data store's server."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Login:
    """Where, who, and with what.

    Attributes:
        host: Address.
        port: Port.
        user: May be empty for Redis.
        password: Its password.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
