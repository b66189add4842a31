"""Places in a JSON document (RFC 6901), and what a JSON patch does there.

Documents hang below a root object under the empty key, so that the document as a whole is a place like any other.
Messages are those of the library the real server uses (evanphx/json-patch).
"""

from typing import Any

from hallmark.twin.cluster.schema.errors import BadPatch

_MISSING: Any = object()


class Pointer:
    """A place, such as ``/spec/containers/0/image``.

    Args:
        path: The place as a JSON pointer; empty for the whole document.

    Raises:
        BadPatch: It is no JSON pointer.
    """

    def __init__(self, path: str) -> None:
        if path and not path.startswith("/"):
            raise BadPatch(f"jsonpatch path {path!r} does not start with '/'", invalid=True)
        self.path = path
        self._keys = [key.replace("~1", "/").replace("~0", "~") for key in path.split("/")]

    def get(self, root: Any, operation: str) -> Any:
        """The value there.

        Raises:
            BadPatch: There is none.
        """
        value = self._value(self._parent(root, operation))
        if value is _MISSING:
            raise self._absent(operation)
        return value

    def test(self, root: Any, expected: Any) -> None:
        """Compare the value there; a missing one equals null.

        Raises:
            BadPatch: It is another one.
        """
        value = self._value(self._parent(root, "test"))
        if not same(None if value is _MISSING else value, expected):
            raise BadPatch(f"testing value {self.path} failed: test failed", invalid=True)

    def add(self, root: Any, value: Any) -> None:
        """Set a key, or insert into a list; ``-`` is the place behind the last item."""
        parent, key = self._parent(root, "add"), self._keys[-1]
        if isinstance(parent, list):
            parent.insert(len(parent) if key == "-" else self._index(key, len(parent), "add"), value)
        else:
            parent[key] = value

    def replace(self, root: Any, value: Any) -> None:
        """Set what is there already."""
        parent, key = self._parent(root, "replace"), self._keys[-1]
        if self._value(parent) is _MISSING:
            raise self._absent("replace")
        parent[int(key) if isinstance(parent, list) else key] = value

    def remove(self, root: Any, operation: str = "remove") -> Any:
        """Take the value away and return it."""
        parent, key = self._parent(root, operation), self._keys[-1]
        if self._value(parent) is _MISSING:
            raise self._absent(operation)
        return parent.pop(int(key) if isinstance(parent, list) else key)

    def _parent(self, root: Any, operation: str) -> Any:
        for key in self._keys[:-1]:
            if isinstance(root, list):
                root = root[self._index(key, len(root) - 1, operation)]
            else:
                root = root.get(key, _MISSING) if isinstance(root, dict) else _MISSING
        if not isinstance(root, dict | list):
            raise BadPatch(
                f"{operation} operation does not apply: doc is missing path: {self.path!r}: missing value".replace(
                    "'", '"'
                ),
                invalid=True,
            )
        return root

    def _value(self, parent: Any) -> Any:
        key = self._keys[-1]
        if isinstance(parent, dict):
            return parent.get(key, _MISSING)
        return parent[int(key)] if key.isdecimal() and int(key) < len(parent) else _MISSING

    def _index(self, key: str, last: int, operation: str) -> int:
        if key.isdecimal() and int(key) <= last:
            return int(key)
        raise BadPatch(
            f"{operation} operation does not apply: doc is missing path: {self.path}: "
            f"Unable to access invalid index: {key}: invalid index referenced",
            invalid=True,
        )

    def _absent(self, operation: str) -> BadPatch:
        return BadPatch(
            f"{operation} operation does not apply: doc is missing key: {self.path}: missing value", invalid=True
        )


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; true is not 1, as it is in Python."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
