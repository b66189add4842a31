"""The firewall is taken away: nothing blocks traces any more."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Detach the web ACL."""
    client("wafv2").disassociate_web_acl(ResourceArn=author.load_balancer(client, scope))
