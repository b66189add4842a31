"""The frontend: nginx in front of the application. ``/health`` is its own answer and says nothing about the rest.

Upstream names are looked up once, at the start, as nginx does; a Service made anew needs a restart of the frontend.
"""

import http.client
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from hallmark.twin.programs import access
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.dependencies import TIMED_OUT, Unreachable, connect, resolve
from hallmark.twin.programs.langsmith.service import introduce
from hallmark.twin.programs.web import Reply, Request, serve

CONFIGURATION = "/etc/nginx/nginx.conf"
ENDPOINTS = {
    "platform-backend": "GO_ENDPOINT",
    "playground": "PLAYGROUND_ENDPOINT",
    "backend": "SMITH_BACKEND_ENDPOINT",
}
_UPSTREAM = re.compile(r"upstream\s+(\S+)\s*\{\s*server\s+([^\s;:]+):(\d+)")
_PLATFORM = re.compile(
    r"/api/v1/(runs|runs/batch|runs/multipart|info)$|/api/v1/(me|auth|oauth|platform|otel|traces|commits)(/|$)"
    r"|/api/(runs|runs/batch|runs/multipart|info|me)$|/(api/v2/|scim|\.well-known/jwks\.json)"
)
APPLICATION = "<!DOCTYPE html>\n<html><head><title>LangSmith</title></head><body>Hallmark's stand-in.</body></html>\n"
HEADERS = {
    "Server": "nginx",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}
HOP = frozenset({"connection", "transfer-encoding", "content-length", "content-type", "server", "date"})
REQUEST_LIMIT = 25 * 1024 * 1024


def main(container: Container) -> int:
    """Look up the upstreams, then serve."""
    container.on_stop(0)
    introduce(container, "frontend")
    upstreams = _upstreams(container)
    for host, _ in upstreams.values():
        try:
            resolve(container, host)
        except Unreachable:
            container.fail(f'nginx: [emerg] host not found in upstream "{host}"')
    serve(
        container,
        int(container.environment.get("PORT") or 8080),
        lambda request: _logged(container, request, _answer(container, upstreams, request)),
    )
    container.forever()


def _upstreams(container: Container) -> dict[str, tuple[str, int]]:
    # From the mounted configuration if there is one; else from the variables the chart gives every workload.
    file = container.path(CONFIGURATION)
    if file.is_file():
        return {name: (host, int(port)) for name, host, port in _UPSTREAM.findall(file.read_text(encoding="utf-8"))}
    given = {name: urlsplit(container.environment.get(variable, "")) for name, variable in ENDPOINTS.items()}
    return {name: (str(url.hostname), url.port or 80) for name, url in given.items() if url.hostname}


def route(path: str) -> tuple[str, str]:
    """Which upstream answers a public path, and as which path; the upstream is empty for the single-page app."""
    if _PLATFORM.match(path):
        return "platform-backend", re.sub(r"^/api(/v1)?(?=/)", "", path) if not path.startswith("/api/v2") else path
    if path.startswith("/api/v1/playground/"):
        return "playground", path.removeprefix("/api/v1/playground")
    if path.startswith("/api/v1/") or path in {"/api/docs", "/api/redoc", "/api/openapi.json"}:
        return "backend", path
    if path.startswith("/api/"):
        return "backend", f"/api/v1/{path.removeprefix('/api/')}"
    return "", path


def _logged(container: Container, request: Request, reply: Reply) -> Reply:
    """Log a request, of a probe or of a person, as ``access_log`` does without any other setting."""
    container.write(access.combined(request, reply))
    return reply


def _answer(container: Container, upstreams: Mapping[str, tuple[str, int]], request: Request) -> Reply:
    path, _, query = request.path.partition("?")
    if path == "/health":
        return Reply(200, headers=HEADERS)
    if path == "/nginx_status":
        return Reply(403, "", headers=HEADERS)
    if len(request.body) > REQUEST_LIMIT:
        return _page(413, "Request Entity Too Large")
    upstream, inner = route(path)
    if not upstream:
        return Reply(200, APPLICATION, "text/html", HEADERS)
    host, port = upstreams.get(upstream, ("", 0))
    return _passed_on(container, request, host, port, inner + (f"?{query}" if query else ""))


def _passed_on(container: Container, request: Request, host: str, port: int, path: str) -> Reply:
    try:
        to = connect(container, host, port)
        connection = http.client.HTTPConnection(to.address, to.port, timeout=300 / container.speed)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP - {"content-type"}}
        connection.request(request.method, path, request.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
    except (Unreachable, OSError, http.client.HTTPException) as error:
        timed_out = isinstance(error, TimeoutError) or (isinstance(error, Unreachable) and error.outcome == TIMED_OUT)
        said = "upstream timed out" if timed_out else "connect() failed (111: Connection refused)"
        container.say("ERROR", f'[error] {said} while connecting to upstream, upstream: "http://{host}:{port}"')
        return _page(504, "Gateway Time-out") if timed_out else _page(502, "Bad Gateway")
    kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP}
    return Reply(
        answer.status, body, answer.getheader("Content-Type") or "application/octet-stream", {**kept, **HEADERS}
    )


def _page(status: int, words: str) -> Reply:
    return Reply(
        status,
        f"<html><head><title>{status} {words}</title></head></html>\n",
        "text/html",
        HEADERS,
    )
