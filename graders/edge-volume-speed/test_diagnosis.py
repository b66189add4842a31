"""What the learner wrote down: the figures of the incident, and what follows from them."""

from typing import Any

import pytest

from hallmark.errors import Absent, Miss
from hallmark.views.volumes import Volumes

FILE = "work/edge-volume-speed/diagnosis.toml"
HINT = "hallmark lab hint edge-volume-speed"
OPERATIONS, MIBPS = 3000, 125
"""What gp3 has by default, and the volume had during the incident."""
NEEDED = 1000 * 2**20 / 10**6
"""1000 MiB/s in MB/s."""
M5_4XLARGE = 593.75
"""MB/s that an m5.4xlarge sustains (EC2 User Guide, "Amazon EBS-optimized instances")."""
ROUNDED = 1.0
"""People round up, down, or not at all."""


def _table(volumes: Volumes, name: str) -> dict[str, Any]:
    try:
        table = volumes.ask("files", "table", path=FILE).get(name, {})
    except Absent as absent:
        hint = "hallmark lab start edge-volume-speed"
        raise Miss(expected=f"the file {FILE}", observed="none", where=FILE, next=hint) from absent
    return table if isinstance(table, dict) else {}


def _is_about(written: Any, figures: list[float]) -> bool:
    is_number = isinstance(written, (int, float)) and not isinstance(written, bool)
    return is_number and any(abs(written - figure) < ROUNDED for figure in figures)


def _require(table: dict[str, Any], name: str, figures: list[float], what: str, where: str) -> None:
    if not _is_about(table.get(name), figures):
        raise Miss(
            expected=f"{name}: {what}",
            observed=repr(table.get(name, "nothing")),
            where=f"{FILE} [{where}]",
            next=HINT,
        )


@pytest.mark.check("ART-3", points=2, why="After the repair nobody can see any more what was wrong.")
def test_evidence_is_collected(volumes: Volumes) -> None:
    """The figures written down are those of the incident."""
    written, nodes = _table(volumes, "evidence"), [kind.ebs_mbps for kind in volumes.instance_types]
    if not nodes:
        look = f"kubectl -n {volumes.scope('namespace')} get pods -o wide"
        raise Miss(expected="a pod of ClickHouse on a node", observed="none", where=volumes.scope("release"), next=look)
    _require(written, "operations", [OPERATIONS], "what EC2 said of the volume, before", "evidence")
    _require(written, "throughput", [MIBPS], "what EC2 said of the volume, before", "evidence")
    _require(written, "node_throughput", nodes, "the baseline of ClickHouse's instance type", "evidence")


@pytest.mark.check("ART-3", points=4, why="Half of all repairs of this kind make the wrong thing faster.")
def test_limits_are_understood(volumes: Volumes) -> None:
    """The narrowest place is named, and what an instance does to a fast volume."""
    written = _table(volumes, "diagnosis")
    if written.get("bottleneck") != "volume":
        raise Miss(
            expected="bottleneck: the one thing that is slower than everything else on the way",
            observed=repr(written.get("bottleneck", "nothing")),
            where=f"{FILE} [diagnosis]",
            next=HINT,
        )
    _require(written, "needed", [NEEDED], "1000 MiB/s in the unit instances are measured in", "diagnosis")
    _require(written, "m5_4xlarge", [M5_4XLARGE], "the smaller of volume and instance", "diagnosis")
