"""botocore's descriptions of services, read without their prose: a fraction of the memory, in every part that asks AWS.

Plain dictionaries stand in for ordered ones, which are several times as large, and equal words are kept once. Of
thousands of shapes a part uses a few: the others stay packed.
"""

import json
import marshal
import sys
from collections.abc import Callable, ItemsView, Iterator, ValuesView
from functools import cache
from pathlib import Path
from typing import IO, Any

from botocore.loaders import JSONFileLoader, Loader

PROSE, SHAPES = "documentation", "shapes"
TYPES = ("structure", "list", "map", "string", "integer", "long", "float", "double", "boolean", "blob", "timestamp")
"""What makes a shape, and nothing else but a few parameters."""


class Lean(JSONFileLoader):  # type: ignore[misc]  # botocore ships no types
    """Reads what a client needs of a description."""

    def _load_file(self, full_path: str, open_method: Callable[[str, str], IO[bytes]]) -> Any:
        if not Path(full_path).is_file():
            return None
        with open_method(full_path, "rb") as opened:
            return _whole(json.loads(opened.read(), object_pairs_hook=_kept))


class Shapes(dict[str, Any]):
    """Shapes by name, each unpacked when somebody asks for it."""

    def __getitem__(self, name: str) -> Any:
        """A shape.

        Raises:
            KeyError: There is none of this name.
        """
        shape = super().__getitem__(name)
        if isinstance(shape, bytes):
            shape = self[name] = marshal.loads(shape)  # noqa: S302  (packed by this very process)
        return shape

    def __iter__(self) -> Iterator[str]:
        """Names; that this is defined has copies ask for each part."""
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        """A shape, or something else if there is none of this name."""
        return self[name] if name in self else default  # noqa: SIM401  (what it suggests is this)

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]  # a view that asks for each
        """All names and shapes."""
        return ItemsView(self)

    def values(self) -> ValuesView[Any]:  # type: ignore[override]  # likewise
        """All shapes."""
        return ValuesView(self)


@cache
def loader() -> Loader:
    """The one reader of descriptions of this process: what one client has read serves all."""
    return Loader(file_loader=Lean())


def _whole(value: Any) -> Any:
    """What was taken for a shape elsewhere, as it was."""
    if isinstance(value, bytes):
        return marshal.loads(value)  # noqa: S302  (as above)
    if isinstance(value, dict):
        return {name: Shapes(part) if name == SHAPES else _whole(part) for name, part in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value


def _kept(pairs: list[tuple[str, Any]]) -> Any:
    kept = {sys.intern(name): _short(name, value) for name, value in pairs}
    return marshal.dumps(kept) if kept.get("type") in TYPES else kept


def _short(name: str, value: Any) -> Any:
    # The key stays, because botocore reads it of some things; a member of a shape may have that name and be no text.
    if isinstance(value, str):
        return "" if name == PROSE else sys.intern(value)
    return value
