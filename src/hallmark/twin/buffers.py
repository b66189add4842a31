"""Buffers of TLS connections in the parts that keep many: each watch of the cluster is one, and most of them rest."""

from asyncio.sslproto import SSLProtocol

SIZE = 32 * 1024
"""Bytes that are read at once, two records. With asyncio's 256 KiB, which a connection keeps at both of its ends, the
watches took 25 MB."""


def save() -> None:
    """Have connections of this process's event loops keep small buffers; to be called before the first one."""
    SSLProtocol.max_size = SIZE
