"""Connections with small buffers carry as much as any."""

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol

import pytest
import trustme

from hallmark.twin import buffers

CONTENT = bytes(range(256)) * 8192


def test_a_connection_keeps_little_and_carries_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two megabytes there and back; what it keeps is what was asked for."""
    monkeypatch.setattr(SSLProtocol, "max_size", SSLProtocol.max_size)  # as it was, after this
    buffers.save()

    back, kept = asyncio.run(_there_and_back(trustme.CA()))

    assert back == CONTENT
    assert kept == buffers.SIZE


async def _there_and_back(authority: trustme.CA) -> tuple[bytes, int]:
    theirs, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.issue_cert("localhost").configure_cert(theirs)
    authority.configure_trust(ours)
    server = await asyncio.start_server(_echo, "127.0.0.1", 0, ssl=theirs)
    async with server:
        where = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*where, ssl=ours, server_hostname="localhost")
        writer.write(CONTENT)
        back = await reader.readexactly(len(CONTENT))
        kept = len(writer.transport._ssl_protocol._ssl_buffer)  # type: ignore[attr-defined]
        writer.close()
        return back, kept


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
        await writer.drain()
    writer.close()
