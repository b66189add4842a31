"""The seal on a snapshot: a keyed digest and the versions it was made with.

A snapshot is a pickle, and a pickle is code. Only files sealed with the key in the twin's own state directory are
opened, and only by the same moto, extension and Python that made them.
"""

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from hallmark.errors import HallmarkError, UsageError
from hallmark.twin.aws.versions import versions

MAGIC = "hallmark-snapshot/1"
ADVICE = "run `hallmark twin reset` to build the baseline again"


class Seal:
    """Signs and opens snapshots with one secret key.

    Args:
        key: 32 random bytes that never leave the state directory.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, state: Path) -> "Seal":
        """Read the key file of a state directory; make it on first use, readable by its owner only."""
        file = state / "key"
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(file.read_bytes())
        key = secrets.token_bytes(32)
        with os.fdopen(handle, "wb") as opened:
            opened.write(key)
        return cls(key)

    def name(self, what: str) -> str:
        """A name that is the same wherever this key is, and nobody can guess: 32 hexadecimal digits, upper case."""
        return self._digest(b"name:" + what.encode())[:32].upper()

    @property
    def token(self) -> str:
        """What a caller of the control paths must show: derived from the key, useless for signing."""
        return self._digest(b"control")

    def admits(self, token: str) -> bool:
        """Whether the token is ours, compared in constant time."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def close(self, account: str, payload: bytes) -> bytes:
        """Put versions, account and signature in front of a payload."""
        header = json.dumps({"account": account, "versions": versions()}, sort_keys=True).encode()
        signature = self._digest(header + b"\n" + payload)
        return f"{MAGIC} {signature}\n".encode() + header + b"\n" + payload

    def open(self, sealed: bytes) -> tuple[str, bytes]:
        """Return account and payload of a snapshot made here, by this code.

        Raises:
            UsageError: The file is no snapshot, is not signed with this key, or was made by other versions.
        """
        first, _, signed = sealed.partition(b"\n")
        magic, _, signature = first.decode("ascii", "replace").partition(" ")
        if magic != MAGIC:
            raise UsageError("This is not a snapshot of the twin.", ADVICE)
        if not hmac.compare_digest(signature.encode(), self._digest(signed).encode()):
            raise UsageError("This snapshot was not made by this twin, or it was changed.", ADVICE)
        header, _, payload = signed.partition(b"\n")
        about = json.loads(header)
        refuse_other_versions(about["versions"])
        return about["account"], payload

    def _digest(self, content: bytes) -> str:
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()


def refuse_other_versions(made_with: dict[str, str]) -> None:
    """Raise a `UsageError` that names what differs between a snapshot's versions and ours."""
    here = versions()
    differing = [
        f"{name} {made_with.get(name)}, here {here[name]}" for name in here if made_with.get(name) != here[name]
    ]
    if differing:
        error: HallmarkError = UsageError(f"This snapshot was made with {'; '.join(differing)}.", ADVICE)
        raise error
