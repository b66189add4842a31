"""The library that holds ClickHouse's own listeners, if the person has one and says where.

It is the npm package ``@chdb/lib-linux-x64-gnu``. Only this very version is taken: the function that is called is not
documented, older versions lack the listeners, and data of one version is not for another to open (SE-32).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from hallmark.errors import UsageError

VARIABLE = "HALLMARK_CLICKHOUSE"
"""Names the folder that npm installed into."""
PACKAGE = "@chdb/lib-linux-x64-gnu"
VERSION = "26.7.3-stable.1"
HINT = f"mend or unset it; npm install --prefix FOLDER {PACKAGE}@{VERSION} fills a folder"


def find(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The library that the person names; none if they name none.

    A wrong folder is an error and no reason for the stand-in: whoever sets the variable wants the listeners, and what
    a volume holds afterwards depends on it.

    Args:
        environment: Variables of the process.

    Raises:
        UsageError: The folder does not hold the library, or another version of it; or it is a URL.
    """
    named = environment.get(VARIABLE, "")
    if not named:
        return None
    if "://" in named:  # it may hold a password: it is not repeated
        raise UsageError(f"{VARIABLE} names a folder, and no server by URL.", HINT)
    package = Path(named).absolute() / "node_modules" / PACKAGE
    library = package / "libchdb.so"
    if not library.is_file():
        raise UsageError(f"{VARIABLE}={named} holds no {PACKAGE}.", HINT)
    if (version := _version(package / "package.json")) != VERSION:
        raise UsageError(f"{VARIABLE}={named} holds version {version} of {PACKAGE}, not {VERSION}.", HINT)
    return library


def _version(file: Path) -> str:
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"
