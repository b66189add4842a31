"""What a twin keeps on disk of one account: Terraform's state, the automatic saves, the named snapshots."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hallmark.errors import UsageError
from hallmark.twin.emulator import Running
from hallmark.twin.files import write
from hallmark.twin.snapshots import Snapshot, Snapshots
from hallmark.twin.terraform import Progress


class Keeper:
    """Carries state between the server's memory and the disk.

    Args:
        state: The state directory.
        account: The account of the architecture.
    """

    def __init__(self, state: Path, account: str) -> None:
        self._account = account
        self._autosaves = state / "autosave"
        self.snapshots = Snapshots(state / "snapshots")
        self.tfstate = state / "terraform" / "terraform.tfstate"
        self.api_key = state / "edge" / "api-key"

    def keep(self, running: Running, name: str, fits: str = "", **held: Any) -> None:
        """Keep the present state of AWS, of Terraform and of the cluster under a name.

        Args:
            running: The server that holds the account.
            name: The snapshot's name.
            fits: Digest of what it was built from, if it is one of the twin's own.
            **held: What the cluster, the stores and the volumes hold, as a :class:`Snapshot` calls it.
        """
        snapshot = Snapshot(
            aws=running.control.snapshot(self._account),
            terraform=self.tfstate.read_bytes() if self.tfstate.exists() else b"",
            account=self._account,
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            fits=fits,
            key=self.api_key.read_text(encoding="utf-8") if self.api_key.exists() else "",
            **held,
        )
        self.snapshots.keep(name, snapshot)

    def bring_back(self, running: Running, kept: Snapshot) -> None:
        """Put AWS and Terraform's state of a snapshot in place of what is there.

        Raises:
            UsageError: It was made by another twin, or by other versions.
        """
        running.control.restore(self._account, kept.aws)
        # At once what a killed server goes on with: it must not come back older than the cluster.
        write(self._autosaves / f"{self._account}.snapshot", kept.aws)
        _put(self.tfstate, kept.terraform)
        _put(self.api_key, kept.key)

    def resume(self, running: Running, progress: Progress) -> bool:
        """Go on where the server was when it went down, in every account; False if there is nothing to go on with."""
        own = self._autosaves / f"{self._account}.snapshot"
        if not own.is_file():
            return False
        try:
            for saved in sorted(self._autosaves.glob("*.snapshot")):
                running.control.restore(saved.stem, saved.read_bytes())
        except UsageError as error:
            progress(f"The saved state cannot be brought back. {error.message}")
            return False
        when = datetime.fromtimestamp(own.stat().st_mtime, UTC)
        progress(f"Brought back the state of {when:%Y-%m-%d %H:%M:%S} UTC.")
        return True

    def forget(self, running: Running) -> None:
        """An account as AWS hands it out, and no Terraform state; snapshots stay."""
        running.control.drop(self._account)
        for file in (self.tfstate, self.api_key, self._autosaves / f"{self._account}.snapshot"):
            file.unlink(missing_ok=True)

    def fitting(self, name: str, digest: str) -> Snapshot | None:
        """A snapshot of the twin's own, if it was built from what is there now.

        Args:
            name: Its name.
            digest: Of what it would be built from now.
        """
        try:
            kept = self.snapshots.get(name)
        except UsageError:
            return None
        return kept if kept and kept.account == self._account and kept.fits == digest else None


def _put(file: Path, content: str | bytes) -> None:
    if content:
        write(file, content)
        file.chmod(0o600)
    else:
        file.unlink(missing_ok=True)
