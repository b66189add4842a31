"""Folders packed into bytes and back, to be kept with a snapshot. Whoever uses a folder has to rest meanwhile."""

import io
import shutil
import zipfile
from pathlib import Path

FAST = 1
"""Level of compression: most of a database is the same page again and again."""


def archive(folder: Path) -> bytes:
    """Pack a folder with its empty folders and modes; nothing gives an empty pack."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=FAST, strict_timestamps=False) as pack:
        for path in sorted(folder.rglob("*")) if folder.exists() else []:
            if path.is_dir() or path.is_file():
                pack.write(path, path.relative_to(folder))
    return packed.getvalue()


def unpack(folder: Path, packed: bytes) -> None:
    """Put a pack in place of a folder, with its modes; an empty one leaves an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not packed:
        return
    with zipfile.ZipFile(io.BytesIO(packed)) as pack:
        for each in pack.infolist():
            path = Path(pack.extract(each, folder))
            path.chmod(each.external_attr >> 16)
