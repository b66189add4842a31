"""Large payloads that came through the queue, on their way to S3."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from hallmark.twin.platform.objects import Bucket
from hallmark.twin.programs.langsmith.stores import Trouble

LATE = "late/"
"""Begins what stands in a row in place of a key while S3 has not taken the payload."""
WORDS = "blob storage error: "
"""Begins what is told of a refusal."""
AT_ONCE = 8
"""Uploads at the same time."""


@dataclass(frozen=True)
class Load:
    """One large payload.

    Attributes:
        tenant: The workspace.
        run: Id of the run it belongs to.
        name: ``inputs`` or ``outputs``.
        key: Where it goes in S3. It is of one entry: what a newer entry brings has another.
        text: JSON.
    """

    tenant: str
    run: str
    name: str
    key: str
    text: bytes

    @classmethod
    def of(cls, fields: Mapping[bytes, bytes]) -> Self:
        """Read an entry that :meth:`entry` made."""
        tenant, run, name, key = (fields[each].decode() for each in (b"tenant", b"run", b"name", b"key"))
        return cls(tenant, run, name, key, fields[b"text"])

    def entry(self, since: str) -> dict[bytes, bytes]:
        """Return an entry of the queue of late payloads; *since* is the entry it came with."""
        said = {"tenant": self.tenant, "run": self.run, "name": self.name, "key": self.key, "since": since}
        return {name.encode(): value.encode() for name, value in said.items()} | {b"text": self.text}

    def columns(self, *, is_late: bool) -> dict[str, str]:
        """Return what stands in the row: the key, or that the payload is late."""
        return {self.name: "", f"{self.name}_s3": f"{LATE if is_late else ''}{self.key}"}


class Uploads:
    """Takes payloads to S3.

    Args:
        bucket: The bucket.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._threads = ThreadPoolExecutor(AT_ONCE, "upload")

    def send(self, loads: Sequence[Load]) -> dict[str, str]:
        """Put payloads into S3.

        Rights are given by prefix. So after one refusal the rest under that prefix are not tried: nobody waits for
        hundreds of refusals.

        Returns:
            The words of refusal by key; empty: S3 has taken all.
        """
        refused: dict[str, str] = {}
        closed: dict[str, str] = {}

        def put(load: Load) -> None:
            prefix = load.key.partition("/")[0]
            if prefix not in closed:
                try:
                    self._bucket.put(load.key, load.text)
                except Trouble as trouble:
                    closed[prefix] = f"{WORDS}{trouble}"
                else:
                    return
            refused[load.key] = closed[prefix]

        list(self._threads.map(put, loads))
        return refused
