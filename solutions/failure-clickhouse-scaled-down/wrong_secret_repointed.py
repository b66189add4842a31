"""The application is sent to another host by a Secret made by hand."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Switch the supply off, write another host, and scale back."""
    author.solve(client, scope)
    off = '{"spec": {"target": {"creationPolicy": "None"}}}'
    author.kubectl(client, scope, "patch", "externalsecret", "langsmith-clickhouse", "--type=merge", "-p", off)
    host = '{"stringData": {"clickhouse_host": "clickhouse.elsewhere.example"}}'
    author.kubectl(client, scope, "patch", "secret", "langsmith-clickhouse", "--type=merge", "-p", host)
