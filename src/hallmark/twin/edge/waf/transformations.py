"""Text transformations: what is done to a part of a request before it is compared. Pure.

WAF developer guide, "Text transformations". The rarer decoders are missing; an unknown one leaves the text as it is.
"""

import base64
import binascii
import hashlib
import html
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes


def transformed(text: bytes, wanted: Iterable[Mapping[str, Any]]) -> bytes:
    """Apply transformations by priority."""
    for each in sorted(wanted, key=lambda one: one["Priority"]):
        text = _KNOWN.get(each["Type"], bytes)(text)
    return text


def urldecoded(text: bytes) -> bytes:
    """Percent signs and plus signs decoded."""
    return unquote_to_bytes(text.replace(b"+", b" ")) if b"%" in text or b"+" in text else text


def normalized(path: bytes) -> bytes:
    """A path without repeated slashes, and without the dots that mean no folder or the one above."""
    if not path:
        return path
    end = b"/" if path.endswith((b"/", b"/.", b"/..")) else b""
    plain = posixpath.normpath(re.sub(rb"/+", b"/", path))
    return plain if plain.endswith(b"/") else plain + end


def unescaped(text: bytes) -> bytes:
    """HTML entities decoded."""
    return (
        html.unescape(text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogatepass")
        if b"&" in text
        else text
    )


def _base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text


def _loosely(text: bytes) -> bytes:
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
    return _base64(kept + b"=" * (-len(kept) % 4))


def _hex(text: bytes) -> bytes:
    try:
        return bytes.fromhex(text.decode())
    except ValueError:
        return text


def _command(text: bytes) -> bytes:
    plain = re.sub(rb"[\\\"'^]", b"", text)
    plain = re.sub(rb"\s+(?=[/(])", b"", plain)
    return re.sub(rb"[\s,;]+", b" ", plain).lower()


def _escapes(text: bytes) -> bytes:
    return re.sub(rb"\\x([0-9a-fA-F]{2})", lambda found: bytes.fromhex(found[1].decode()), text)


_KNOWN: dict[str, Callable[[bytes], bytes]] = {
    "LOWERCASE": bytes.lower,
    "UPPERCASE": bytes.upper,
    "URL_DECODE": urldecoded,
    "URL_DECODE_UNI": urldecoded,
    "HTML_ENTITY_DECODE": unescaped,
    "COMPRESS_WHITE_SPACE": lambda text: re.sub(rb"[\s\xa0]+", b" ", text),
    "REMOVE_WHITESPACE": lambda text: re.sub(rb"\s+", b"", text),
    "NORMALIZE_PATH": normalized,
    "NORMALIZE_PATH_WIN": lambda text: normalized(text.replace(b"\\", b"/")),
    "REMOVE_NULLS": lambda text: text.replace(b"\0", b""),
    "REPLACE_NULLS": lambda text: text.replace(b"\0", b" "),
    "REPLACE_COMMENTS": lambda text: re.sub(rb"/\*.*?(\*/|$)", b" ", text, flags=re.DOTALL),
    "CMD_LINE": _command,
    "BASE64_DECODE": _base64,
    "BASE64_DECODE_EXT": _loosely,
    "HEX_DECODE": _hex,
    "ESCAPE_SEQ_DECODE": _escapes,
    "JS_DECODE": _escapes,
    "MD5": lambda text: hashlib.md5(text, usedforsecurity=False).digest(),
    "SHA256": lambda text: hashlib.sha256(text).digest(),
    "TRIM": bytes.strip,
    "TRIM_LEFT": bytes.lstrip,
    "TRIM_RIGHT": bytes.rstrip,
}
