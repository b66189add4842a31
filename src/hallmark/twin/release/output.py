"""What the ``helm`` stand-in prints: the tables and the JSON of Helm itself, from the adapter's records."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml

from hallmark.errors import UsageError
from hallmark.twin.release.helm import Finding, Release


def release_text(release: Release) -> str:
    """What install, upgrade and status print about a release."""
    lines = [
        f"NAME: {release.name}",
        f"LAST DEPLOYED: {_ctime(release.updated)}",
        f"NAMESPACE: {release.namespace}",
        f"STATUS: {release.status}",
        f"REVISION: {release.revision}",
    ]
    if release.description:
        lines.append(f"DESCRIPTION: {release.description}")
    if release.notes:
        lines += ["NOTES:", release.notes.rstrip()]
    return "\n".join(lines)


def release_data(release: Release) -> dict[str, Any]:
    """The same with ``-o json``: the parts of a stored release that the adapter knows."""
    metadata = {"name": release.chart, "version": release.chart_version, "appVersion": release.app_version}
    return {
        "name": release.name,
        "info": {
            "last_deployed": release.updated,
            "description": release.description,
            "status": release.status,
            "notes": release.notes,
        },
        "chart": {"metadata": metadata},
        "manifest": release.manifest,
        "version": release.revision,
        "namespace": release.namespace,
    }


def list_rows(releases: Iterable[Release]) -> list[dict[str, Any]]:
    """Rows of ``helm list``; Helm prints revisions as text there."""
    return [
        {
            "name": each.name,
            "namespace": each.namespace,
            "revision": str(each.revision),
            "updated": each.updated,
            "status": each.status,
            "chart": f"{each.chart}-{each.chart_version}",
            "app_version": each.app_version,
        }
        for each in releases
    ]


def history_rows(releases: Iterable[Release]) -> list[dict[str, Any]]:
    """Rows of ``helm history``."""
    return [
        {
            "revision": each.revision,
            "updated": each.updated,
            "status": each.status,
            "chart": f"{each.chart}-{each.chart_version}",
            "app_version": each.app_version,
            "description": each.description,
        }
        for each in releases
    ]


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """A table as Helm prints it: the keys as headings, tabs after padded cells.

    Args:
        columns: Keys of the rows, in order.
        rows: What to print.
    """
    head = [name.upper().replace("_", " ") for name in columns]
    body = [[_ctime(str(row[name])) if name == "updated" else str(row[name]) for name in columns] for row in rows]
    widths = [max(len(line[at]) for line in [head, *body]) for at in range(len(columns))]
    return "\n".join(
        "\t".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [head, *body]
    )


def formatted(data: Any, form: str) -> str:
    """Data as ``json`` or ``yaml``."""
    if form == "json":
        return json.dumps(data)
    # PyYAML ends the document of a lone scalar, such as null, with three dots.
    return yaml.safe_dump(data, sort_keys=True, allow_unicode=True).removesuffix("...\n").rstrip()


def lint_text(reference: str, findings: Iterable[Finding]) -> tuple[str, bool]:
    """What ``helm lint`` prints, and whether the chart failed."""
    found = list(findings)
    failed = any(each.severity == "ERROR" for each in found)
    lines = [f"==> Linting {reference}", *(f"[{each.severity}] {each.path}: {each.message}" for each in found)]
    return "\n".join([*lines, "", f"1 chart(s) linted, {int(failed)} chart(s) failed"]), failed


def only(manifest: str, templates: Sequence[str]) -> str:
    """The documents that some templates made.

    Args:
        manifest: What ``helm template`` printed.
        templates: Paths inside the chart; none for everything.

    Raises:
        UsageError: A template made nothing.
    """
    if not templates:
        return manifest
    documents = f"\n{manifest}".split("\n---\n")[1:]
    for path in templates:
        if not any(_made_by(each, path) for each in documents):
            raise UsageError(f"could not find template {path} in chart")
    return "\n".join(f"---\n{each}" for each in documents if any(_made_by(each, path) for path in templates))


def _made_by(document: str, template: str) -> bool:
    return document.split("\n", 1)[0].partition("/")[2] == template


def _ctime(updated: str) -> str:
    try:
        return datetime.fromisoformat(updated).strftime("%a %b %e %H:%M:%S %Y")
    except ValueError:
        return updated
