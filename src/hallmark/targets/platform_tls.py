"""What the platform shows of itself before a word of HTTP: certificate, and versions of TLS.

Versions before 1.2 are offered in a greeting of our own (RFC 2246 and RFC 4346, section 7.4.1.2): the TLS library of
this machine may be set up to know them no longer, and then it would be the library that refuses.
"""

import contextlib
import os
import socket
import ssl
import struct
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from hallmark.targets.platform_road import Road, explain

OLD = {"TLSv1": b"\x03\x01", "TLSv1.1": b"\x03\x02"}
"""Versions nobody may offer any more (RFC 8996), as they are written on the wire."""
_SUITES = bytes.fromhex("c00ac014c009c013003900330035002fc008c0120016000a00ff")
"""Suites that these versions know, for keys of either kind, and the mark of secure renegotiation."""
_CURVES = struct.pack("!HHH4H", 10, 10, 8, 29, 23, 24, 25) + struct.pack("!HHBB", 11, 2, 1, 0)
"""Extensions: curves (x25519, P-256, P-384, P-521), and points that are written in full."""
_HANDSHAKE, _ALERT, _CLIENT_HELLO, _SERVER_HELLO = 22, 21, 1, 2
_HEAD = 11
"""Bytes up to the version a server chose: record (5), message (4), version (2)."""


def look(road: Road) -> dict[str, Any]:
    """Shake hands and say what was seen.

    ``version`` and ``names``, ``issuer``, ``not_after`` of the certificate (empty: no TLS worth the name);
    ``problem`` is why a careful client would turn back, ``old`` what became of each version before 1.2: ``refused``
    by an alert, ``closed``, ``accepted`` or ``silent``.

    Raises:
        NotAnswered: There was nobody to shake hands with.
    """
    started = time.monotonic()
    version, certificate, problem = _modern(road)
    seen = round((time.monotonic() - started) * 1000)
    return {
        "version": version,
        **certificate,
        "problem": problem or _distrust(road),
        "old": {name: _offer(road, code) for name, code in OLD.items()},
        "milliseconds": seen,
    }


def _modern(road: Road) -> tuple[str, Mapping[str, Any], str]:
    """Shake hands with whoever is there, trusted or not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with road.socket(road.port) as opened:
        try:
            with context.wrap_socket(opened, server_hostname=road.host) as secured:
                return secured.version() or "", _read(secured.getpeercert(binary_form=True) or b""), ""
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise explain(error, road.host) from error
        except ssl.SSLError as error:
            return "", _read(b""), (error.reason or "no TLS").lower().replace("_", " ")
        except OSError as error:
            raise explain(error, road.host) from error


def _distrust(road: Road) -> str:
    """Return why a careful client does not trust the platform; empty: it does."""
    with road.socket(road.port) as opened:
        try:
            with road.trust.wrap_socket(opened, server_hostname=road.host):
                return ""
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except OSError as error:
            raise explain(error, road.host) from error


def _read(certificate: bytes) -> Mapping[str, Any]:
    """Return what the certificate says: names a client compares (RFC 6125: no common name), issuer, last second."""
    nothing = {"names": [], "issuer": "", "not_after": ""}
    try:
        read = x509.load_der_x509_certificate(certificate)
        found = read.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = sorted(found.value.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        names = []
    except ValueError:
        return nothing
    return {"names": names, "issuer": read.issuer.rfc4514_string(), "not_after": _iso(read.not_valid_after_utc)}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _offer(road: Road, version: bytes) -> str:
    """Offer nothing newer than *version* and see what comes back."""
    with road.socket(road.port) as opened:
        try:
            opened.sendall(_greeting(road.host, version))
            answer = _head(opened)
        except TimeoutError:
            return "silent"
        except OSError:
            return "closed"
    if len(answer) == _HEAD and (answer[0], answer[5]) == (_HANDSHAKE, _SERVER_HELLO):
        return "accepted"
    return "refused" if answer[:1] == bytes([_ALERT]) else "closed"


def _greeting(host: str, version: bytes) -> bytes:
    name = host.encode("idna")
    server_name = struct.pack("!HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    extensions = server_name + _CURVES
    body = version + os.urandom(32) + b"\0"
    body += struct.pack("!H", len(_SUITES)) + _SUITES + b"\x01\0"
    body += struct.pack("!H", len(extensions)) + extensions
    message = bytes([_CLIENT_HELLO]) + struct.pack("!I", len(body))[1:] + body
    return bytes([_HANDSHAKE]) + OLD["TLSv1"] + struct.pack("!H", len(message)) + message


def _head(opened: socket.socket) -> bytes:
    """Read until it can be told what it is; an alert is shorter."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while len(answer) < _HEAD and (more := opened.recv(_HEAD - len(answer))):
            answer += more
    return answer
