"""The name that is asked for is made in the store, with the value it stands for."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Keep the secret under the name that the ExternalSecret asks for; the value is copied, and no one sees it."""
    _, entry = author.broken(client, scope)
    manager, old = client("secretsmanager"), author.right_name(client, entry)
    key = manager.describe_secret(SecretId=old).get("KmsKeyId")
    value = manager.get_secret_value(SecretId=old)["SecretString"]
    encryption = {"KmsKeyId": key} if key else {}
    manager.create_secret(Name=entry["remoteRef"]["key"], SecretString=value, **encryption)
    author.settle(client, scope)
