"""The bucket is reached with a key in the values, although every pod has a role."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Write an access key into the values."""
    keys = {"accessKey": "AKIAIOSFODNN7EXAMPLE", "accessKeySecret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
    release.upgrade(client, scope, {"config": {"blobStorage": keys}})
    release.settle(client, scope)
