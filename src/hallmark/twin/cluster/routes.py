"""From a path to what answers it."""

import logging
from collections.abc import Sequence

from aiohttp import web

from hallmark.twin.cluster import deletion, keeping, statuses
from hallmark.twin.cluster.authentication import Authenticator
from hallmark.twin.cluster.calls import Call, User
from hallmark.twin.cluster.connections import Connections
from hallmark.twin.cluster.discovery import VERSION, Discovery
from hallmark.twin.cluster.registry import Registry
from hallmark.twin.cluster.representations import answer
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store, encode
from hallmark.twin.cluster.tokens import Tokens
from hallmark.twin.cluster.verbs import Verbs

HEALTH = frozenset({"healthz", "livez", "readyz"})
OPEN = frozenset({*HEALTH, "version", "openid", ".well-known"})
"""First parts of paths that everybody may read."""
MASTERS = "system:masters"
METHODS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
DEPRECATED = {
    ("", "v1", "endpoints"): ("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",),
    ("", "v1", "componentstatuses"): ("v1 ComponentStatus is deprecated in v1.19+",),
}
"""What the real server warns of whenever it is asked for."""
OWN_PARTS = frozenset({"status", "finalize"})
"""Subresources of a namespace; all else below it is in it."""

LOG = logging.getLogger(__name__)


class Routes:
    """Answers every request.

    Args:
        registry: What is served.
        discovery: Tells it.
        authenticator: Knows who asks.
        tokens: Publishes the key of service accounts.
        store: All objects, for whoever keeps or restores them as one.
        verbs: Answers for objects.
        connections: Answers for parts of objects.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        discovery: Discovery,
        authenticator: Authenticator,
        tokens: Tokens,
        store: Store,
        verbs: Verbs,
        connections: Connections,
    ) -> None:
        self._registry = registry
        self._discovery = discovery
        self._authenticator = authenticator
        self._tokens = tokens
        self._store = store
        self._verbs = verbs
        self._connections = connections

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; what goes wrong is answered, too."""
        try:
            return await self._answer(request, request.path.strip("/").split("/"))
        except Refusal as refusal:
            return answer(encode(refusal.body()), refusal.code, headers=refusal.headers)
        except (ConnectionError, web.HTTPException):
            raise
        except Exception as error:
            LOG.exception("%s %s failed", request.method, request.path)
            body = Refusal(500, f"Internal error occurred: {type(error).__name__}: {error}").body()
            return answer(encode(body), 500)

    async def _answer(self, request: web.BaseRequest, path: Sequence[str]) -> web.StreamResponse:
        if path[0] in OPEN:
            return self._open(path)
        user = await self._user(request)
        match path:
            case ["api", version, first, *rest]:
                return await self._objects(self._call(request, user, ("", version), [first, *rest]))
            case ["apis", group, version, first, *rest]:
                return await self._objects(self._call(request, user, (group, version), [first, *rest]))
            case ["snapshot"] if MASTERS in user.groups:
                return await self._snapshot(request)
        return self._document(request, path)

    async def _snapshot(self, request: web.BaseRequest) -> web.Response:
        if request.method == "PUT":
            keeping.load(self._store, await request.content.read())  # request.read() has a limit of its own
        return answer(keeping.dump(self._store))

    def _document(self, request: web.BaseRequest, path: Sequence[str]) -> web.Response:
        match path:
            case [""]:
                return self._discovery.paths(request)
            case ["api"]:
                return self._discovery.legacy(request)
            case ["apis"]:
                return self._discovery.groups(request)
            case ["apis", group]:
                return self._discovery.group(request, group)
            case ["api" | "apis", *of]:
                return self._discovery.resources(request, *(of if len(of) > 1 else ("", *of)))
        return self._openapi(request, path)

    def _open(self, path: Sequence[str]) -> web.Response:
        match path:
            case [first, *_] if first in HEALTH:
                return web.Response(text="ok")
            case ["version"]:
                return answer(encode(VERSION))
            case ["openid", "v1", "jwks"]:
                return answer(encode(self._tokens.key_set()))
            case [".well-known", "openid-configuration"]:
                return answer(encode(self._tokens.configuration()))
        raise statuses.no_such_path()

    async def _user(self, request: web.BaseRequest) -> User:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        user = await self._authenticator.user(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise Refusal(401, "Unauthorized")
        return user

    def _openapi(self, request: web.BaseRequest, path: Sequence[str]) -> web.Response:
        match path:
            case ["openapi", "v2"]:
                return self._discovery.swagger(request)
            case ["openapi", "v3"]:
                return self._discovery.openapi_index(request)
            case ["openapi", "v3", "api", version]:
                return self._discovery.openapi_document(request, "", version)
            case ["openapi", "v3", "apis", group, version]:
                return self._discovery.openapi_document(request, group, version)
        raise statuses.no_such_path()

    async def _objects(self, call: Call) -> web.StreamResponse:
        if not call.name:
            _check_verb(call)
            return await self._verbs.collection(call)
        if not call.subresource:
            _check_verb(call)
            return await self._verbs.item(call)
        if call.subresource not in call.resource.subresources:
            raise statuses.no_such_path()
        if call.subresource == "status":
            return await self._verbs.status(call)
        return await self._connections.answer(call)

    def _call(self, request: web.BaseRequest, user: User, of: tuple[str, str], rest: Sequence[str]) -> Call:
        namespace, rest = _split(rest)
        plural, name, subresource = [*rest, "", ""][:3]
        resource = self._registry.find(*of, plural)
        in_place = resource is not None and (
            resource.namespaced == bool(namespace) or (resource.namespaced and not name and request.method == "GET")
        )
        if resource is None or not in_place:
            raise statuses.no_such_path()
        path = request.path.partition(f"/{name}/{subresource}/")[2]  # as it is: a slash at its end has a meaning
        call = Call(request, user, resource, namespace, name, subresource, path)
        call.warnings += DEPRECATED.get((*of, plural), ())
        return call


def _split(rest: Sequence[str]) -> tuple[str, Sequence[str]]:
    # namespaces/<name> and its own parts are the namespace; anything further is in it.
    if rest[0] != "namespaces" or len(rest) < 3:  # noqa: PLR2004 - namespaces, name, plural
        return "", rest
    if rest[2] in OWN_PARTS and len(rest) == 3:  # noqa: PLR2004 - the same
        return "", rest
    return rest[1], rest[2:]


def _check_verb(call: Call) -> None:
    method = call.request.method
    if method == "GET":
        verb = "watch" if call.flag("watch") else "get" if call.name else "list"
    elif method == "DELETE":
        verb = "delete" if call.name else "deletecollection"
    else:
        verb = METHODS.get(method, "get")
    if verb not in call.resource.verbs:
        raise deletion.refuse_method(call.resource)
