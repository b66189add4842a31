"""What the application says of itself: version, license, what its clients may do, and how long its queues are."""

import re
from datetime import UTC, date, datetime
from typing import Any

from hallmark.twin.platform.broker import ADHOC, FEEDBACK, INGESTION, LATE
from hallmark.twin.platform.calls import Answer, Call, Endpoint
from hallmark.twin.platform.settings import Settings
from hallmark.twin.platform.stores import Stores

BATCHES = {
    "use_multipart_endpoint": True,
    "scale_up_qsize_trigger": 1000,
    "scale_up_nthreads_limit": 16,
    "scale_down_nempty_trigger": 4,
    "size_limit": 100,
    "size_limit_bytes": 20_971_520,
}
"""All six: with one missing the SDK's background thread dies without a word."""
QUEUES = {"ingestion_queue": (INGESTION, LATE), "feedback_queue": (FEEDBACK,), "adhoc_queue": (ADHOC,)}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class About:
    """Answers questions about the application itself.

    Args:
        stores: Redis has the queues.
        settings: Version and license.
    """

    def __init__(self, stores: Stores, settings: Settings) -> None:
        self._stores = stores
        self._settings = settings

    def platform(self) -> list[Endpoint]:
        """Routes of platform-backend."""
        return [
            Endpoint("GET", "/info", self._info, public=not self._settings.private_info),
            Endpoint("GET", "/metrics", self._metrics, public=True),
        ]

    def backend(self) -> list[Endpoint]:
        """Routes of backend."""
        return [
            Endpoint("GET", "/metrics/queue/default", self._default_queue, public=True),
            Endpoint("GET", "/metrics", self._metrics, public=True),
            Endpoint("GET", "/api/openapi.json", self._schema, public=True),
        ]

    def _info(self, _: Call) -> Answer:
        settings = self._settings
        flags = {
            "zstd_compression_enabled": True,
            "blob_storage_enabled": settings.blobs,
            "ch_query_enabled": True,
            "sdb_query_enabled": False,
            "dataset_examples_multipart_enabled": False,
        }
        return Answer(
            {
                "version": settings.version,
                "stand_in": True,
                "license_expiration_time": expiration(settings.license),
                "batch_ingest_config": BATCHES,
                "instance_flags": flags,
            }
        )

    def _metrics(self, call: Call) -> Answer:
        lengths = {name: sum(map(self._stores.broker.pending, queues)) for name, queues in QUEUES.items()}
        if call.one("format") == "json":
            return Answer({name: {"pending": length} for name, length in lengths.items()})
        lines = (f"# TYPE {name}_pending gauge\n{name}_pending {length}\n" for name, length in lengths.items())
        return Answer("".join(lines))

    def _default_queue(self, _: Call) -> Answer:
        return Answer({"queued": sum(self._stores.broker.pending(each) for each in (FEEDBACK, ADHOC))})

    def _schema(self, _: Call) -> Answer:
        about = {"title": "LangSmith (Hallmark's stand-in)", "version": self._settings.version}
        return Answer({"openapi": "3.1.0", "info": about, "paths": {}})


def expiration(license_key: str) -> str:
    """When a license ends. The stand-in's licenses are not checked: a key that holds a day ends then."""
    found = _DAY.search(license_key)
    try:
        day: Any = date.fromisoformat(found[0]) if found else date(datetime.now(UTC).year + 1, 12, 31)
    except ValueError:
        day = date(datetime.now(UTC).year + 1, 12, 31)
    return f"{day.isoformat()}T00:00:00Z"
