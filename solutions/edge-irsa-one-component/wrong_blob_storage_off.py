"""Blob storage is switched off: what is not written cannot be denied."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Every payload lands in the databases. The release is written again, so the annotation is back as well."""
    author.upgrade(client, scope, config={"blobStorage": {"enabled": False}})
