"""The database is restarted, and nothing else."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Reboot it and hope."""
    name = author.database(client, scope)["DBInstanceIdentifier"]
    client("rds").reboot_db_instance(DBInstanceIdentifier=name)
