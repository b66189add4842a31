"""Files on this machine as a target: what the learner's Terraform says, and where it gives secrets away.

Answers hold facts, never file content: names, parsed settings, the line of a leaked secret. Every question names
a folder relative to the project; local modules a root refers to belong to it.
"""

import functools
import json
import os
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hcl2
from lark.exceptions import LarkError

from hallmark.errors import AuthorError
from hallmark.model import Answer, Call, Status
from hallmark.targets.leaks import leaks

_PLAIN = hcl2.SerializationOptions(
    with_comments=False, explicit_blocks=False, preserve_heredocs=False, strip_string_quotes=True
)
_HCL = (".tf", ".tfvars", ".tfbackend")
_PARSING = threading.Lock()
"""python-hcl2 keeps its place in an object that all calls share: two threads at once spoil it, for good."""
_SKIPPED_FOLDERS = frozenset({".terraform", ".git", "node_modules", "__pycache__"})
_STATE = (".tfstate", ".tfstate.backup")


class Malformed(ValueError):
    """A file does not parse. The message names file and line, and quotes nothing: it may hold a secret."""


class FilesSource:
    """Answers calls of the service ``files``.

    Args:
        root: The project; paths in calls and answers are relative to it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._operations: dict[str, Callable[[Path], Any]] = {
            "inventory": self._inventory,
            "terraform": self._terraform,
            "leaks": self._leaks,
            "table": self._table,
        }

    def answer(self, call: Call) -> Answer:
        """Look once and say what became of it.

        ``inventory`` lists the files of a folder and what does not parse; ``terraform`` gives what the files of a
        Terraform root declare; ``leaks`` the places of secrets; ``table`` one TOML file.
        """
        if call.operation not in self._operations:
            raise AuthorError(f"files.{call.operation} is not a question about files.")
        path, started = call.arguments["path"], time.monotonic()
        try:
            value = self._operations[call.operation](self._root / path)
            status, code, message = Status.OBSERVED, "", ""
        except (FileNotFoundError, NotADirectoryError):
            value, status, code, message = None, Status.ABSENT, "NotFound", f"{path} does not exist"
        except PermissionError:
            value, status, code, message = None, Status.DENIED, "denied", f"{path} may not be read"
        except Malformed as error:
            value, status, code, message = None, Status.FAILED, "malformed", str(error)
        except OSError as error:
            value, status, code, message = None, Status.FAILED, "unreachable", f"{path}: {error.strerror}"
        return Answer(status, value, code, message, round((time.monotonic() - started) * 1000))

    def _inventory(self, folder: Path) -> dict[str, Any]:
        files = list(self._texts(folder))
        problems = [str(error) for file in files if (error := self._problem(file))]
        states = [self._name(file) for file in _walk(folder) if file.name.endswith(_STATE) and _holds_resources(file)]
        return {"files": [self._name(file) for file in files], "problems": problems, "states": states}

    def _terraform(self, folder: Path) -> dict[str, Any]:
        """Blocks of the root and its local modules, and the root's own settings and variable values."""
        blocks = [(file, self._parsed(file)) for file in self._texts(folder) if file.suffix in _HCL]
        own = [(file, content) for file, content in blocks if file.parent == folder.resolve()]
        return {
            "resources": sorted({kind for _, content in blocks for kind in _labels(content, "resource")}),
            "modules": sorted({name for _, content in own for name in _labels(content, "module")}),
            "providers": sorted({name for _, content in blocks for name in _labels(content, "provider")}),
            "backends": [backend for file, content in own if file.suffix == ".tf" for backend in _backends(content)],
            "backend_settings": _merged(content for file, content in own if file.suffix == ".tfbackend"),
            "values": _merged(content for file, content in own if file.suffix == ".tfvars"),
        }

    def _leaks(self, folder: Path) -> dict[str, Any]:
        files = list(self._texts(folder))
        found = [
            {"file": self._name(file), "line": leak.line, "kind": leak.kind}
            for file in files
            for leak in leaks(_read(file), file.name)
        ]
        return {"scanned": len(files), "findings": found}

    def _table(self, file: Path) -> Any:
        try:
            return json.loads(json.dumps(tomllib.loads(file.read_text(encoding="utf-8")), default=str))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Malformed(f"{self._name(file)} is not valid TOML") from error

    def _texts(self, folder: Path) -> Iterator[Path]:
        """Text files of the folder and of the local modules it refers to; state is judged apart."""
        folders, done = [folder.resolve()], set[Path]()
        while folders:
            files = [file for file in _walk(folders.pop()) if file not in done and _is_text(file)]
            done |= set(files)
            yield from files
            folders += [source for file in files if file.suffix == ".tf" for source in self._local_modules(file)]

    def _local_modules(self, file: Path) -> Iterator[Path]:
        if self._problem(file):
            return
        for modules in self._parsed(file).get("module", []):
            for module in modules.values():
                source = str(module.get("source", ""))
                if source.startswith(("./", "../")) and (file.parent / source).is_dir():
                    yield (file.parent / source).resolve()

    def _problem(self, file: Path) -> Malformed | None:
        try:
            if file.suffix in _HCL:
                self._parsed(file)
        except Malformed as error:
            return error
        return None

    def _parsed(self, file: Path) -> dict[str, Any]:
        try:
            return _hcl(_read(file))
        except (LarkError, ValueError) as error:
            line = getattr(error, "line", None)
            raise Malformed(f"{self._name(file)} does not parse" + (f", line {line}" if line else "")) from error

    def _name(self, file: Path) -> str:
        return Path(os.path.relpath(file, self._root)).as_posix()


def _walk(folder: Path) -> list[Path]:
    """All files below *folder*, sorted. Links are not followed: they may lead anywhere.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    found: list[Path] = []
    for path, folders, names in os.walk(folder.resolve()):
        folders[:] = [name for name in folders if name not in _SKIPPED_FOLDERS]
        found += [Path(path, name) for name in names]
    return sorted(file for file in found if not file.is_symlink())


def _is_text(file: Path) -> bool:
    if file.name.endswith(_STATE):
        return False
    with file.open("rb") as opened:
        return b"\0" not in opened.read(8192)


@functools.lru_cache(maxsize=512)
def _hcl(text: str) -> dict[str, Any]:
    with _PARSING:
        content: dict[str, Any] = hcl2.loads(text.rstrip() + "\n", serialization_options=_PLAIN)
    return content


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _labels(content: dict[str, Any], block: str) -> list[str]:
    return [label for each in content.get(block, []) for label in each]


def _backends(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for settings in content.get("terraform", []):
        for backend in settings.get("backend", []):
            yield from ({"type": kind, "settings": values} for kind, values in backend.items())
        yield from ({"type": "cloud", "settings": {}} for _ in settings.get("cloud", []))


def _merged(contents: Iterator[dict[str, Any]]) -> dict[str, Any]:
    return {name: value for content in contents for name, value in content.items()}


def _holds_resources(file: Path) -> bool:
    """After moving state to a backend Terraform leaves an empty file behind, which gives nothing away."""
    try:
        return bool(json.loads(_read(file) or "{}").get("resources"))
    except (ValueError, AttributeError):
        return True
