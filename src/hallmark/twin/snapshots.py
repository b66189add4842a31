"""Named snapshots on disk: the emulated AWS, Terraform's own state and the cluster, kept together in one file."""

import io
import json
import re
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

from hallmark.errors import UsageError
from hallmark.twin.files import write

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Snapshot:
    """What belongs together at one moment.

    Attributes:
        aws: The account, sealed by the server.
        terraform: Terraform's state file; empty if there was none.
        account: The account.
        made: When, ISO 8601 UTC.
        fits: Digest of what it was built from; empty for a learner's own snapshot.
        cluster: Every object of the cluster; empty for a cluster as EKS hands it out.
        stores: What RDS and ElastiCache hold, packed.
        disks: What persistent volumes hold, packed.
        key: The API key of whoever works on the twin, which the stores of that moment know; empty if there was none.
    """

    aws: bytes
    terraform: bytes
    account: str
    made: str
    fits: str = ""
    cluster: bytes = b""
    stores: bytes = b""
    disks: bytes = b""
    key: str = ""


class Snapshots:
    """A folder of snapshots.

    Args:
        folder: Where they lie, one ``<name>.zip`` each.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> tuple[str, ...]:
        """Names of the snapshots that exist, sorted."""
        return tuple(sorted(file.stem for file in self._folder.glob("*.zip")))

    def keep(self, name: str, snapshot: Snapshot) -> None:
        """Write a snapshot; one of the same name is replaced in one step."""
        about = {key: value for key, value in asdict(snapshot).items() if isinstance(value, str)}
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("about.json", json.dumps(about))
            archive.writestr("aws.snapshot", snapshot.aws)
            archive.writestr("terraform.tfstate", snapshot.terraform)
            archive.writestr("cluster.json", snapshot.cluster, zipfile.ZIP_DEFLATED, 1)
            archive.writestr("stores.tar.gz", snapshot.stores)
            archive.writestr("disks.tar.gz", snapshot.disks)
        write(self._file(name), packed.getvalue())

    def get(self, name: str) -> Snapshot | None:
        """Read a snapshot, or None if there is none of this name.

        Raises:
            UsageError: The name is not one, or the file is damaged.
        """
        file = self._file(name)
        try:
            with zipfile.ZipFile(file) as archive:
                about = json.loads(archive.read("about.json"))
                return Snapshot(
                    aws=archive.read("aws.snapshot"),
                    terraform=archive.read("terraform.tfstate"),
                    cluster=archive.read("cluster.json"),
                    stores=archive.read("stores.tar.gz"),
                    disks=archive.read("disks.tar.gz"),
                    **about,
                )
        except FileNotFoundError:
            return None
        except (zipfile.BadZipFile, KeyError, TypeError, json.JSONDecodeError) as error:
            raise UsageError(f"Snapshot {name!r} is damaged.", f"remove {file}, then hallmark twin reset") from error

    def remove(self, name: str) -> None:
        """Remove a snapshot if it exists."""
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no name for a snapshot.", "use lower-case letters, digits, dots, dashes, underscores"
            )
        return self._folder / f"{name}.zip"
