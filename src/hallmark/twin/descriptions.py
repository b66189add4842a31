"""botocore's descriptions of services, read without their prose: half the memory, in every part that asks AWS.

Plain dictionaries stand in for ordered ones, which are several times as large, and equal words are kept once.
"""

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, Any

from botocore.loaders import JSONFileLoader, Loader

PROSE = "documentation"


class Lean(JSONFileLoader):  # type: ignore[misc]  # botocore ships no types
    """Reads what a client needs of a description."""

    def _load_file(self, full_path: str, open_method: Callable[[str, str], IO[bytes]]) -> Any:
        if not Path(full_path).is_file():
            return None
        with open_method(full_path, "rb") as opened:
            return json.loads(opened.read(), object_pairs_hook=_kept)


@cache
def loader() -> Loader:
    """The one reader of descriptions of this process: what one client has read serves all."""
    return Loader(file_loader=Lean())


def _kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {sys.intern(name): _short(name, value) for name, value in pairs}


def _short(name: str, value: Any) -> Any:
    # The key stays, because botocore reads it of some things; a member of a shape may have that name and be no text.
    if isinstance(value, str):
        return "" if name == PROSE else sys.intern(value)
    return value
