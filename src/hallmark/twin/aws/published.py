"""The real API server of the one cluster that has one: what ``cluster.json`` in the state directory says of it.

Whoever starts the API server writes the file, so that EKS answers with an address that works and STS can check the
tokens of service accounts. Without the file the emulator speaks of clusters that cannot be reached.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FILE = "cluster.json"


@dataclass(frozen=True)
class Published:
    """An API server that answers.

    Attributes:
        endpoint: Its URL.
        ca: Its certificate authority, PEM in Base64, as EKS gives it.
        service_account_key: Public key of its service-account tokens, PEM, or empty.
        account: The account whose clusters it stands for; empty for every account.
        issuer: Who issues its service-account tokens: the identity provider of the cluster in AWS; may be empty.
    """

    endpoint: str
    ca: str
    service_account_key: str = ""
    account: str = ""
    issuer: str = ""


class _Place:
    folder: Path | None = None


def place(state: Path) -> None:
    """Say once which directory is the server's state directory."""
    _Place.folder = state


def published(account: str) -> Published | None:
    """The API server of an account's clusters, read anew each time; None if there is none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads(((_Place.folder or Path("/nonexistent")) / FILE).read_text(encoding="utf-8"))
        found = Published(
            endpoint=content["endpoint"],
            ca=content["ca"],
            service_account_key=content.get("serviceAccountKey", ""),
            account=content.get("account", ""),
            issuer=content.get("issuer", ""),
        )
        return found if found.account in {"", account} else None
    return None
