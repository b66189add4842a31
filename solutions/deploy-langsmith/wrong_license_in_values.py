"""The license key is written into the values, where whoever may read the release reads it."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Write the license into the values."""
    release.upgrade(client, scope, {"config": {"langsmithLicenseKey": "made-up-license-0123456789abcdef"}})
    release.settle(client, scope)
