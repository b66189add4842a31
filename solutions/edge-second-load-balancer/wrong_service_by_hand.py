"""The Service is made anew by hand, for a port on which nobody listens."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Delete the Service and expose the Deployment: port 80 of the pods, unless somebody says another."""
    where = ("-n", scope["namespace"])
    client.kubectl(*where, "delete", "service", author.FRONTEND)
    client.kubectl(*where, "expose", "deployment", author.FRONTEND, "--port=80")
