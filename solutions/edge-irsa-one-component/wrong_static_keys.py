"""A user with an access key, and the key in the values."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """It works at once, and from everywhere. The release is written again, so the annotation is back as well."""
    iam = client("iam")
    iam.create_user(UserName="langsmith-s3")
    key = iam.create_access_key(UserName="langsmith-s3")["AccessKey"]
    static = {"accessKey": key["AccessKeyId"], "accessKeySecret": key["SecretAccessKey"]}
    author.upgrade(client, scope, config={"blobStorage": static})
    author.restart(client, scope)
