"""The address of S3 is the chart's default, in another region."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Look for the bucket in us-west-2."""
    release.upgrade(client, scope, {"config": {"blobStorage": {"apiURL": "https://s3.us-west-2.amazonaws.com"}}})
    release.settle(client, scope)
