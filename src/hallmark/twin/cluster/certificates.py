"""The server's own certificate authority, made once, and the kubeconfig that trusts it."""

import base64
import os
import secrets
import ssl
from pathlib import Path

import trustme
import yaml

from hallmark.twin.files import write

NAMES = (
    "127.0.0.1",
    "172.20.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
"""What clients inside and outside a cluster call the API server."""


def server_context(state: Path) -> ssl.SSLContext:
    """TLS settings of the server; its authority's certificate is in ``ca.crt``.

    Args:
        state: The state folder; keys in it are readable by the owner alone.
    """
    authority, own = state / "ca.crt", state / "server.pem"
    if not (authority.exists() and own.exists()):
        issuer = trustme.CA(organization_name="kubernetes")
        issued = issuer.issue_cert(*NAMES, common_name="kube-apiserver")
        write_private(state / "ca.key", issuer.private_key_pem.bytes())
        write_private(own, issued.private_key_and_cert_chain_pem.bytes())
        write(authority, issuer.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    return context


def admin_token(state: Path) -> str:
    """The token of the cluster's administrator, made once."""
    file = state / "token"
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32).encode())
    return file.read_text()


def write_kubeconfig(state: Path, port: int) -> None:
    """Write ``kubeconfig`` for the administrator.

    Args:
        state: The state folder, with ``token`` and ``ca.crt``.
        port: Port of the server on 127.0.0.1.
    """
    name = "hallmark"
    authority = base64.b64encode((state / "ca.crt").read_bytes()).decode()
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": authority}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [{"name": name, "user": {"token": admin_token(state)}}],
    }
    write_private(state / "kubeconfig", yaml.safe_dump(config, sort_keys=False).encode())


def write_private(file: Path, content: bytes) -> None:
    """Replace a file in one step; nobody but the owner can ever read it."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
    partial.replace(file)
