"""Which code a snapshot fits: moto, our extension and Python, because a snapshot pickles their objects."""

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path


@cache
def extension_digest() -> str:
    """SHA-256 over every source file of the server and its extension, first 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """The versions that must be equal on both sides of a snapshot."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"moto": version("moto"), "extension": extension_digest(), "python": python}
