"""The switchboard over HTTP, among the routes of :mod:`hallmark.twin.kubelet.server`.

``GET /network`` reports; ``PUT /network/{name}`` sets ``latency`` (milliseconds), ``bandwidth`` (bytes a second) and
``black_hole``, all of them anew; ``DELETE /network/{name}`` clears; ``POST /network/{name}/cut`` cuts.
"""

from typing import Any

from aiohttp import web

from hallmark.twin.kubelet.carrying import Shaping
from hallmark.twin.kubelet.switchboard import Switchboard

LATENCY, BANDWIDTH = range(60_001), range(10**10)
"""Milliseconds, and bytes a second, that make sense."""


def add_routes(router: web.UrlDispatcher, board: Switchboard) -> None:
    """Add the routes of a switchboard."""

    async def report(_: web.Request) -> web.Response:
        return web.json_response(board.report())

    async def shape(request: web.Request) -> web.Response:
        name = _name(request, board)
        board.shape(name, read(await _json(request)))
        return web.json_response(board.report()[name])

    async def clear(request: web.Request) -> web.Response:
        name = _name(request, board)
        board.clear(name)
        return web.json_response(board.report().get(name, {}))

    async def cut(request: web.Request) -> web.Response:
        name = _name(request, board)
        board.cut(name)
        return web.json_response(board.report()[name])

    router.add_get("/network", report)
    router.add_put("/network/{name}", shape)
    router.add_delete("/network/{name}", clear)
    router.add_post("/network/{name}/cut", cut)


def read(told: Any) -> Shaping:
    """Read what is to be set.

    Raises:
        aiohttp.web.HTTPBadRequest: It makes no sense.
    """
    if not isinstance(told, dict) or told.keys() - {"latency", "bandwidth", "black_hole"}:
        raise web.HTTPBadRequest(text="expected: an object with latency, bandwidth, black_hole")
    latency, bandwidth, black_hole = told.get("latency", 0), told.get("bandwidth", 0), told.get("black_hole", False)
    if type(latency) is not int or latency not in LATENCY:
        raise web.HTTPBadRequest(text=f"latency: milliseconds, at most {LATENCY[-1]}")
    if type(bandwidth) is not int or bandwidth not in BANDWIDTH:
        raise web.HTTPBadRequest(text="bandwidth: bytes a second, 0 for no limit")
    if type(black_hole) is not bool:
        raise web.HTTPBadRequest(text="black_hole: true or false")
    return Shaping(latency, bandwidth, black_hole)


def _name(request: web.Request, board: Switchboard) -> str:
    name = request.match_info["name"]
    if not board.knows(name):
        raise web.HTTPNotFound(text=f"nothing is known by the name {name}")
    return name


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text="expected: JSON") from None
