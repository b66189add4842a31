"""What is gone cannot time out."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Delete the database."""
    name = author.database(client, scope)["DBInstanceIdentifier"]
    client("rds").modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
    client("rds").delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
