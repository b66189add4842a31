"""Everything is let through behind the rate rule."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def everything() -> dict[str, Any]:
    """Return a rule that lets every request through."""
    return {
        "Name": "everything",
        "Priority": 1,
        "Action": {"Allow": {}},
        "Statement": author.path_begins("/"),
        "VisibilityConfig": author.seen("everything"),
    }


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """An Allow rule for every path in front of the managed rules."""
    author.edit(client, scope, lambda rules: [author.rate_rule(), everything(), *rules])
