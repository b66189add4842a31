"""Answers a load balancer gives itself: short HTML pages, marked by their ``Server`` header."""

from http import HTTPStatus

from aiohttp import web

SERVER = "awselb/2.0"
PHRASES = {503: "Service Temporarily Unavailable", 504: "Gateway Time-out", 561: "Authentication Failed"}
"""Where they differ from the registered ones."""


def page(status: int) -> web.Response:
    """The page of an error."""
    words = f"{status} {phrase(status)}"
    lines = ("<html>", f"<head><title>{words}</title></head>", "<body>", f"<center><h1>{words}</h1></center>",
             "</body>", "</html>", "")  # fmt: skip
    return fixed(status, "\r\n".join(lines), "text/html")


def fixed(status: int, text: str, content_type: str) -> web.Response:
    """A fixed response."""
    headers = {"Server": SERVER, "Content-Type": content_type or "text/plain"}
    return web.Response(status=status, reason=phrase(status), body=text.encode(), headers=headers)


def redirect(status: int, location: str) -> web.Response:
    """A redirect; 301 and 302 bring a page."""
    answer = page(status)
    answer.headers["Location"] = location
    return answer


def phrase(status: int) -> str:
    """The words after a status number."""
    try:
        return PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
