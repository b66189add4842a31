"""A Helm release as Helm stores it, without its secrets.

Helm keeps each revision in a Secret: JSON, gzip, base64, and base64 again by Kubernetes (Helm documentation,
"Storage backends"). Of the values only names, switches, numbers and sizes are kept, and where one looks like a secret.
"""

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hallmark.targets.leaks import kind_of, leaks
from hallmark.targets.masking import Mask

_KEPT = re.compile(
    r"^(hostname|basePath|authType|engine|bucketName|apiURL|apiUrl|type|ingressClassName|storageClassName|storageClass"
    r"|existingSecretName|existingSecret|[\w]*SecretKey|name|tag|repository|registry|pullPolicy|namespace|host|kind"
    r"|nameOverride|fullnameOverride|oauthScopes|iamAuthProvider|schema|database|logLevel|initialOrgName"
    r"|eks\.amazonaws\.com/role-arn|alb\.ingress\.kubernetes\.io/(scheme|target-type|listen-ports|ssl-redirect"
    r"|ssl-policy|certificate-arn|wafv2-acl-arn|healthcheck-path|group\.name|inbound-cidrs))$"
)
"""Values of the chart that say how something is set up and hold no secret (LangSmith chart 0.16)."""
_QUANTITY = re.compile(r"^\d{1,9}(\.\d{1,3})?(m|[kKMGTP]i?)?$")


class Undecodable(Exception):
    """A release record that Helm could not read either. The message names no content."""


def release(records: Sequence[Mapping[str, Any]], mask: Mask) -> dict[str, Any]:
    """Return what is known of a release from its records, the Secrets Helm made for it.

    ``values`` as they were given, ``leaks`` by path what looks like a secret among them, ``revisions`` the status of
    each that is kept.

    Args:
        records: One or more Secrets of type ``helm.sh/release.v1``.
        mask: Makes the digests.

    Raises:
        Undecodable: The newest record is damaged.
    """
    newest = max(records, key=_revision)
    body = _decode(newest)
    metadata, values = body["chart"]["metadata"], body.get("config") or {}
    return {
        "name": body["name"],
        "namespace": body.get("namespace", ""),
        "revision": body["version"],
        "status": body["info"]["status"],
        "deployed": body["info"].get("last_deployed", ""),
        "chart": {name: metadata.get(name, "") for name in ("name", "version", "appVersion")},
        "values": _masked("", values, mask),
        "leaks": dict(_leaks("", values)),
        "revisions": {str(_revision(one)): one["metadata"].get("labels", {}).get("status", "") for one in records},
    }


def _revision(record: Mapping[str, Any]) -> int:
    labels = record["metadata"].get("labels", {})
    text = str(labels.get("version", ""))
    return int(text) if text.isdigit() else 0


def _decode(record: Mapping[str, Any]) -> dict[str, Any]:
    try:
        packed = base64.b64decode(base64.b64decode(record["data"]["release"]))
        # Helm before 3.0 stored plain JSON; gzip announces itself by its first bytes.
        text = gzip.decompress(packed) if packed.startswith(b"\x1f\x8b") else packed
        body: dict[str, Any] = json.loads(text)
        _ = (body["name"], body["version"], body["info"]["status"], body["chart"]["metadata"])
    except (KeyError, TypeError, ValueError, EOFError, OSError, zlib.error, binascii.Error) as error:
        raise Undecodable(type(error).__name__) from error
    return body


def _masked(name: str, value: Any, mask: Mask) -> Any:
    match value:
        case dict():
            return {k: _masked(k, v, mask) for k, v in value.items()}
        case list():
            return [_masked(name, item, mask) for item in value]
        case str() if kind_of(name, value):
            return mask.digest(value)
        case str():
            return value if not value or _KEPT.match(name) or _QUANTITY.match(value) else mask.digest(value)
        case int() | float() if kind_of(name, str(value)):
            return mask.digest(str(value))
        case _:
            return value


def _leaks(path: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            # An environment variable in a list has its name beside its value.
            named = str(value.get("name", "")) if isinstance(value.get("value"), str) else ""
            for key, item in value.items():
                where = f"{path}.{named}" if named and key == "value" else f"{path}.{key}"
                yield from _leaks(where.lstrip("."), item)
        case list():
            for index, item in enumerate(value):
                yield from _leaks(f"{path}[{index}]", item)
        case str() | int() if not isinstance(value, bool) and (kind := _kind(path, str(value))):
            yield path, kind


def _kind(path: str, value: str) -> str:
    last = re.sub(r"\[\d+\]$", "", path.rpartition(".")[2])
    # By convention charts take the *name* of a Secret under "existing…".
    if last.startswith("existing"):
        return ""
    # What has several lines is a file that the chart writes somewhere.
    lines = value if "\n" in value else ""
    return kind_of(last, value) or next((each.kind for each in leaks(lines, "values.yaml")), "")
