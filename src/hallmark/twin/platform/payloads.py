"""Inputs and outputs: small ones in the row, large ones in S3 under a prefix of their time to live."""

import time
from collections.abc import Mapping
from typing import Any

import orjson

from hallmark.twin.platform.calls import Refusal
from hallmark.twin.platform.database import Database
from hallmark.twin.platform.objects import Bucket
from hallmark.twin.platform.rows import PAYLOADS, Part
from hallmark.twin.platform.settings import Settings
from hallmark.twin.platform.uploads import LATE, WORDS, Load
from hallmark.twin.programs.langsmith.stores import Trouble

PREFIXES = {"shortlived": "ttl_s", "longlived": "ttl_l"}
REMEMBERED = 30.0
"""Seconds for which a project's tier is not looked up again."""


class Payloads:
    """Puts payloads where they belong, and finds them again.

    Args:
        bucket: The bucket.
        database: Knows the tier of a project.
        settings: From where on a payload is large.
    """

    def __init__(self, bucket: Bucket, database: Database, settings: Settings) -> None:
        self._bucket = bucket
        self._database = database
        self._settings = settings
        self._tiers: dict[str, tuple[float, str]] = {}

    def put_away(self, part: Part) -> None:
        """Complete a row with its payloads, large ones by way of S3.

        Raises:
            Refusal: S3 does not take a large one; the body says so, unlike those of other errors.
        """
        for name, text in part.payloads.items():
            if self._settings.blobs and len(text) >= self._settings.large:
                key = self._key(part.row, part.project, name)
                try:
                    self._bucket.put(key, text)
                except Trouble as trouble:
                    raise BlobRefusal(trouble) from None
                part.row |= {name: "", f"{name}_s3": key}
            else:
                part.row |= {name: text.decode(), f"{name}_s3": ""}

    def put_small(self, part: Part) -> dict[bytes, bytes]:
        """Complete a row with its small payloads; return the large ones, which go to the queue as they are."""
        large = {name: text for name, text in part.payloads.items() if len(text) >= self._settings.large}
        for name, text in part.payloads.items():
            if name not in large:
                part.row |= {name: text.decode(), f"{name}_s3": ""}
        return {name.encode(): text for name, text in large.items()}

    def loads(self, identity: str, fields: Mapping[bytes, bytes]) -> list[Load]:
        """Return what of an entry of the queue goes to S3."""
        large = {
            name: fields[name.encode()]
            for name in PAYLOADS
            if self._settings.blobs and len(fields.get(name.encode(), b"")) >= self._settings.large
        }
        if not large:
            return []
        row, project = orjson.loads(fields[b"row"]), fields.get(b"project", b"").decode()
        return [
            Load(row["tenant_id"], row["id"], name, f"{self._key(row, project, name)}-{identity}", text)
            for name, text in large.items()
        ]

    def find(self, row: dict[str, Any], name: str) -> Any:
        """A payload of a row that was read; one that is late is not there yet.

        Raises:
            Refusal: S3 does not give it.
        """
        text: Any = row.get(name)
        if (key := row.get(f"{name}_s3")) and not key.startswith(LATE):
            try:
                text = self._bucket.get(key)
            except Trouble as trouble:
                raise BlobRefusal(trouble) from None
        return orjson.loads(text) if text else None

    def _key(self, row: Mapping[str, Any], project: str, name: str) -> str:
        tier = PREFIXES[self._tier(row["tenant_id"], row.get("session_id") or project or "unknown")]
        return f"{tier}/{row['tenant_id']}/{row.get('trace_id') or row['id']}/{row['id']}/{name}"

    def _tier(self, tenant: str, project: str) -> str:
        until, tier = self._tiers.get(project, (0.0, ""))
        if time.monotonic() > until:
            asked = "select trace_tier from tracer_session where tenant_id = %s::uuid and %s in (name, id::text)"
            found = self._database.ask(asked, tenant, project)
            tier = found[0]["trace_tier"] if found else "shortlived"
            self._tiers[project] = time.monotonic() + REMEMBERED, tier
        return tier


class BlobRefusal(Refusal):
    """S3 refuses, in its words."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(500, f"{WORDS}{trouble}")
