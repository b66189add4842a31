"""An asynchronous client of the Kubernetes API: JSON in, JSON out, each refusal with its own type.

Controllers and the kubelet are plain clients: they work the same on the twin's own API and on any other.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self

import aiohttp

from hallmark.errors import EnvironmentFault
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.kinds import Kind, Object, key_of

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
GOODBYE = 0.1
"""Seconds that connections have to close."""
_CONNECTIONS = 64


class ApiError(Exception):
    """The API refused a call.

    Attributes:
        code: HTTP status.
        reason: Kubernetes' own word for it, for example ``Invalid``.
    """

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message


class NotFound(ApiError):
    """There is no such object (404)."""


class Conflict(ApiError):
    """The object was changed by somebody else, or exists already (409)."""


class Gone(ApiError):
    """The resourceVersion is too old; list again (410)."""


_TYPES: Mapping[int, type[ApiError]] = {404: NotFound, 409: Conflict, 410: Gone}


class Api:
    """One connection pool to one cluster.

    Args:
        access: How the cluster is reached.
        manager: The field manager of every write, see server-side apply in the Kubernetes documentation.
    """

    def __init__(self, access: Access, manager: str) -> None:
        self._access = access
        self._manager = manager
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pool."""
        headers = {"User-Agent": self._manager}
        if self._access.token:
            headers["Authorization"] = f"Bearer {self._access.token}"
        connector = aiohttp.TCPConnector(ssl=self._access.tls, limit=_CONNECTIONS)
        self._session = aiohttp.ClientSession(self._access.server, connector=connector, headers=headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        if self._session:
            await self._session.close()
            # Calls that were cancelled still say goodbye; source: "Graceful Shutdown" in aiohttp's documentation.
            await asyncio.sleep(GOODBYE)

    async def get(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        """Return one object, or None if there is none."""
        try:
            return await self.call("GET", kind.path(namespace, name))
        except NotFound:
            return None

    async def list(self, kind: Kind, namespace: str = "", **selectors: str) -> tuple[list[Object], str]:
        """Return the objects of a kind and the resourceVersion of the list.

        Args:
            kind: What to list.
            namespace: Empty for all.
            **selectors: ``labelSelector``, ``fieldSelector``.
        """
        answer = await self.call("GET", kind.path(namespace), query=selectors)
        whose = {"apiVersion": kind.api_version, "kind": kind.kind}
        return [whose | item for item in answer["items"]], answer["metadata"]["resourceVersion"]

    async def create(self, kind: Kind, thing: Mapping[str, Any]) -> Object:
        """Create an object in the namespace its metadata names."""
        body = {"apiVersion": kind.api_version, "kind": kind.kind, **thing}
        return await self.call("POST", kind.path(thing["metadata"].get("namespace", "")), body, self._by())

    async def update(self, kind: Kind, thing: Mapping[str, Any], subresource: str = "") -> Object:
        """Replace an object, or its ``status``; a stale resourceVersion is a :class:`Conflict`."""
        namespace, name = key_of(thing)
        return await self.call("PUT", kind.path(namespace, name, subresource), thing, self._by())

    async def patch(
        self, kind: Kind, of: Mapping[str, Any], patch: Any, subresource: str = "", content_type: str = MERGE
    ) -> Object:
        """Patch the object that *of* names.

        Args:
            kind: Its kind.
            of: An object; only its name and namespace count.
            patch: The change.
            subresource: For example ``status``.
            content_type: Kind of patch: :data:`MERGE`, :data:`STRATEGIC`, :data:`APPLY` (forced).
        """
        namespace, name = key_of(of)
        query = self._by() | ({"force": "true"} if content_type == APPLY else {})
        return await self.call("PATCH", kind.path(namespace, name, subresource), patch, query, content_type)

    async def delete(self, kind: Kind, thing: Mapping[str, Any], **options: Any) -> Object:
        """Delete this very object (by uid); one that is gone already counts as deleted.

        Args:
            kind: Its kind.
            thing: The object.
            **options: DeleteOptions: ``gracePeriodSeconds``, ``propagationPolicy``.
        """
        namespace, name = key_of(thing)
        uid = thing["metadata"].get("uid")
        preconditions = {"preconditions": {"uid": uid}} if uid else {}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **preconditions, **options}
        try:
            return await self.call("DELETE", kind.path(namespace, name), body)
        except NotFound:
            return {}

    async def watch(self, kind: Kind, version: str, **selectors: str) -> AsyncIterator[tuple[str, Object]]:
        """Yield changes after *version*: ``ADDED``, ``MODIFIED``, ``DELETED``, ``BOOKMARK``, and the object.

        Raises:
            Gone: The version is too old.
        """
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version, **selectors}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        async with self._open.get(kind.path(), params=query, timeout=timeout) as answer:
            if answer.status != 200:  # noqa: PLR2004  (HTTP)
                raise _error(answer.status, await answer.read())
            try:
                async for line in _lines(answer.content):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise _error(event["object"].get("code", 500), json.dumps(event["object"]).encode())
                    yield event["type"], event["object"]
            finally:
                _hang_up(answer)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """Make one call and return its JSON answer.

        Raises:
            ApiError: The API refused.
            EnvironmentFault: It does not answer.
        """
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Content-Type": content_type} if data is not None else {}
        try:
            async with self._open.request(method, path, data=data, params=query, headers=headers) as answer:
                content = await answer.read()
                if answer.status >= 400:  # noqa: PLR2004  (HTTP)
                    raise _error(answer.status, content)
                found: Object = json.loads(content)
                return found
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EnvironmentFault(f"The Kubernetes API does not answer: {error}.", "hallmark twin up") from error

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use `async with Api(...)`")
        return self._session

    def _by(self) -> dict[str, str]:
        return {"fieldManager": self._manager}


def _hang_up(answer: aiohttp.ClientResponse) -> None:
    # A watch that is left in the middle must not wait for TLS to say goodbye: the loop may end before the server does.
    if answer.connection and answer.connection.transport:
        answer.connection.transport.abort()


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    # The stream's own line reader refuses lines above 64 KiB; objects may be larger.
    rest = b""
    async for chunk in stream.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line


def _error(code: int, content: bytes) -> ApiError:
    try:
        status = json.loads(content)
        reason, message = str(status.get("reason", "")), str(status.get("message", ""))
    except (ValueError, AttributeError):
        reason, message = "", content.decode("utf-8", "replace")[:200]
    return _TYPES.get(code, ApiError)(code, reason, message)
