"""A new password, written into the Secret by hand: nothing undoes it, and nothing keeps it up."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Rotate, and edit the Secret instead of giving it back."""
    author.rotate(client, scope)
    value = client("secretsmanager").get_secret_value(SecretId=author.name_of(client, author.URL))["SecretString"]
    patch = json.dumps({"stringData": {"connection_url": value}})
    client.kubectl(*author.here(scope), "patch", "secret", author.SECRET, "--type=merge", f"--patch={patch}")
    author.restart(client, scope)
