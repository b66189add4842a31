"""Small scripts in front of a person's tools: `kubectl` and `helm` for those who have none, `aws` to keep it here.

AWS CLI 1 asks some services, RDS among them, at AWS itself in some regions, whatever ``AWS_ENDPOINT_URL`` says: their
certificates once had other names (aws-cli, ``customizations/overridesslcommonname.py``). Only its flag is stronger.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path

from hallmark.twin.deployment import kubectl
from hallmark.twin.files import write


def offer(folder: Path) -> Path | None:
    """Write a script for `kubectl` and `helm`, each if it is not on the PATH, and for `aws` if it is.

    Args:
        folder: Where the scripts go.

    Returns:
        The folder, or None when there is no script in it.
    """
    scripts: dict[str, str] = {}
    if _elsewhere("kubectl", folder) is None:
        scripts["kubectl"] = f'{kubectl()} "$@"'
    if _elsewhere("helm", folder) is None:
        scripts["helm"] = f'{shlex.quote(sys.executable)} -m hallmark.twin.release "$@"'
    if aws := _elsewhere("aws", folder):
        scripts["aws"] = f'{shlex.quote(aws)} ${{AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"}} "$@"'
    for name, line in scripts.items():
        script = folder / name
        write(script, f"#!/bin/sh\nexec {line}\n")
        script.chmod(0o755)
    return folder if scripts else None


def _elsewhere(name: str, folder: Path) -> str | None:
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which(name, path=os.pathsep.join(each for each in places if Path(each) != folder))
