"""Fewer may use the second way in."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Admit one network, and leave the type as it is."""
    ranges = '{"spec":{"loadBalancerSourceRanges":["10.0.0.0/8"]}}'
    client.kubectl("-n", scope["namespace"], "patch", "service", author.FRONTEND, "-p", ranges)
