"""Folders packed into bytes and back, to be kept with a snapshot. Whoever uses a folder has to rest meanwhile."""

import io
import shutil
import tarfile
from pathlib import Path

FAST = 1
"""Level of compression: most of a database is the same page again and again."""


def archive(folder: Path) -> bytes:
    """Pack a folder with its empty folders, modes and links; nothing gives an empty pack."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=FAST) as pack:
        for path in sorted(folder.iterdir()) if folder.exists() else []:
            pack.add(path, path.name)
    return packed.getvalue()


def unpack(folder: Path, packed: bytes) -> None:
    """Put a pack in place of a folder; an empty one leaves an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if packed:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as pack:
            pack.extractall(folder, filter="tar")
