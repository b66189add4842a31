"""The new volume is modified as well, so that it looks like the old one."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))
deleted = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("wrong_claim_deleted.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Delete claim and pod, then give the empty volume more than its class says."""
    deleted.solve(client, scope)
    author.modify(client, scope, Iops=7500, Throughput=1000)
