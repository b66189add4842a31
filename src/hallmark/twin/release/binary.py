"""The person's own ``helm`` as an engine: its command line in, its JSON out."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import yaml

from hallmark.errors import EnvironmentFault
from hallmark.twin.release.failure import failure

OLDEST = (3, 12)
OURS = "+hallmark"
"""In the version our own stand-in for ``helm`` says: it is no second Helm, so it is not used as one."""
GRACE = 60.0
SEVERITIES = {"INFO": 1, "WARNING": 2, "ERROR": 3}


class Binary:
    """Runs ``helm``.

    Args:
        path: The program.
        version: Its major and minor version.
        kubeconfig: Leads to the cluster; None for the usual places.
        namespace: Of the releases.
        context: One of the kubeconfig, or empty.
    """

    def __init__(
        self, path: str, version: tuple[int, int], kubeconfig: Path | None, namespace: str, context: str = ""
    ) -> None:
        self._path = path
        self._major = version[0]
        self._common = [f"--namespace={namespace}"]
        self._common += [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
        self._common += [f"--kube-context={context}"] if context else []

    @classmethod
    def find(cls, kubeconfig: Path | None, namespace: str, context: str = "") -> Self | None:
        """The ``helm`` on the PATH, if it is one and new enough."""
        path = shutil.which("helm")
        if not path:
            return None
        said = subprocess.run([path, "version", "--short"], capture_output=True, text=True, check=False).stdout
        found = re.search(r"v(\d+)\.(\d+)\.", said)
        if not found or OURS in said:
            return None
        version = (int(found[1]), int(found[2]))
        return cls(path, version, kubeconfig, namespace, context) if version >= OLDEST else None

    def run(self, operation: str, arguments: Mapping[str, Any], *, timeout: float) -> Any:
        """Run one operation.

        Raises:
            UsageError: In Helm's words.
            EnvironmentFault: No cluster, or too slow.
        """
        with _files(arguments.get("files", ())) as files:
            return getattr(self, f"_{operation}")(arguments, files, timeout + GRACE)

    def _template(self, arguments: Mapping[str, Any], files: list[str], patience: float) -> str:
        return self._helm(["template", arguments["name"], *_chart(arguments), *_values(arguments, files)], patience)

    def _lint(self, arguments: Mapping[str, Any], files: list[str], patience: float) -> dict[str, Any]:
        command = ["lint", arguments["chart"]["reference"], *_values(arguments, files)]
        said = self._finished(command, patience).stdout
        found = re.findall(r"^\[(INFO|WARNING|ERROR)\] (\S+): (.+)$", said, re.MULTILINE)
        return {"messages": [{"severity": SEVERITIES[word], "path": path, "error": text} for word, path, text in found]}

    def _install(self, arguments: Mapping[str, Any], files: list[str], patience: float) -> dict[str, Any]:
        flags = ["--create-namespace"] if arguments["create_namespace"] else []
        command = ["install", arguments["name"], *_chart(arguments), *_values(arguments, files), *flags]
        return _release(self._json([*command, *self._how(arguments)], patience))

    def _upgrade(self, arguments: Mapping[str, Any], files: list[str], patience: float) -> dict[str, Any]:
        names = ("install", "reuse_values", "reset_values", "create_namespace")
        flags = [f"--{name.replace('_', '-')}" for name in names if arguments[name]]
        command = ["upgrade", arguments["name"], *_chart(arguments), *_values(arguments, files), *flags]
        return _release(self._json([*command, *self._how(arguments)], patience))

    def _rollback(self, arguments: Mapping[str, Any], _files: list[str], patience: float) -> None:
        revision = [str(arguments["revision"])] if arguments["revision"] else []
        self._helm(["rollback", arguments["name"], *revision, *_waiting(arguments)], patience)

    def _uninstall(self, arguments: Mapping[str, Any], _files: list[str], patience: float) -> dict[str, Any]:
        flags = ["--keep-history"] if arguments["keep_history"] else []
        return {"info": self._helm(["uninstall", arguments["name"], *flags, *_waiting(arguments)], patience)}

    def _history(self, arguments: Mapping[str, Any], _files: list[str], patience: float) -> list[dict[str, Any]]:
        found = self._json(["history", arguments["name"]], patience)
        about = {"name": arguments["name"], "namespace": arguments["namespace"]}
        return [_summary({**about, **each}) for each in found]

    def _releases(self, arguments: Mapping[str, Any], _files: list[str], patience: float) -> list[dict[str, Any]]:
        flags = ["--all-namespaces"] if arguments["all_namespaces"] else []
        # Helm 4 shows every status by itself and no longer knows --all.
        flags += ["--all"] if self._major < 4 else []  # noqa: PLR2004  (a major version)
        return [_summary(each) for each in self._json(["list", *flags], patience)]

    def _status(self, arguments: Mapping[str, Any], _files: list[str], patience: float) -> dict[str, Any]:
        return _release(self._json(["status", arguments["name"], *_revision(arguments)], patience))

    def _values(self, arguments: Mapping[str, Any], _files: list[str], patience: float) -> dict[str, Any]:
        flags = ["--all"] if arguments["all_values"] else []
        return dict(self._json(["get", "values", arguments["name"], *flags, *_revision(arguments)], patience) or {})

    def _hooks(self, arguments: Mapping[str, Any], _files: list[str], patience: float) -> str:
        return self._helm(["get", "hooks", arguments["name"], *_revision(arguments)], patience)

    def _show(self, arguments: Mapping[str, Any], _files: list[str], patience: float) -> dict[str, Any]:
        chart = self._helm(["show", "chart", *_chart(arguments)], patience)
        return {"chart": yaml.safe_load(chart), "values": self._helm(["show", "values", *_chart(arguments)], patience)}

    def _version(self, _arguments: Mapping[str, Any], _files: list[str], patience: float) -> str:
        return self._helm(["version", "--template={{.Version}}"], patience).strip()

    def _how(self, arguments: Mapping[str, Any]) -> list[str]:
        undo = "--atomic" if self._major < 4 else "--rollback-on-failure"  # noqa: PLR2004  (a major version)
        flags = [undo] if arguments["rollback_on_failure"] else []
        flags += ["--dry-run=client"] if arguments["dry_run"] else []
        return [*flags, *_waiting(arguments)]

    def _json(self, command: list[str], patience: float) -> Any:
        return json.loads(self._helm([*command, "--output=json"], patience))

    def _helm(self, command: list[str], patience: float) -> str:
        finished = self._finished(command, patience)
        if finished.returncode:
            raise failure(finished.stderr.strip().removeprefix("Error: "))
        return finished.stdout

    def _finished(self, command: list[str], patience: float) -> subprocess.CompletedProcess[str]:
        command = [self._path, *command, *self._common]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False, timeout=patience)
        except subprocess.TimeoutExpired:
            raise EnvironmentFault(f"Helm did not end within {patience:.0f} seconds.", "kubectl get pods") from None


@contextmanager
def _files(texts: tuple[str, ...]) -> Iterator[list[str]]:
    # Temporary files that nobody else can read: values may hold secrets.
    with ExitStack() as stack:
        names = []
        for text in texts:
            file = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8"))
            file.write(text)
            file.flush()
            names.append(file.name)
        yield names


def _chart(arguments: Mapping[str, Any]) -> list[str]:
    chart = arguments["chart"]
    flags = [
        f"--{name}={value}" for name, value in (("repo", chart["repository"]), ("version", chart["version"])) if value
    ]
    return [chart["reference"], *flags]


def _values(arguments: Mapping[str, Any], files: list[str]) -> list[str]:
    flags = [f"--values={file}" for file in files]
    flags += [f"--set={each}" for each in arguments["sets"]]
    return [*flags, *(f"--set-string={each}" for each in arguments["strings"])]


def _waiting(arguments: Mapping[str, Any]) -> list[str]:
    return [*(["--wait"] if arguments["wait"] else []), f"--timeout={max(1, round(arguments['timeout']))}s"]


def _revision(arguments: Mapping[str, Any]) -> list[str]:
    return [f"--revision={arguments['revision']}"] if arguments["revision"] else []


def _release(answer: Mapping[str, Any]) -> dict[str, Any]:
    # What install, upgrade and status print: the stored release. Helm 4 leaves the chart's metadata out of some.
    metadata = (answer.get("chart") or {}).get("metadata") or {}
    info = answer["info"]
    return {
        "name": answer["name"],
        "namespace": answer["namespace"],
        "revision": answer["version"],
        "status": info["status"],
        "chart_name": metadata.get("name", ""),
        "chart_version": metadata.get("version", ""),
        "app_version": metadata.get("appVersion", ""),
        "deployed_at": info.get("last_deployed", ""),
        "description": info.get("description", ""),
        "notes": info.get("notes", ""),
        "manifest": answer.get("manifest", ""),
    }


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    # What list and history print: name and version of the chart in one word.
    name, version = re.fullmatch(r"(.+?)-(v?\d.*)", row["chart"]).groups()  # type: ignore[union-attr]  # Helm joins them so
    return {**row, "chart_name": name, "chart_version": version, "deployed_at": row["updated"]}
