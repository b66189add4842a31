"""Which code a part of the twin runs: after an update, parts of the code before must not stay."""

import hashlib
from functools import cache
from pathlib import Path


@cache
def mark() -> str:
    """A mark of the twin's source files by names, sizes and times; another one after any of them has changed."""
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        about = file.stat()
        digest.update(f"{file.relative_to(root)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
