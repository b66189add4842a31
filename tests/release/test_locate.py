"""Which chart is installed."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import UsageError
from hallmark.twin.release.helm import Helm
from hallmark.twin.release.locate import Chart, locate, offline, pin

REPOSITORY = "https://langchain-ai.github.io/helm"


def test_by_default_it_is_the_offline_chart() -> None:
    """Without a setting the chart is ours, on disk, in the pinned version."""
    chart = locate("", {})
    about, _ = Helm().show(chart)
    assert chart == offline()
    assert chart.is_local
    assert (about["name"], about["version"], about["appVersion"]) == ("langsmith", pin().version, pin().app_version)


@pytest.mark.parametrize(
    ("named", "chart"),
    [
        ("official", Chart("langsmith", REPOSITORY, "0.16.11")),
        (f"{REPOSITORY}/langsmith", Chart("langsmith", REPOSITORY, "0.16.11")),
        ("oci://registry.example.com/langsmith", Chart("oci://registry.example.com/langsmith", "", "0.16.11")),
    ],
)
def test_a_chart_from_elsewhere_is_the_pinned_version(named: str, chart: Chart) -> None:
    """The official repository, another one and a registry are asked for the pinned version."""
    assert locate(named, {}) == locate("", {"HALLMARK_CHART": named}) == chart
    assert not chart.is_local


def test_a_flag_wins_over_the_variable(tmp_path: Path) -> None:
    """What a person says on the command line counts."""
    assert locate(str(tmp_path), {"HALLMARK_CHART": "official"}) == Chart(str(tmp_path))


@pytest.mark.parametrize("named", ["/nowhere/chart", "https://example.com"])
def test_what_names_no_chart_is_refused(named: str) -> None:
    """A path that does not exist and a URL without a chart's name are told apart from a chart."""
    with pytest.raises(UsageError, match="chart"):
        locate(named, {})


def test_the_project_has_one_pin(root: Path) -> None:
    """The pinned line is in pin.toml, with the tag it was read from."""
    content: dict[str, Any] = tomllib.loads((root / "src/hallmark/twin/release/pin.toml").read_text())
    assert content["source"]["tag"] == f"langsmith-{content['chart']['version']}"
