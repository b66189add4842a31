"""Which chart is installed: the one a person names, else the offline chart that comes with Hallmark."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from hallmark.errors import UsageError

VARIABLE = "HALLMARK_CHART"
"""Names a chart: ``official``, a path, ``oci://…`` or ``<repository URL>/<chart name>``."""
OFFICIAL = "official"
"""The pinned line of the official chart, from its repository; needs internet."""


@dataclass(frozen=True)
class Chart:
    """A chart as Helm is told of it.

    Attributes:
        reference: A folder, an archive, an ``oci://`` address, or a name in the repository.
        repository: URL of the chart repository; empty for the other three.
        version: Version to take from a repository or registry; empty for the newest.
    """

    reference: str
    repository: str = ""
    version: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is read from disk."""
        return not self.repository and not self.reference.startswith("oci://")


@dataclass(frozen=True)
class Pin:
    """The line of the official chart the project is made for.

    Attributes:
        name: Name of the chart.
        version: Version of the chart.
        app_version: Version of LangSmith in it.
        repository: URL of the chart repository.
        tag: Tag of the source its interface was read from.
    """

    name: str
    version: str
    app_version: str
    repository: str
    tag: str


def pin() -> Pin:
    """Read the pinned line from ``pin.toml``."""
    content = tomllib.loads((_here() / "pin.toml").read_text(encoding="utf-8"))
    return Pin(**content["chart"], tag=content["source"]["tag"])


def offline() -> Chart:
    """The chart that comes with Hallmark and needs no internet."""
    return Chart(str(_here() / "chart"))


def locate(named: str = "", environment: Mapping[str, str] = os.environ) -> Chart:
    """The chart to install.

    Args:
        named: What a flag or a setting says; wins over ``HALLMARK_CHART``. Empty for the offline chart.
        environment: Variables of the process.

    Raises:
        UsageError: A path that does not exist, or a URL that names no chart.
    """
    wanted = named or environment.get(VARIABLE, "")
    if not wanted:
        return offline()
    official = pin()
    if wanted == OFFICIAL:
        return Chart(official.name, official.repository, official.version)
    if wanted.startswith("oci://"):
        return Chart(wanted, version=official.version)
    if wanted.startswith(("https://", "http://")):
        return _from_repository(wanted, official.version)
    if not Path(wanted).exists():
        raise UsageError(f"{wanted} is no chart: there is no such file or folder.", f"unset {VARIABLE} or mend it")
    return Chart(str(Path(wanted).resolve()))


def _from_repository(url: str, version: str) -> Chart:
    repository, _, name = url.rstrip("/").rpartition("/")
    if "://" not in repository or repository.endswith("/"):
        raise UsageError(f"{url} names no chart.", "write <repository URL>/<chart name>")
    return Chart(name, repository, version)


def _here() -> Path:
    return Path(str(resources.files("hallmark.twin.release")))
