"""How a cluster is reached, as a kubeconfig says; apart from the client, which takes long to import."""

import base64
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from hallmark.errors import UsageError


@dataclass(frozen=True)
class Access:
    """Server, trust and token.

    Attributes:
        server: URL of the API.
        tls: Verifies its certificate, and carries a client certificate if there is one.
        token: Bearer token, or empty.
    """

    server: str
    tls: ssl.SSLContext
    token: str

    @classmethod
    def read(cls, kubeconfig: Path) -> Self:
        """Read the current context of a kubeconfig.

        Raises:
            UsageError: The file is missing or is no kubeconfig.
        """
        try:
            config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
            context = _named(config["contexts"], config["current-context"])["context"]
            cluster = _named(config["clusters"], context["cluster"])["cluster"]
            user = _named(config["users"], context["user"])["user"]
            tls = ssl.create_default_context(cadata=_certificate(cluster, kubeconfig.parent))
            if cluster.get("insecure-skip-tls-verify"):
                tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
            _identify(tls, user, kubeconfig.parent)
            return cls(cluster["server"].rstrip("/"), tls, user.get("token", ""))
        except (yaml.YAMLError, KeyError, TypeError, StopIteration, ValueError, ssl.SSLError) as error:
            raise UsageError(f"{kubeconfig} is not a kubeconfig this can use.", "kubectl config view") from error
        except OSError as error:
            raise UsageError(f"cannot read {kubeconfig}: {error.strerror}.", "hallmark twin up") from error


def _named(entries: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in entries if each["name"] == name)
    return found


def _certificate(cluster: Mapping[str, Any], folder: Path) -> str | None:
    found = _content(cluster, "certificate-authority", folder)
    return found.decode() if found else None


def _identify(tls: ssl.SSLContext, user: Mapping[str, Any], folder: Path) -> None:
    certificate, key = (_content(user, name, folder) for name in ("client-certificate", "client-key"))
    if certificate and key:
        # OpenSSL reads a chain from files only.
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            tls.load_cert_chain(file.name)


def _content(entry: Mapping[str, Any], name: str, folder: Path) -> bytes | None:
    """Return what an entry holds itself, as ``<name>-data``, or names as a file beside the kubeconfig."""
    if data := entry.get(f"{name}-data"):
        return base64.b64decode(str(data))
    return (folder / str(entry[name])).read_bytes() if entry.get(name) else None
