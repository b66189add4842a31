"""The client against a small server: refusals have types, watches survive large objects, a kubeconfig is read."""

import asyncio
import base64
import json
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme
import yaml
from aiohttp import web

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.client import Api, ApiError, Conflict, Gone, NotFound
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import PODS

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "namespace": "n", "uid": "1", "resourceVersion": "7"},
}


def ask(handler: Handler, question: Callable[[Api], Awaitable[T]]) -> T:
    """Put a question to a server that has one handler."""

    async def main() -> T:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            async with Api(Access(f"http://127.0.0.1:{port}", ssl.create_default_context(), "token"), "tests") as api:
                return await question(api)
        finally:
            await runner.cleanup()

    return asyncio.run(main())


def answer(code: int, body: Any) -> Handler:
    """A handler that always answers the same."""

    async def handler(_: web.Request) -> web.Response:
        return web.json_response(body, status=code)

    return handler


def refusal(code: int, reason: str) -> dict[str, Any]:
    """A Status of the API."""
    return {"kind": "Status", "status": "Failure", "reason": reason, "message": f"{reason}!", "code": code}


@pytest.mark.parametrize(
    ("code", "reason", "type_"),
    [(403, "Forbidden", ApiError), (404, "NotFound", NotFound), (409, "Conflict", Conflict), (410, "Expired", Gone)],
)
def test_a_refusal_has_its_type(code: int, reason: str, type_: type[ApiError]) -> None:
    """Code, reason and message come from the API."""
    with pytest.raises(type_) as caught:
        ask(answer(code, refusal(code, reason)), lambda api: api.create(PODS, POD))

    assert type(caught.value) is type_
    assert (caught.value.code, caught.value.reason, caught.value.message) == (code, reason, f"{reason}!")


def test_what_is_not_there_is_none_and_deleted() -> None:
    """Looking for it is no error, and neither is deleting it."""
    gone = answer(404, refusal(404, "NotFound"))

    assert ask(gone, lambda api: api.get(PODS, "a", "n")) is None
    assert ask(gone, lambda api: api.delete(PODS, POD)) == {}


def test_an_api_that_does_not_answer_is_a_fault() -> None:
    """A closed port is the surroundings' fault, not a refusal."""

    async def main() -> None:
        async with Api(Access("http://127.0.0.1:1", ssl.create_default_context(), ""), "tests") as api:
            await api.get(PODS, "a", "n")

    with pytest.raises(EnvironmentFault, match="The Kubernetes API does not answer"):
        asyncio.run(main())


def test_writes_name_their_manager_and_deletes_their_object() -> None:
    """The field manager is in the query, the token in a header, the uid among the preconditions."""
    seen: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.path_qs, request.headers["Authorization"], await request.json()))
        return web.json_response(POD)

    async def question(api: Api) -> None:
        await api.patch(PODS, POD, {"status": {}}, "status")
        await api.delete(PODS, POD, gracePeriodSeconds=0)

    ask(handler, question)
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "1"}, "gracePeriodSeconds": 0}
    assert seen == [
        ("PATCH", "/api/v1/namespaces/n/pods/a/status?fieldManager=tests", "Bearer token", {"status": {}}),
        ("DELETE", "/api/v1/namespaces/n/pods/a", "Bearer token", options),
    ]


def test_a_watch_survives_large_objects_and_ends_with_an_error() -> None:
    """An object of 300 kB is one event; an ERROR event is raised as what it is."""
    large = {**POD, "data": "x" * 300_000}
    events = [{"type": "ADDED", "object": large}, {"type": "ERROR", "object": refusal(410, "Expired")}]

    async def handler(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        for event in events:
            await stream.write(json.dumps(event).encode() + b"\n")
        return stream

    async def question(api: Api) -> list[tuple[str, Any]]:
        seen: list[tuple[str, Any]] = []
        try:
            async for event in api.watch(PODS, "1"):
                seen.append(event)  # noqa: PERF401  (the error that ends the loop would lose a comprehension's list)
        except Gone:
            seen.append(("Gone", None))
        return seen

    assert ask(handler, question) == [("ADDED", large), ("Gone", None)]


def test_the_same_event_again_only_counts_up() -> None:
    """The second time it is patched; another message is another event; a refusal is swallowed."""
    seen: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        sent = await request.json()
        if sent.get("message") == "no":
            return web.json_response(refusal(403, "Forbidden"), status=403)
        seen.append((request.method, sent.get("message"), sent["count"]))
        return web.json_response({"metadata": {"name": "e", "namespace": "n"}, **sent})

    async def question(api: Api) -> None:
        recorder = Recorder(api, "tests")
        for message in ("one", "one", "two", "no"):
            await recorder.warning(POD, "Failed", message)

    ask(handler, question)
    assert seen == [("POST", "one", 1), ("PATCH", None, 2), ("POST", "two", 1)]


def test_a_kubeconfig_is_read(tmp_path: Path) -> None:
    """Server, token and certificate of the current context; a file that is none says what to do."""
    config = {
        "current-context": "twin",
        "contexts": [{"name": "twin", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443/", "insecure-skip-tls-verify": True}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    access = Access.read(file)
    assert (access.server, access.token, access.tls.verify_mode) == ("https://127.0.0.1:6443", "t", ssl.CERT_NONE)

    issued = trustme.CA().issue_cert("somebody")
    pem = {"client-certificate": issued.cert_chain_pems[0].bytes(), "client-key": issued.private_key_pem.bytes()}
    for name, content in pem.items():
        (tmp_path / f"{name}.pem").write_bytes(content)
    by_file: dict[str, Any] = {name: f"{name}.pem" for name in pem}
    by_value: dict[str, Any] = {f"{name}-data": base64.b64encode(content).decode() for name, content in pem.items()}
    for user in (by_file, by_value):
        file.write_text(yaml.safe_dump(config | {"users": [{"name": "u", "user": user}]}))
        assert Access.read(file).token == ""

    broken = by_value | {"client-key-data": by_value["client-certificate-data"]}
    file.write_text(yaml.safe_dump(config | {"users": [{"name": "u", "user": broken}]}))
    with pytest.raises(UsageError, match="is not a kubeconfig"):
        Access.read(file)
    file.write_text("nonsense")
    with pytest.raises(UsageError, match="is not a kubeconfig"):
        Access.read(file)
    with pytest.raises(UsageError, match="cannot read"):
        Access.read(tmp_path / "missing")
