"""The ExternalSecret asks for the password and makes the URL itself: one value in the store instead of two."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Rotate the password alone, and write the URL in a template."""
    password = author.new_password(client)
    url = author.url_with(client, "{{ .password }}")
    author.change_database(client, scope, password)
    author.put(client, author.PASSWORD, password)
    data = [{"secretKey": "password", "remoteRef": {"key": author.name_of(client, author.PASSWORD)}}]
    patch = json.dumps({"spec": {"data": data}})
    author.give_back(client, scope, template={"engineVersion": "v2", "data": {"connection_url": url}})
    client.kubectl(*author.here(scope), "patch", "externalsecret", author.SECRET, "--type=merge", f"--patch={patch}")
    author.sync(client, scope)
    author.restart(client, scope)
