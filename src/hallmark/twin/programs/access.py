"""Lines about requests that were answered, in the words of nginx and of uvicorn; none has a query, where keys may be.

Sources: nginx, ``ngx_http_log_module``, the predefined format ``combined``, and how it escapes; uvicorn,
``AccessFormatter``.
"""

import re
from datetime import UTC, datetime
from http import HTTPStatus

from hallmark.twin.programs.web import Reply, Request

LONGEST = 256
"""Characters of what a client sent that one field of a line holds."""
_ESCAPED = re.compile(r'["\\]|[^ -~]')


def combined(request: Request, reply: Reply) -> str:
    """One line of nginx: who, when, what, answered how, from which page, with which program."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    page, program = (shown(headers.get(name, "") or "-") for name in ("referer", "user-agent"))
    size = len(reply.body.encode() if isinstance(reply.body, str) else reply.body)
    asked = f"{shown(request.method)} {shown(request.path)} HTTP/1.1"
    moment = f"{datetime.now(UTC):%d/%b/%Y:%H:%M:%S +0000}"
    return f'{request.client or "-"} - - [{moment}] "{asked}" {reply.status} {size} "{page}" "{program}"'


def uvicorn(client: str, method: str, path: str, status: int) -> str:
    """One line of uvicorn, without its level."""
    return f'{client or "-"} - "{shown(method)} {shown(path)} HTTP/1.1" {status} {_phrase(status)}'.rstrip()


def shown(sent: str) -> str:
    """What a client sent, as one field of a line: no query, no end of line, no quotation mark, and not too long."""
    plain = re.split(r"[?#]", sent, maxsplit=1)[0][:LONGEST]
    return _ESCAPED.sub(lambda found: "".join(f"\\x{byte:02X}" for byte in found[0].encode("utf-8", "replace")), plain)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
