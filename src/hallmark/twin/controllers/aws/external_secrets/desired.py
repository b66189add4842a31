"""What the Secret of an ExternalSecret has to hold. Reads the store; writes nothing."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hallmark.twin.controllers.aws.external_secrets.kinds import DATA_HASH, MANAGED
from hallmark.twin.controllers.aws.external_secrets.provider import Provider, Unreadable
from hallmark.twin.controllers.aws.external_secrets.template import Unrenderable, render
from hallmark.twin.kube.kinds import Object, owned_by


class NotSynced(Exception):
    """The Secret cannot be made; the message is the operator's own and never holds a value."""


def values(spec: Mapping[str, Any], provider: Provider) -> dict[str, str]:
    """Read everything an ExternalSecret asks for: all of it, or nothing.

    Raises:
        NotSynced: One value cannot be read, or a template cannot be rendered.
    """
    found: dict[str, str] = {}
    for index, source in enumerate(spec.get("dataFrom") or []):
        found |= _read(f"dataFrom[{index}]", source.get("extract") or {}, provider.members)
    for index, entry in enumerate(spec.get("data") or []):
        found[entry["secretKey"]] = _read(f"data[{index}]", entry["remoteRef"], provider.value)
    return _templated(spec.get("target", {}).get("template"), found)


def _read(where: str, reference: Mapping[str, Any], read: Any) -> Any:
    try:
        return read(reference)
    except (Unreadable, KeyError) as cause:
        name = reference.get("key", "")
        raise NotSynced(f"error processing spec.{where} (key: {name}), err: {cause}") from cause


def _templated(template: Mapping[str, Any] | None, found: dict[str, str]) -> dict[str, str]:
    if not template or not template.get("data"):
        return found
    try:
        rendered = {name: render(text, found) for name, text in template["data"].items()}
    except (Unrenderable, ValueError) as cause:
        raise NotSynced(f"could not apply template: {cause}") from cause
    return found | rendered if template.get("mergePolicy") == "Merge" else rendered


def secret(external: Object, data: Mapping[str, str]) -> Object:
    """Build the Secret.

    Args:
        external: The ExternalSecret.
        data: What it holds.
    """
    target = external["spec"].get("target", {})
    template = target.get("template") or {}
    metadata = template.get("metadata") or {}
    name = target.get("name") or external["metadata"]["name"]
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in sorted(data.items())}
    owner = owned_by(external) if target.get("creationPolicy", "Owner") == "Owner" else []
    return {
        "metadata": {
            "name": name,
            "namespace": external["metadata"]["namespace"],
            "labels": {MANAGED: "true", **metadata.get("labels", {})},
            "annotations": {DATA_HASH: digest(encoded), **metadata.get("annotations", {})},
            **({"ownerReferences": owner} if owner else {}),
        },
        "type": template.get("type", "Opaque"),
        "data": encoded,
    }


def digest(encoded: Mapping[str, str]) -> str:
    """Hash of a Secret's data, by which an edit of somebody else is noticed."""
    return hashlib.sha256(json.dumps(dict(encoded), sort_keys=True).encode()).hexdigest()[:32]
