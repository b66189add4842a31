"""Bodies of the SDK: compression, and the parts of ``multipart/form-data`` (RFC 2046, RFC 7578)."""

import io
import re
import zlib
from collections.abc import Iterator, Mapping

import zstandard

from hallmark.twin.platform.calls import Refusal

LARGEST = 100 * 1024 * 1024
"""Bytes of a body after decompression."""
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'[; ]name="([^"]*)"', re.IGNORECASE)


def plain(headers: Mapping[str, str], body: bytes) -> bytes:
    """A body without its compression.

    Raises:
        Refusal: It cannot be read, or is too large.
    """
    try:
        match headers.get("content-encoding", "identity").lower():
            case "zstd":
                # A client that streams ends with several frames, none of which tells its size.
                reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body), read_across_frames=True)
                body = reader.read(LARGEST + 1)
            case "gzip":
                body = zlib.decompressobj(31).decompress(body, LARGEST + 1)
    except (zstandard.ZstdError, zlib.error):
        raise Refusal(400, "the body cannot be decompressed") from None
    if len(body) > LARGEST:
        raise Refusal(413, "the body is too large")
    return body


def parts(content_type: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a form's parts.

    Raises:
        Refusal: It is no such form.
    """
    found = _BOUNDARY.search(content_type)
    if not found or not content_type.lower().startswith("multipart/"):
        raise Refusal(422, "multipart/form-data with a boundary is expected")
    pieces = (b"\r\n" + body).split(b"\r\n--" + found[1].encode())
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):  # noqa: PLR2004  (what is before, and the end)
        raise Refusal(400, "the form has no end")
    for piece in pieces[1:-1]:
        header, _, content = piece.partition(b"\r\n\r\n")
        name = _NAME.search(header)
        if not name:
            raise Refusal(422, "a part of the form has no name")
        yield name[1].decode("utf-8", "replace"), content
