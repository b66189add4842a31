"""An answer of the emulated AWS leaves in one piece."""

from types import SimpleNamespace
from typing import Any

import pytest
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser

from hallmark.twin.aws.sending import Whole


@pytest.mark.parametrize("body", [[b"one"], [], [b"one", b"two"]])
def test_head_and_body_leave_together(body: list[bytes]) -> None:
    """One piece for the head and what comes with it; what comes later follows, nothing twice."""
    request = HTTPRequestParser(Adjustments())
    request.received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    sent: list[bytes] = []

    def application(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(len(b"".join(body))))])
        return body

    server = SimpleNamespace(
        adj=Adjustments(), application=application, effective_port=1, server_name="x", log_socket_errors=False
    )
    channel = SimpleNamespace(
        server=server, write_soon=sent.append, addr=("127.0.0.1", 2), check_client_disconnected=lambda: False
    )
    task = Whole(channel, request)
    task.service()
    head, _, first = sent[0].partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert [first, *(piece for piece in sent[1:] if piece)] == (body or [b""])
    assert task.channel is channel
