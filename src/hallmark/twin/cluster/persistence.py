"""Objects on disk: one SQLite file, one commit per write.

Written with ``synchronous=OFF``: a commit is in the operating system's hands when the call returns, so it survives a
killed process at any moment. It need not survive a power cut: this is a practice cluster.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    storage TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (storage, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY CHECK (one = 1), reserved INTEGER NOT NULL);
"""


class Persistence:
    """The file of one cluster.

    Args:
        file: The SQLite file; made if missing.
    """

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.executescript(SCHEMA)

    def load(self) -> Iterator[tuple[str, str, str, int, bytes]]:
        """Every object: storage, namespace, name, revision, JSON."""
        yield from self._database.execute("SELECT storage, namespace, name, revision, body FROM objects")

    def reserved(self) -> int:
        """The highest revision that may have been used, 0 before the first."""
        row = self._database.execute("SELECT reserved FROM counter").fetchone()
        return int(row[0]) if row else 0

    def reserve(self, revision: int) -> None:
        """Note that revisions up to this one may be used from now on."""
        self._database.execute("INSERT OR REPLACE INTO counter VALUES (1, ?)", (revision,))

    def put(self, storage: str, namespace: str, name: str, revision: int, body: bytes) -> None:
        """Write an object in place of the one of that name."""
        row = (storage, namespace, name, revision, body)
        self._database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", row)

    def remove(self, storage: str, namespace: str, name: str) -> None:
        """Remove an object."""
        query = "DELETE FROM objects WHERE storage = ? AND namespace = ? AND name = ?"
        self._database.execute(query, (storage, namespace, name))

    def close(self) -> None:
        """Close; afterwards the one file is complete and can be copied."""
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._database.close()
