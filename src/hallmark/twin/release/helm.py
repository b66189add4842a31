"""Helm as this project uses it, whether there is a ``helm`` on the PATH or not.

Two engines, one interface: :mod:`hallmark.twin.release.binary` runs the person's own ``helm``, and
:mod:`hallmark.twin.release.child` runs Helm's SDK, which comes from PyPI, in a process of its own. Both answer in the
same form and fail with the same two errors: a `UsageError` with Helm's own words when values, names or releases are
wrong, an `EnvironmentFault` when the cluster or a repository cannot be reached, or did not get ready in time.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from hallmark.errors import UsageError
from hallmark.twin.release.binary import Binary
from hallmark.twin.release.child import Child
from hallmark.twin.release.locate import Chart

MINUTES = 60.0


@dataclass(frozen=True)
class Values:
    """Values of an installation; what comes later wins.

    Attributes:
        files: Content of values files, not their names.
        sets: Expressions of ``--set``.
        strings: Expressions of ``--set-string``.
    """

    files: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()


@dataclass(frozen=True)
class How:
    """How a change is made.

    Attributes:
        wait: Until everything is ready. Hooks are waited for always.
        timeout: Seconds for that.
        rollback_on_failure: Undo what fails; waits, too. Helm 3 calls it ``--atomic``.
        create_namespace: Make the namespace when installing.
        dry_run: Change nothing; the answer has the manifest.
    """

    wait: bool = False
    timeout: float = 5 * MINUTES
    rollback_on_failure: bool = False
    create_namespace: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Release:
    """One revision of a release.

    Attributes:
        name: Its name.
        namespace: Its namespace.
        revision: From 1.
        status: ``deployed``, ``failed``, ``superseded``, ``pending-install`` and so on.
        chart: Name of the chart.
        chart_version: Version of the chart.
        app_version: Version of what is in it.
        updated: When it was made, as Helm says it.
        description: What happened, in Helm's words.
        notes: The chart's ``NOTES.txt``; empty in histories and lists.
        manifest: What was installed, hooks left out; empty in histories and lists.
    """

    name: str
    namespace: str
    revision: int
    status: str
    chart: str
    chart_version: str
    app_version: str
    updated: str
    description: str = ""
    notes: str = ""
    manifest: str = ""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read an engine's answer."""
        return cls(
            name=answer["name"],
            namespace=answer["namespace"],
            revision=int(answer["revision"]),
            status=answer["status"],
            chart=answer["chart_name"],
            chart_version=answer["chart_version"],
            app_version=answer["app_version"],
            updated=answer["deployed_at"],
            description=answer.get("description", ""),
            notes=answer.get("notes", ""),
            manifest=answer.get("manifest", ""),
        )


@dataclass(frozen=True)
class Finding:
    """What ``helm lint`` found.

    Attributes:
        severity: ``INFO``, ``WARNING`` or ``ERROR``.
        path: The file.
        message: In Helm's words.
    """

    severity: str
    path: str
    message: str


class Engine(Protocol):
    """Something that runs Helm."""

    def run(self, operation: str, arguments: Mapping[str, Any], *, timeout: float) -> Any:
        """Run one operation of :data:`hallmark.twin.release.sdk.OPERATIONS` and return its answer."""


