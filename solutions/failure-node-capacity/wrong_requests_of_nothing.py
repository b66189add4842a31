"""The pods ask for nothing, so they fit anywhere."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Raise the limit, and lower the requests."""
    author.resize(client, scope, maxSize=author.LARGEST)
    author.kubectl(client, scope, "set", "resources", author.WORKERS, "--requests=cpu=1m,memory=1Mi")
    author.wait(client, scope)
