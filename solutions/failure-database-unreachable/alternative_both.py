"""Admit the nodes by their security group, and the private subnets by their addresses."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """The recorded rule, and more rules that admit nobody else."""
    author.solve(client, scope)
    author.admit(client, scope, IpRanges=[{"CidrIp": each} for each in author.ranges(client, scope)])