class Helm:
    """The releases of one namespace.

    Args:
        kubeconfig: Leads to the cluster; None for ``KUBECONFIG`` or the usual file.
        namespace: Of the releases.
        context: One of the kubeconfig; empty for its current one.
        engine: Runs Helm; by default whichever there is.
    """

    def __init__(
        self,
        kubeconfig: Path | None = None,
        namespace: str = "default",
        context: str = "",
        engine: Engine | None = None,
    ) -> None:
        self._namespace = namespace
        self._engine = engine or find(kubeconfig, namespace, context)

    def template(self, name: str, chart: Chart, values: Values = Values()) -> str:
        """Render a chart without a cluster: the manifests, then the hooks."""
        return str(self._run("template", name=name, chart=chart, values=values))

    def lint(self, chart: Chart, values: Values = Values()) -> tuple[Finding, ...]:
        """Look a local chart over.

        Raises:
            UsageError: The chart is not on this machine.
        """
        if not chart.is_local:
            raise UsageError(
                f"{chart.reference} is not on this machine, and Helm lints no other.", "helm pull it first"
            )
        found = self._run("lint", chart=chart, values=values)["messages"]
        words = ("UNKNOWN", "INFO", "WARNING", "ERROR")
        return tuple(Finding(words[each["severity"]], each["path"], each["error"]) for each in found)

    def install(self, name: str, chart: Chart, values: Values = Values(), how: How = How()) -> Release:
        """Install a release that does not exist yet."""
        return Release.read(self._run("install", name=name, chart=chart, values=values, how=how))

    def upgrade(
        self,
        name: str,
        chart: Chart,
        values: Values = Values(),
        how: How = How(),
        *,
        install: bool = True,
        reuse_values: bool = False,
        reset_values: bool = False,
    ) -> Release:
        """Upgrade a release.

        With no values at all Helm takes those of the last revision, unless told to reset.

        Args:
            name: The release.
            chart: Its chart.
            values: Its values.
            how: How the change is made.
            install: Install it if it does not exist.
            reuse_values: Merge the values over those of the last revision, instead of over the chart's.
            reset_values: Begin with the chart's values in any case.
        """
        more = {"install": install, "reuse_values": reuse_values, "reset_values": reset_values}
        return Release.read(self._run("upgrade", name=name, chart=chart, values=values, how=how, **more))

    def rollback(self, name: str, revision: int = 0, how: How = How()) -> None:
        """Go back to a revision, by default to the one before; that makes a new revision."""
        self._run("rollback", name=name, revision=revision, how=how)

    def uninstall(self, name: str, how: How = How(), *, keep_history: bool = False) -> str:
        """Remove a release. Returns what Helm says about things it left."""
        return str(self._run("uninstall", name=name, how=how, keep_history=keep_history).get("info", ""))

    def history(self, name: str) -> tuple[Release, ...]:
        """Its revisions, oldest first."""
        return tuple(Release.read(each) for each in self._run("history", name=name))

    def releases(self, *, all_namespaces: bool = False) -> tuple[Release, ...]:
        """Every release, whatever its status."""
        return tuple(Release.read(each) for each in self._run("releases", all_namespaces=all_namespaces))

    def status(self, name: str, revision: int = 0) -> Release:
        """A revision, by default the last, with its manifest and notes."""
        return Release.read(self._run("status", name=name, revision=revision))

    def values(self, name: str, revision: int = 0, *, all_values: bool = False) -> dict[str, Any]:
        """Values the person gave, or all that count."""
        found: dict[str, Any] = self._run("values", name=name, revision=revision, all_values=all_values)
        return found

    def hooks(self, name: str, revision: int = 0) -> str:
        """Manifests of its hooks."""
        return str(self._run("hooks", name=name, revision=revision))

    def show(self, chart: Chart) -> tuple[dict[str, Any], str]:
        """``Chart.yaml`` as data and ``values.yaml`` as text."""
        shown = self._run("show", chart=chart)
        return shown["chart"], shown["values"]

    def version(self) -> str:
        """Version of Helm, with its v."""
        return str(self._run("version"))

    def _run(
        self, operation: str, *, chart: Chart | None = None, values: Values = Values(), how: How = How(), **more: Any
    ) -> Any:
        arguments = {"namespace": self._namespace, **asdict(values), **asdict(how), **more}
        if chart:
            arguments["chart"] = asdict(chart)
        return self._engine.run(operation, arguments, timeout=how.timeout)


def find(kubeconfig: Path | None, namespace: str, context: str) -> Engine:
    """The engine there is: the person's ``helm`` if it is new enough, else the SDK."""
    return Binary.find(kubeconfig, namespace, context) or Child(kubeconfig, namespace, context)
