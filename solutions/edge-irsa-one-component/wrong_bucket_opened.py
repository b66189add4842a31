"""The bucket lets everybody in, which was tried first; then the annotation came back."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Add a statement for everybody to the policy of the bucket, and leave it there."""
    s3 = client("s3")
    told = ("set", "env", "--list", "--resolve", f"deployment/{author.ACCOUNT}")
    shown = client.kubectl("-n", scope["namespace"], *told)
    name = next(line.partition("=")[2] for line in shown.splitlines() if line.startswith("S3_BUCKET_NAME="))
    policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    objects = {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{name}/*"}
    policy["Statement"].append({"Effect": "Allow", "Principal": "*", **objects})
    s3.delete_public_access_block(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    author.solve(client, scope)
