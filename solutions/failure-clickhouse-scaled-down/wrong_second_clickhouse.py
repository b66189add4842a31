"""A second ClickHouse takes the place of the first, which stays away."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def another(client: Any, scope: Mapping[str, str]) -> dict[str, Any]:
    """Return a Deployment of the same pod without its volume."""
    found = json.loads(author.kubectl(client, scope, "get", author.name(client, scope), "-o", "json"))["spec"]
    pod = found["template"]["spec"]
    pod["volumes"] = [*pod.get("volumes", []), {"name": "data", "emptyDir": {}}]
    kept = {"selector": found["selector"], "template": found["template"], "replicas": 1}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "rescue"}, "spec": kept}


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Run another one behind the same Service."""
    author.kubectl(client, scope, "apply", "-f", "-", stdin=json.dumps(another(client, scope)))
    author.kubectl(client, scope, "rollout", "status", "deployment", "rescue", author.PATIENCE)
