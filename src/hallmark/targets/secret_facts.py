"""What may be said of a Secret: the names of its keys, whether they are empty, and facts about values, never values.

A digest tells "changed" from "the same". For connection URLs the facts are where they lead; for what is no secret
(host, port) the value itself; for a ClickHouse password whether it is the one the chart ships with.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from hallmark.targets.leaks import kind_of
from hallmark.targets.masking import Mask, url_facts

RELEASES = "helm.sh/release.v1"
_NOT_OURS = frozenset({RELEASES, "kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"})
_OPEN = re.compile(r"^(clickhouse_(host|port|native_port|tls|db)|oauth_issuer_url)$")
"""Keys that hold no secret, only where something is (LangSmith chart 0.16)."""
_CLICKHOUSE_DEFAULT = "password"
"""What the chart sets when nobody chooses a password."""


def secret(value: Mapping[str, Any], mask: Mask) -> dict[str, Any] | None:
    """Return the facts of one Secret of the API; None for Helm's and Kubernetes' own records.

    ``keys`` maps each key to its facts. ``changed`` is when the data was last written, as far as the server's
    field management tells; without it, when the Secret was made.
    """
    if value.get("type") in _NOT_OURS:
        return None
    metadata = value["metadata"]
    masked = mask.built_in({"metadata": metadata})["metadata"]
    kept = ("name", "namespace", "labels", "ownerReferences", "creationTimestamp")
    return {
        "metadata": {name: masked[name] for name in kept if name in masked},
        "type": value.get("type", "Opaque"),
        "changed": _changed(metadata),
        "keys": {key: _facts(key, _decoded(text), mask) for key, text in (value.get("data") or {}).items()},
    }


def _facts(key: str, text: str, mask: Mask) -> dict[str, Any]:
    facts: dict[str, Any] = {"empty": not text.strip(), "digest": mask.digest(text)}
    if found := [where for part in _parts(text) if (where := url_facts(part))]:
        facts["urls"] = found
    if _OPEN.match(key) and not kind_of(key, text):
        facts["value"] = text.strip()
    if key == "clickhouse_password":
        facts["default"] = text.strip() == _CLICKHOUSE_DEFAULT
    return facts


def _parts(text: str) -> list[str]:
    """Give the URLs a value may hold: itself, or a list of them as JSON or with commas."""
    try:
        listed = json.loads(text)
    except ValueError:
        return [text] if "@" in text else text.split(",")
    return [str(each) for each in listed] if isinstance(listed, list) else [text]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _changed(metadata: Mapping[str, Any]) -> str:
    times = [
        entry["time"]
        for entry in metadata.get("managedFields", [])
        if "time" in entry and "f:data" in entry.get("fieldsV1", {})
    ]
    return max(times, default=str(metadata.get("creationTimestamp", "")))
