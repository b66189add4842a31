"""An annotation asks for an internal load balancer: that is one more way in, too."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Annotate the Service, and leave its type."""
    internal = "service.beta.kubernetes.io/aws-load-balancer-internal=true"
    client.kubectl("-n", scope["namespace"], "annotate", "service", author.FRONTEND, internal)
