"""The HTTP side: routes in both of their forms, callers, errors; handlers run in threads.

A body hides what went wrong inside, as the product's do; the log has the store's own words.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hallmark.twin.platform.calls import Answer, Call, Caller, Endpoint, Refusal
from hallmark.twin.platform.pool import NotHere
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith.stores import Trouble

THREADS = 16
PREFIXES = ("", "/api/v1")
"""The frontend takes the prefix off for one backend and leaves it for the other."""
HIDDEN = "Internal server error"


class Application:
    """Answers HTTP.

    Args:
        container: Where it logs.
        admit: Says who calls, or refuses.
    """

    def __init__(self, container: Container, admit: Callable[[Call], Caller]) -> None:
        self._container = container
        self._admit = admit
        self._threads = ThreadPoolExecutor(THREADS, "call")

    def starlette(self, endpoints: Sequence[Endpoint], probe: str, probed: Callable[[], tuple[int, Any]]) -> Starlette:
        """The application with its endpoints and its probe, which needs no thread and no store."""

        async def health(_: Request) -> Response:
            status, content = probed()
            return _response(Answer(content, status))

        routes = [Route(prefix + probe, health) for prefix in PREFIXES]
        for each in endpoints:
            routes += [
                Route(prefix + each.path, self._handler(each), methods=[each.method])
                for prefix in PREFIXES
                if not (prefix and each.path.startswith("/api/"))
            ]
        return Starlette(routes=routes, exception_handlers={404: _status, 405: _status})

    def _handler(self, endpoint: Endpoint) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            try:
                body = await request.body()
            except ClientDisconnect:
                return Response(status_code=499)
            query = {name: request.query_params.getlist(name) for name in request.query_params}
            call = Call(request.path_params, query, dict(request.headers.items()), body)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._answer, endpoint, call)

        return handle

    def _answer(self, endpoint: Endpoint, call: Call) -> Response:
        where = f"{endpoint.method} {endpoint.path}"
        try:
            if not endpoint.public:
                call = replace(call, caller=self._admit(call))
            return _response(endpoint.answer(call))
        except Refusal as refusal:
            if refusal.status >= 500:  # noqa: PLR2004  (HTTP)
                return self._failed(where, refusal.status, refusal.detail, refusal.detail)
            return _response(Answer({"detail": refusal.detail}, refusal.status))
        except NotHere as trouble:
            return self._failed(where, 503, "Service unavailable", str(trouble))
        except Trouble as trouble:
            return self._failed(where, 500, HIDDEN, str(trouble))
        except Exception as error:  # noqa: BLE001  (the last place where a call can be answered)
            return self._failed(where, 500, HIDDEN, type(error).__name__)  # a message could hold a part of the call

    def _failed(self, where: str, status: int, detail: str, cause: str) -> Response:
        self._container.say("ERROR", f"{where} {status}: {cause}")
        return _response(Answer({"detail": detail}, status))


async def _status(_: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    return _response(Answer({"detail": {404: "Not Found", 405: "Method Not Allowed"}.get(status, HIDDEN)}, status))


def _response(answer: Answer) -> Response:
    if isinstance(answer.content, str):
        return Response(answer.content, answer.status, media_type="text/plain")
    return Response(orjson.dumps(answer.content, default=str), answer.status, media_type="application/json")
