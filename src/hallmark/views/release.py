"""The Helm release: what was installed, with which values, and where those give a secret away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hallmark.views.base import View, cached_property

CHART = "langsmith"


@dataclass(frozen=True)
class Record:
    """The newest revision of a release.

    Attributes:
        name: Its name.
        namespace: Where its record lies.
        revision: Its number.
        status: ``deployed``, ``failed``, ``pending-upgrade`` and others.
        chart: Name of the chart.
        chart_version: Version of the chart.
        app_version: Version of the application.
        values: The values given to it, without what may be secret.
        leaks: Where a value looks like a secret: path and kind.
    """

    name: str
    namespace: str
    revision: int
    status: str
    chart: str
    chart_version: str
    app_version: str
    values: Mapping[str, Any]
    leaks: tuple[tuple[str, str], ...]


class Release(View):
    """The release the target names."""

    @cached_property
    def record(self) -> Record | None:
        """The release; None when there is none of that name."""
        asked = {"namespace": self.scope("namespace"), "name": self.scope("release")}
        found = self.ask_or(None, "kubernetes", "release", **asked)
        if found is None:
            return None
        chart = found["chart"]
        return Record(
            name=found["name"],
            namespace=found["namespace"],
            revision=found["revision"],
            status=found["status"],
            chart=chart["name"],
            chart_version=chart["version"],
            app_version=chart["appVersion"],
            values=found["values"],
            leaks=tuple(found["leaks"].items()),
        )

    @property
    def look(self) -> str:
        """The command that shows it."""
        return f"helm -n {self.scope('namespace')} status {self.scope('release')}"

    def value(self, path: str, default: Any = None) -> Any:
        """Return the value at a path with dots, *default* when it was not given."""
        found: Any = self.record.values if self.record else {}
        for name in path.split("."):
            if not isinstance(found, Mapping) or name not in found:
                return default
            found = found[name]
        return found

    @cached_property
    def full_name(self) -> str:
        """What the names of its objects begin with.

        The chart's rule: the override, else the release, with the chart's name behind it unless it is in it already.
        """
        if override := self.value("fullnameOverride"):
            return str(override)[:63].removesuffix("-")
        release, name = self.scope("release"), self.value("nameOverride") or CHART
        return (release if name in release else f"{release}-{name}")[:63].removesuffix("-")
