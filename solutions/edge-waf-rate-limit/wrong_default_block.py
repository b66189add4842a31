"""The default action blocks what no rule has let through: everybody."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Add the rate rule, and block by default."""
    author.edit(client, scope, lambda rules: [author.rate_rule(), *map(author.exempted, rules)])
    waf = client("wafv2")
    summary = waf.get_web_acl_for_resource(ResourceArn=author.load_balancer(client, scope))["WebACL"]
    place = {"Name": summary["Name"], "Id": summary["Id"], "Scope": "REGIONAL"}
    found = waf.get_web_acl(**place)
    same = {name: found["WebACL"][name] for name in ("Rules", "VisibilityConfig")}
    waf.update_web_acl(**place, **same, DefaultAction={"Block": {}}, LockToken=found["LockToken"])
