"""A name that exists is taken: the one of the entry before."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Ready again, with the wrong value behind the key."""
    index, _ = author.broken(client, scope)
    neighbour = author.external(client, scope)["spec"]["data"][index - 1]["remoteRef"]["key"]
    author.point(client, scope, index, neighbour)
    author.settle(client, scope)
