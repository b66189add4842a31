"""The database is put into the nodes' own security group."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Attach the cluster's security group to the database: its members admit each other to everything."""
    name = author.database(client, scope)["DBInstanceIdentifier"]
    group = author.network(client, scope)["clusterSecurityGroupId"]
    client("rds").modify_db_instance(DBInstanceIdentifier=name, VpcSecurityGroupIds=[group], ApplyImmediately=True)
