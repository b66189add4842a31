"""The values are written into the Deployment, so that its pods start at once; the name is mended later."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Nobody takes the literals out again, and everybody who may read Deployments reads the license."""
    place, held = ("-n", scope["namespace"]), author.values(client, scope)
    deployment = json.loads(client.kubectl(*place, "get", "deployment", "langsmith-backend", "-o", "json"))
    for variable in deployment["spec"]["template"]["spec"]["containers"][0]["env"]:
        reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
        if reference.get("name") == "langsmith-config" and reference["key"] in held:
            del variable["valueFrom"]
            variable["value"] = held[reference["key"]]
    client.kubectl("replace", "-f", "-", stdin=json.dumps(deployment))
    author.solve(client, scope)
