"""People sign in with an identity provider instead of a password of LangSmith's own."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands
from hallmark.waiting import until

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))
release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))
SECRET = "langsmith-config"  # noqa: S105  (its name)
CLIENT = {
    "oauth_client_id": "langsmith",
    "oauth_client_secret": "made-up-for-the-twin-0123456789",
    "oauth_issuer_url": "https://login.hallmark.example/oidc",
}
SECONDS = 120.0


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Put what the provider gave into the store, ask for it, and switch the pattern."""
    here = ("-n", scope["namespace"])
    external = json.loads(client.kubectl(*here, "get", "externalsecret", SECRET, "-o", "json"))
    data = external["spec"]["data"]
    prefix = data[0]["remoteRef"]["key"].rpartition("/")[0]
    for key, value in CLIENT.items():
        name = f"{prefix}/{key.replace('_', '-')}"
        client("secretsmanager").create_secret(Name=name, SecretString=value)
        data.append({"secretKey": key, "remoteRef": {"key": name}})
    patch = json.dumps({"spec": {"data": data}})
    client.kubectl(*here, "patch", "externalsecret", SECRET, "--type=merge", f"--patch={patch}")
    keys = ("get", "secret", SECRET, "-o", "jsonpath={.data.oauth_issuer_url}")
    if not until(lambda: client.kubectl(*here, *keys), SECONDS, pause=0.5):
        raise TimeoutError("the Secret has no new keys")
    pattern = {"basicAuth": {"enabled": False}, "oauth": {"enabled": True}}
    release.upgrade(client, scope, {"config": pattern})
    readers = [
        f"deployment/{scope['release']}-{name}" for name in ("backend", "platform-backend", "queue", "ingest-queue")
    ]
    client.kubectl(*here, "rollout", "restart", *readers)
    for name in readers:
        release.settle(client, scope, name)
    author.solve(client, scope)
