"""The process of ClickHouse's own listeners: ``python -I -S cmdline.py LIBRARY ARGUMENTS...``.

The library's one useful function takes the arguments of ``clickhouse-local``. That program has one session of its own,
as the user ``default`` without a password, and serves as long as this session works: here it reads a pipe that never
ends. It believes to be at a terminal: where there is none, it ends with the first connection that ends badly.

So that nobody else is let in without a password, the configuration asks an address of ours whether the session may
(``http_authentication``). It says yes once, before anything listens, and no ever after.

Only the standard library is here. What is printed is the session's four statements, and why it ended.
"""

import ctypes
import os
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

DOOR = "HALLMARK_DOOR"
"""Names the address in the configuration; nobody outside knows it."""
FUNCTION = "chdb_query_cmdline"
ALLOWED, DENIED = 200, 403


class _Door(HTTPServer):
    """Lets in whoever asks first, and knows where."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Visitor)
        self.path = f"/{secrets.token_urlsafe(24)}"
        self.is_open = True

    def open_once(self) -> None:
        """Work in a thread, and tell the configuration where."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 3600}, daemon=True).start()
        os.environ[DOOR] = f"http://127.0.0.1:{self.server_port}{self.path}"


class _Visitor(BaseHTTPRequestHandler):
    server: _Door

    def do_GET(self) -> None:
        """Say whether this one may."""
        may = self.server.is_open and self.path == self.server.path
        if may:
            self.server.is_open = False
        self.send_response_only(ALLOWED if may else DENIED)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class calls it so)
        """Stay silent."""


def main(library: str, *arguments: str) -> int:
    """Serve until a signal ends it; returns an exit code if it does not even begin."""
    _sit_at_a_terminal()
    _Door().open_once()
    words = [word.encode() for word in ("clickhouse-local", f"--file={_endless()}", *arguments)]
    loaded = ctypes.CDLL(library)
    run, error = getattr(loaded, FUNCTION), loaded.chdb_result_error
    run.restype, run.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
    error.restype, error.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    result = run(len(words), (ctypes.c_char_p * (len(words) + 1))(*words, None))
    said = error(result) if result else b"it ended without a word"
    lines = (said or b"").decode(errors="replace").strip().splitlines()
    sys.stderr.write(f"{lines[0] if lines else 'it ended'}\n")
    return 1


def _sit_at_a_terminal() -> None:
    _, terminal = os.openpty()  # nobody types there: the other end is ours, and stays open
    os.dup2(terminal, 0)


def _endless() -> str:
    reading, _ = os.pipe()  # the other end is ours, and stays open
    return f"/dev/fd/{reading}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
