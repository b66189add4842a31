"""The URL of a server that the person runs. Nothing of the text is ever repeated: there is a password in it."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from hallmark.errors import UsageError
from hallmark.twin.stores.held import GivenFault
from hallmark.twin.stores.login import Login

POSTGRES, REDIS = "HALLMARK_TWIN_POSTGRES", "HALLMARK_TWIN_REDIS"
OWN = "own"
"""Value of a setting that goes back to the twin's own server."""
USUAL = {
    POSTGRES: (("postgres", "postgresql"), 5432, "postgres://USER:PASSWORD@127.0.0.1:5432/"),
    REDIS: (("redis",), 6379, "redis://:PASSWORD@127.0.0.1:6379/"),
}
"""By setting: schemes, port, and how a URL looks."""


@dataclass(frozen=True)
class Address:
    """A server.

    Attributes:
        setting: The variable that names it.
        login: How to get in.
        database: Database to log in to, for PostgreSQL.
    """

    setting: str
    login: Login
    database: str

    @classmethod
    def read(cls, setting: str, url: str) -> "Address":
        """Read a URL.

        Args:
            setting: The variable.
            url: Its value.

        Raises:
            UsageError: It is none, lacks a password, asks for TLS, or leads off this machine.
        """
        schemes, port, example = USUAL[setting]
        hint = f"export {setting}={example} (write / @ : # % of a password as %2F %40 %3A %23 %25), or {setting}={OWN}"
        try:
            parts = urlsplit(url)
            found = (parts.hostname or "", parts.port or port, unquote(parts.username or ""))
        except ValueError:  # its words repeat a part of the text
            raise UsageError(f"{setting} is no URL that can be read.", hint) from None
        if parts.scheme not in schemes or parts.query or not parts.password:
            raise UsageError(f"{setting} is no URL of {schemes[0]}:// with a password and without options.", hint)
        host = "127.0.0.1" if found[0] == "localhost" else found[0]
        if not host.startswith("127."):
            # The way there is in clear, and a server elsewhere is perhaps not one to practise on.
            raise UsageError(f"{setting} leads off this machine: the twin only uses servers on loopback.", hint)
        login = Login(host, found[1], found[2], unquote(parts.password))
        return cls(setting, login, unquote(parts.path.strip("/")) or "postgres")

    def fault(self, said: str, hint: str) -> GivenFault:
        """What to raise about this server.

        Args:
            said: What is wrong; follows "The server of ...".
            hint: What to do.
        """
        return GivenFault(f"The server of {self.setting} {said}.", hint)

    @property
    def place(self) -> tuple[str, int]:
        """Where it listens."""
        return self.login.host, self.login.port
