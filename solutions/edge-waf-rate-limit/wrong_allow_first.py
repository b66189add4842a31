"""Traces are let through before they are counted."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def first() -> dict[str, Any]:
    """Return a rule that lets traces through before anything else."""
    return {
        "Name": "traces",
        "Priority": 0,
        "Action": {"Allow": {}},
        "Statement": author.on_paths(author.INGESTION),
        "VisibilityConfig": author.seen("traces"),
    }


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """An Allow rule for the ingestion paths in front of the rate rule."""
    author.edit(client, scope, lambda rules: [first(), {**author.rate_rule(), "Priority": 1}, *rules])
