"""The baseline: what `terraform/baseline` builds on an empty twin, and the digest that says whether it still fits."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin.aws.versions import versions
from hallmark.twin.terraform import Terraform

NAME = "baseline"
"""Name of the snapshot."""
SOURCES = ("*.tf", "*.json", "*.tftpl", "twin.tfvars")


def module(root: Path) -> Path:
    """The root module of a clone of the repository."""
    return root / "terraform" / "baseline"


def terraform(root: Path, work: Path, environment: Mapping[str, str]) -> Terraform:
    """Terraform on the baseline with the twin's variables.

    Args:
        root: The clone of the repository.
        work: Where Terraform's data, state and log go.
        environment: Variables that lead to the twin.

    Raises:
        EnvironmentFault: There is no baseline at this place.
    """
    folder = module(root)
    if not folder.is_dir():
        raise EnvironmentFault(f"There is no Terraform baseline at {folder}.", "run this in a clone of the repository")
    return Terraform(folder, root / "terraform" / "twin.tfvars", work, environment)


def digest(root: Path) -> str:
    """What a snapshot of the baseline was built from: Terraform files, variables, and the emulator's versions."""
    folder = root / "terraform"
    found = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    for file in sorted(file for pattern in SOURCES for file in folder.rglob(pattern)):
        # Terraform's own working files and tests do not change what is built.
        if {".terraform", "tests"}.isdisjoint(file.relative_to(folder).parts):
            found.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


def outputs(state: Path) -> dict[str, Any]:
    """The outputs that a Terraform state file records; empty if there is no such file.

    Raises:
        UsageError: The file is not a state of Terraform.
    """
    try:
        recorded = json.loads(state.read_bytes() or b"{}").get("outputs", {})
        return {name: output["value"] for name, output in recorded.items()}
    except FileNotFoundError:
        return {}
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
        raise UsageError(f"{state} is not a Terraform state.", "hallmark twin reset") from error
