"""The secrets lie in SSM Parameter Store: accepted with a remark, for Secrets Manager is preferred."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands
from hallmark.waiting import until

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))
release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))
STORE, OPERATOR = "aws-secrets-manager", "external-secrets"
SECONDS = 120.0


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Copy the secrets to Parameter Store, let the operator read them, and lead the store there."""
    read, write = client("secretsmanager"), client("ssm")
    names = [one["Name"] for page in read.get_paginator("list_secrets").paginate() for one in page["SecretList"]]
    for name in names:
        value = read.get_secret_value(SecretId=name)["SecretString"]
        write.put_parameter(Name=f"/{name}", Value=value, Type="SecureString")
    _allow(client)
    here = ("-n", scope["namespace"])
    path = [{"op": "replace", "path": "/spec/provider/aws/service", "value": "ParameterStore"}]
    client.kubectl(*here, "patch", "secretstore", STORE, "--type=json", f"--patch={json.dumps(path)}")
    listed = json.loads(client.kubectl(*here, "get", "externalsecrets", "-o", "json"))["items"]
    for one in listed:
        _lead(client, scope, one)
    if not until(lambda: _are_synced(client, scope), SECONDS, pause=0.5):
        raise TimeoutError("the operator does not read Parameter Store")
    author.solve(client, scope)


def _allow(client: Hands) -> None:
    """Let the operator's role read parameters beside secrets."""
    place = ("-n", OPERATOR, "get", "serviceaccount", OPERATOR, "-o")
    arn = client.kubectl(*place, r"jsonpath={.metadata.annotations.eks\.amazonaws\.com/role-arn}")
    _, _, _, _, account, role = arn.split(":", 5)
    parameters = f"arn:aws:ssm:{client('ssm').meta.region_name}:{account}:parameter/*"
    rights = {"Effect": "Allow", "Action": ["ssm:GetParameter", "ssm:GetParameters"], "Resource": parameters}
    policy = {"Version": "2012-10-17", "Statement": [rights]}
    name = role.rpartition("/")[2]
    client("iam").put_role_policy(RoleName=name, PolicyName="parameters", PolicyDocument=json.dumps(policy))


def _lead(client: Hands, scope: Mapping[str, str], external: Mapping[str, dict[str, object]]) -> None:
    """Let one ExternalSecret ask for the names of parameters."""
    data = json.loads(json.dumps(external["spec"]["data"]))
    for entry in data:
        entry["remoteRef"]["key"] = f"/{entry['remoteRef']['key']}"
    patch = json.dumps({"spec": {"data": data}})
    name = str(external["metadata"]["name"])
    client.kubectl("-n", scope["namespace"], "patch", "externalsecret", name, "--type=merge", f"--patch={patch}")


def _are_synced(client: Hands, scope: Mapping[str, str]) -> bool:
    """Whether every ExternalSecret was synced since its last change, and is ready."""
    listed = json.loads(client.kubectl("-n", scope["namespace"], "get", "externalsecrets", "-o", "json"))["items"]
    return all(
        one["status"]["syncedResourceVersion"].startswith(f"{one['metadata']['generation']}-")
        and all(condition["status"] == "True" for condition in one["status"]["conditions"])
        for one in listed
    )
