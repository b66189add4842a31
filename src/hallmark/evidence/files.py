"""Writing a file whole. Apart from what reads evidence: whoever only writes does not load the models of AWS."""

import contextlib
import os
import secrets
from pathlib import Path

from hallmark.errors import EnvironmentFault


def write_text(path: Path, text: str) -> None:
    """Write *text* so that *path* holds the old or the new text, never half of it.

    Raises:
        EnvironmentFault: Disk full, no permission, folder missing.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            hint = "Free space or choose -o FILE."
            raise EnvironmentFault(f"cannot write {path}: {error.strerror}.", hint) from error
        raise
