"""ClickHouse has the size of an example that is called production: half of what the reference wants."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Give ClickHouse 4 vCPU and 16 GiB."""
    limits = {"limits": {"cpu": "4", "memory": "16Gi"}, "requests": {"cpu": "2", "memory": "8Gi"}}
    release.upgrade(client, scope, {"clickhouse": {"statefulSet": {"resources": limits}}})
    release.settle(client, scope, f"statefulset/{scope['release']}-clickhouse")
