"""Ask for the name that the store holds, and let the operator make the Secret again."""

import json
from collections.abc import Mapping
from typing import Any

from hallmark.cli.hands import Hands


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Mend the one entry whose name the store does not hold.

    Args:
        client: Gives a boto3 client for a service name, and runs ``kubectl`` and Helm.
        scope: The target: ``namespace`` and others.
    """
    index, entry = broken(client, scope)
    point(client, scope, index, right_name(client, entry))
    settle(client, scope)


def held(client: Hands) -> list[dict[str, Any]]:
    """Return what Secrets Manager lists."""
    pages = client("secretsmanager").get_paginator("list_secrets").paginate()
    return [one for page in pages for one in page["SecretList"]]


def external(client: Hands, scope: Mapping[str, str]) -> dict[str, Any]:
    """Return the ExternalSecret that is not ready."""
    listed = json.loads(client.kubectl("-n", scope["namespace"], "get", "externalsecrets", "-o", "json"))["items"]
    return next(one for one in listed if any(c["status"] == "False" for c in one["status"]["conditions"]))


def broken(client: Hands, scope: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """Return the entry whose name the store does not hold, and its place in the list."""
    names = {one["Name"] for one in held(client)}
    data = external(client, scope)["spec"]["data"]
    return next((index, one) for index, one in enumerate(data) if one["remoteRef"]["key"] not in names)


def right_name(client: Hands, entry: Mapping[str, Any]) -> str:
    """Return the name in the store that ends like the key."""
    ending = entry["secretKey"].replace("_", "-")
    return next(str(one["Name"]) for one in held(client) if one["Name"].endswith(ending))


def point(client: Hands, scope: Mapping[str, str], index: int, name: str) -> None:
    """Let one entry ask for *name*."""
    change(client, scope, {"op": "replace", "path": f"/spec/data/{index}/remoteRef/key", "value": name})


def change(client: Hands, scope: Mapping[str, str], *operations: Mapping[str, Any]) -> None:
    """Patch the ExternalSecret that is not ready."""
    name = external(client, scope)["metadata"]["name"]
    patch = json.dumps(operations)
    client.kubectl("-n", scope["namespace"], "patch", "externalsecret", name, "--type=json", f"--patch={patch}")


def sync(client: Hands, scope: Mapping[str, str]) -> None:
    """Have all of them read again, and wait until they did."""
    place = ("-n", scope["namespace"])
    client.kubectl(*place, "annotate", "externalsecrets", "--all", "force-sync=now", "--overwrite")
    client.kubectl(*place, "wait", "externalsecrets", "--all", "--for=condition=Ready", "--timeout=120s")


def settle(client: Hands, scope: Mapping[str, str]) -> None:
    """Have the Secret made, and wait for the pod that waits for it."""
    sync(client, scope)
    rolled_out(client, scope)


def rolled_out(client: Hands, scope: Mapping[str, str]) -> None:
    """Wait for the backend."""
    selector = f"app.kubernetes.io/instance={scope['release']}"
    client.kubectl("-n", scope["namespace"], "rollout", "status", "deployments", "-l", selector, "--timeout=180s")


def values(client: Hands, scope: Mapping[str, str]) -> dict[str, str]:
    """Return what the Secret would hold: what nobody should ever copy."""
    wanted = {one["secretKey"]: right_name(client, one) for one in external(client, scope)["spec"]["data"]}
    read = client("secretsmanager").get_secret_value
    return {key: read(SecretId=name)["SecretString"] for key, name in wanted.items()}


def apply(client: Hands, scope: Mapping[str, str], kind: str, name: str, **content: Any) -> None:
    """Make an object by hand; what it holds goes by standard input, not by the command line."""
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": scope["namespace"]}, **content}
    client.kubectl("apply", "-f", "-", stdin=json.dumps(body))
