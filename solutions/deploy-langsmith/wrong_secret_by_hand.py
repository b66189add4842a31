"""A Secret that was made by hand: complete, and nobody can say where its value comes from."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Take away what keeps up a Secret, and keep the Secret."""
    client.kubectl("-n", scope["namespace"], "delete", "externalsecret", "langsmith-redis", "--cascade=orphan")
