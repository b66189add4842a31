"""The end-to-end test of the release: log in, make a key, send a trace, read it back, clean up."""

import base64
import http.client
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.dependencies import Unreachable, connect
from hallmark.twin.programs.langsmith.stores import Trouble
from hallmark.waiting import until

PATIENCE, LEAST, BETWEEN = 60.0, 20.0, 0.2
"""Seconds for the trace to become readable, those it gets in a faster twin, too, and those between two looks."""
PLATFORM, BACKEND = "GO_ENDPOINT", "SMITH_BACKEND_ENDPOINT"


def smoke(container: Container) -> None:
    """Send a trace and read it back; without basic auth nobody is there to do it as.

    Raises:
        Trouble: It does not work.
    """
    environment = container.environment
    if environment.get("BASIC_AUTH_ENABLED") != "true":
        container.say("INFO", "no basic auth: no trace is sent")
        return
    pair = f"{environment['INITIAL_ORG_ADMIN_EMAIL']}:{environment['INITIAL_ORG_ADMIN_PASSWORD']}"
    login = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    bearer = {"Authorization": f"Bearer {_login(container, login)}"}
    key = _call(container, BACKEND, "POST", "/api-key/current", bearer, {"description": "end-to-end test"})
    try:
        _trace(container, {"x-api-key": key["key"]})
    finally:
        _call(container, BACKEND, "DELETE", f"/api-key/current/{key['id']}", bearer)


def _login(container: Container, header: dict[str, str]) -> str:
    try:
        return str(_call(container, BACKEND, "POST", "/login", header)["access_token"])
    except Trouble as trouble:
        hint = " (an initial password changes nothing once its user exists)" if "401" in str(trouble) else ""
        raise Trouble(f"{trouble}{hint}") from None


def _trace(container: Container, key: dict[str, str]) -> None:
    identity, project = str(uuid4()), f"end-to-end-{uuid4()}"
    run: dict[str, Any] = {
        "id": identity,
        "trace_id": identity,
        "name": "end-to-end",
        "run_type": "chain",
        "session_name": project,
    }
    run["inputs"] = {"question": identity}
    _call(container, PLATFORM, "POST", "/runs", key, run)
    found = until(
        lambda: _call(container, BACKEND, "GET", f"/runs/{identity}", key, missing={}),
        max(LEAST, PATIENCE / container.speed),
        BETWEEN,
    )
    if found.get("inputs") != run["inputs"]:
        raise Trouble("the trace that was sent cannot be read")
    _call(container, BACKEND, "DELETE", f"/sessions/{found['session_id']}", key)


def _call(  # noqa: PLR0917  (one call)
    container: Container,
    variable: str,
    method: str,
    path: str,
    headers: dict[str, str],
    body: dict[str, Any] | None = None,
    missing: dict[str, Any] | None = None,
) -> dict[str, Any]:
    url = urlsplit(container.environment.get(variable, ""))
    where = path if variable == PLATFORM else f"/api/v1{path}"
    try:
        route = connect(container, str(url.hostname), url.port or 80)
        connection = http.client.HTTPConnection(route.address, route.port, timeout=30)
        try:
            connection.request(method, where, orjson.dumps(body or {}), {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
    except (Unreachable, OSError, http.client.HTTPException) as error:
        raise Trouble(f"{method} {path}: {error or type(error).__name__}") from None
    if answer.status == http.HTTPStatus.NOT_FOUND and missing is not None:
        return missing
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise Trouble(f"{method} {path}: HTTP {answer.status}")
    found: dict[str, Any] = orjson.loads(content)
    return found
