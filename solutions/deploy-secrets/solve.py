"""Rotate at the source, give the Secret back to the operator, sync, and restart what reads it. In this order."""

import json
import time
from collections.abc import Mapping
from typing import Any

from hallmark.cli.hands import Hands
from hallmark.waiting import until

SECRET = "langsmith-postgres"  # noqa: S105  (its name)
URL, PASSWORD = "postgres-connection-url", "postgres-password"
READERS = ("backend", "platform-backend", "queue", "ingest-queue")
PATIENCE = 120.0


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Bring the database, the store, the cluster and the pods to one new password.

    Args:
        client: Gives a boto3 client for a service name, and runs ``kubectl`` and Helm.
        scope: The target: ``namespace`` and others.
    """
    rotate(client, scope)
    give_back(client, scope)
    sync(client, scope)
    restart(client, scope)


def rotate(client: Hands, scope: Mapping[str, str]) -> None:
    """Give the database a new password, then tell the store."""
    password = new_password(client)
    change_database(client, scope, password)
    put(client, URL, url_with(client, password))
    put(client, PASSWORD, password)


def new_password(client: Hands) -> str:
    """Have Secrets Manager make one that a URL needs no encoding for."""
    made = client("secretsmanager").get_random_password(PasswordLength=48, ExcludePunctuation=True)
    return str(made["RandomPassword"])


def change_database(client: Hands, scope: Mapping[str, str], password: str) -> None:
    """Set the master password of the database in the cluster's VPC."""
    rds = client("rds")
    cluster = client("eks").describe_cluster(name=scope["cluster"])["cluster"]
    vpc = cluster["resourcesVpcConfig"]["vpcId"]
    found = rds.describe_db_instances()["DBInstances"]
    one = next(each for each in found if each["Engine"] == "postgres" and each["DBSubnetGroup"]["VpcId"] == vpc)
    name = one["DBInstanceIdentifier"]
    rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword=password, ApplyImmediately=True)


def name_of(client: Hands, ending: str) -> str:
    """Return the name in the store that ends like this."""
    pages = client("secretsmanager").get_paginator("list_secrets").paginate()
    return next(str(one["Name"]) for page in pages for one in page["SecretList"] if one["Name"].endswith(ending))


def put(client: Hands, ending: str, value: str) -> None:
    """Write the next version of a secret."""
    client("secretsmanager").put_secret_value(SecretId=name_of(client, ending), SecretString=value)


def url_with(client: Hands, password: str) -> str:
    """Return the connection URL with another password in it."""
    url: str = client("secretsmanager").get_secret_value(SecretId=name_of(client, URL))["SecretString"]
    account, _, place = url.partition("@")
    return f"{account.rpartition(':')[0]}:{password}@{place}"


def give_back(client: Hands, scope: Mapping[str, str], **target: Any) -> None:
    """Let the operator own the Secret again."""
    patch = json.dumps({"spec": {"target": {"creationPolicy": "Owner", **target}}})
    client.kubectl(*here(scope), "patch", "externalsecret", SECRET, "--type=merge", f"--patch={patch}")


def sync(client: Hands, scope: Mapping[str, str]) -> None:
    """Have the operator read the store now, and wait until it did."""
    word = str(time.time_ns())
    client.kubectl(*here(scope), "annotate", "externalsecret", SECRET, f"force-sync={word}", "--overwrite")
    look = ("get", "externalsecret", SECRET, "-o", "jsonpath={.status.syncedResourceVersion}")
    if not until(lambda: client.kubectl(*here(scope), *look).endswith(word), PATIENCE):
        raise TimeoutError(f"ExternalSecret {SECRET} was not synced")
    client.kubectl(*here(scope), "wait", "externalsecret", SECRET, "--for=condition=Ready", f"--timeout={PATIENCE}s")


def restart(client: Hands, scope: Mapping[str, str], *components: str) -> None:
    """Make new pods of what reads the Secret, and wait for them."""
    names = [f"deployment/{scope['release']}-{each}" for each in components or READERS]
    client.kubectl(*here(scope), "rollout", "restart", *names)
    for name in names:
        client.kubectl(*here(scope), "rollout", "status", name, f"--timeout={PATIENCE}s")


def here(scope: Mapping[str, str]) -> tuple[str, str]:
    """Return the flags that name the namespace."""
    return "-n", scope["namespace"]
