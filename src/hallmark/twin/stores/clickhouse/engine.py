"""The engine in this process.

Every statement gets a connection of its own, which costs less than a millisecond: so no ``SET`` and no ``USE`` of one
client is left for the next. Connections of the engine's inner module are used, since the outer ones close with their
wrapper. That module is loaded without its package, which opens a database for itself and imports NumPy and PyArrow: 40
MB for nothing. Data of an INSERT is read from a file: the engine's streaming insert loses data without an error.
"""

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

from hallmark.twin.stores.clickhouse.statements import insert

CODECS = {"gzip": "gzip", "deflate": "deflate", "br": "br", "zstd": "zstd", "lz4": "lz4"}
"""HTTP's names for the engine's: it decompresses what clients send, frame after frame."""
SETTINGS = "memory_worker_period_ms=1000"
"""The engine looks twenty times a second at how much memory it has; once is enough for a laptop."""
IGNORED = frozenset({"async_insert", "wait_for_async_insert"})
"""An INSERT is on disk when it is acknowledged, always."""


@dataclass(frozen=True)
class Statement:
    """What is asked.

    Attributes:
        text: The statement, and after an ``INSERT ... FORMAT x`` the data.
        format: Of the answer, if the statement does not say.
        database: Where names without one are looked for.
        parameters: Values for ``{name:Type}``.
        settings: For this statement.
        readonly: Whether it may change nothing.
    """

    text: bytes
    format: str = "TabSeparated"
    database: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    readonly: bool = False


@dataclass(frozen=True)
class Result:
    """What came out.

    Attributes:
        body: In the format.
        summary: As ClickHouse's header ``X-ClickHouse-Summary`` has it.
    """

    body: bytes
    summary: Mapping[str, str]


class EngineError(Exception):
    """The engine refused; the message begins with ``Code: ``."""


class Engine:
    """The engine on one folder; only one process can have it.

    Args:
        path: Where the data is.
        memory: Bytes that all statements together may take; 0 for what the machine has.
    """

    def __init__(self, path: Path, memory: int = 0) -> None:
        self._module = _module()
        self._path = path / "data"
        self._incoming = path / "incoming"
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._incoming.iterdir():  # of one that was killed
            left.unlink()
        options = f"{SETTINGS}&max_server_memory_usage={memory}" if memory else SETTINGS
        self._memory = memory
        self._first = self._module.connect(f"file:{self._path}?{options}")
        self.version = self._first.query("SELECT version()", "TabSeparated").bytes().decode().strip()

    def close(self) -> None:
        """Let go of the data."""
        self._first.close()

    def run(self, statement: Statement) -> Result:
        """Run a statement, from any thread.

        Raises:
            EngineError: It was refused.
        """
        if not statement.text.strip():
            raise EngineError("Code: 62. DB::Exception: Syntax error: Empty query. (SYNTAX_ERROR)")
        connection = self._module.connect(f"file:{self._path}")
        try:
            self._settle(connection, statement)
            return self._run(connection, statement)
        except (RuntimeError, UnicodeDecodeError) as error:
            raise EngineError(str(error)) from error
        finally:
            connection.close()

    def decompressed(self, content: bytes, encoding: str) -> bytes:
        """What a client sent compressed.

        Raises:
            EngineError: It cannot be decompressed.
        """
        if encoding not in CODECS:
            raise EngineError(f"Code: 48. DB::Exception: Unknown compression method: {encoding}. (NOT_IMPLEMENTED)")
        with self._file(content) as file:
            content_of = f"file('{file}', 'RawBLOB', 'content String', '{CODECS[encoding]}')"
            return self.run(Statement(b"SELECT content FROM " + content_of.encode(), "RawBLOB")).body

    def _settle(self, connection: Any, statement: Statement) -> None:
        if statement.database:
            connection.query(f"USE {_quoted(statement.database)}")
        wanted = {"max_memory_usage": str(self._memory)} if self._memory else {}
        for name, value in {**wanted, **statement.settings}.items():
            if name not in IGNORED:
                connection.query(f"SET {_quoted(name)} = {_literal(value)}")

    def _run(self, connection: Any, statement: Statement) -> Result:
        found = insert(statement.text)
        text = "" if found else statement.text.decode()
        if statement.readonly and (found or connection.classify_query(text)["query_class"].name != "READ_ONLY"):
            raise EngineError("Code: 164. DB::Exception: Cannot execute query in readonly mode. (READONLY)")
        if found is None:
            return _result(connection.query(text, statement.format, params=dict(statement.parameters)))
        with self._file(found.data) as file:
            return _result(connection.query(found.reading(file), statement.format))

    @contextmanager
    def _file(self, content: bytes) -> Iterator[str]:
        with tempfile.NamedTemporaryFile(dir=self._incoming) as file:
            file.write(content)
            file.flush()
            yield _escaped(file.name)


@cache
def _module() -> Any:
    package = find_spec("chdb")
    places = (package.submodule_search_locations if package else None) or ()
    library = next((str(file) for place in places for file in Path(place).glob("_chdb*.so")), None)
    if library is None:
        raise ModuleNotFoundError("chdb-core is not installed", name="chdb")
    if sys.platform == "linux":  # as the package does: the engine brings its own allocator
        ctypes.CDLL(library, mode=sys.getdlopenflags() | os.RTLD_DEEPBIND)
    loader = ExtensionFileLoader("chdb._chdb", library)
    module = module_from_spec(ModuleSpec(loader.name, loader, origin=library))
    loader.exec_module(module)
    return module


def _result(answer: Any) -> Result:
    if answer.has_error():
        raise EngineError(answer.error_message())
    summary = {
        "read_rows": str(answer.rows_read()),
        "read_bytes": str(answer.bytes_read()),
        "written_rows": str(answer.rows_written()),
        "written_bytes": str(answer.bytes_written()),
        "elapsed_ns": str(int(answer.elapsed() * 1e9)),
    }
    return Result(answer.bytes() or b"", summary)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _literal(text: str) -> str:
    return f"'{_escaped(text)}'"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
