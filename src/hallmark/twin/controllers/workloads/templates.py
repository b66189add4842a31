"""Pods made from a template, and short names for what a template says."""

import json
from collections.abc import Mapping
from typing import Any

from hallmark.twin.kube.kinds import Object, owned_by

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Letters and digits that form no words: Kubernetes' alphabet for generated names."""
_FNV_START, _FNV_PRIME, _MASK = 2166136261, 16777619, 0xFFFFFFFF


def short_hash(content: object, collisions: int = 0) -> str:
    """A short name for a content, as Kubernetes writes its template hashes (FNV-1a, 32 bits, safe letters).

    Args:
        content: Anything that JSON can say; equal contents have equal names.
        collisions: How often this name turned out to be taken.
    """
    value = _FNV_START
    for byte in json.dumps([content, collisions], sort_keys=True, separators=(",", ":")).encode():
        value = ((value ^ byte) * _FNV_PRIME) & _MASK
    return "".join(ALPHABET[ord(digit) % len(ALPHABET)] for digit in str(value))


def pod(
    owner: Mapping[str, Any], template: Mapping[str, Any], labels: Mapping[str, str] | None = None, name: str = ""
) -> Object:
    """A pod of a template, controlled by *owner*.

    Args:
        owner: The workload.
        template: Its pod template.
        labels: Labels on top of the template's.
        name: Exact name; without it the API completes the owner's name.
    """
    metadata = template.get("metadata") or {}
    prefix = owner["metadata"]["name"][:57]
    kept = {key: metadata[key] for key in ("annotations", "finalizers") if metadata.get(key)}
    return {
        "metadata": {
            **({"name": name} if name else {"generateName": f"{prefix}-"}),
            "namespace": owner["metadata"]["namespace"],
            "labels": {**(metadata.get("labels") or {}), **(labels or {})},
            **kept,
            "ownerReferences": owned_by(owner),
        },
        "spec": dict(template["spec"]),
    }
