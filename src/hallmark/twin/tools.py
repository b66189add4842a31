"""`kubectl` and `helm` for people who have neither: small scripts that lead to what came with the twin's packages."""

import shutil
import sys
from pathlib import Path

from hallmark.twin.deployment import kubectl
from hallmark.twin.files import write


def offer(folder: Path) -> Path | None:
    """Write a script for each tool that is not on the PATH.

    Args:
        folder: Where the scripts go.

    Returns:
        The folder, or None when the person has both tools.
    """
    missing = [name for name in ("kubectl", "helm") if _elsewhere(name, folder) is None]
    for name in missing:
        command = kubectl() if name == "kubectl" else f"{sys.executable} -m hallmark.twin.release"
        script = folder / name
        write(script, f'#!/bin/sh\nexec {command} "$@"\n')
        script.chmod(0o755)
    return folder if missing else None


def _elsewhere(name: str, folder: Path) -> str | None:
    found = shutil.which(name)
    return found if found and Path(found).parent != folder else None
