"""The same rule, without its description."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Words in a description admit nobody."""
    author.admit(client, scope, UserIdGroupPairs=[{"GroupId": author.network(client, scope)["clusterSecurityGroupId"]}])
