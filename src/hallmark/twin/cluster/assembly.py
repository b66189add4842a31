"""One cluster, put together from its parts."""

import asyncio
from pathlib import Path

from aiohttp import web

from hallmark.twin.cluster import bootstrap, crds
from hallmark.twin.cluster.admission import Webhooks
from hallmark.twin.cluster.authentication import Authenticator
from hallmark.twin.cluster.bootstrap import Bootstrap
from hallmark.twin.cluster.certificates import admin_token
from hallmark.twin.cluster.changes import Event
from hallmark.twin.cluster.connections import Connections
from hallmark.twin.cluster.deletion import Deleter
from hallmark.twin.cluster.discovery import Discovery
from hallmark.twin.cluster.expiry import expire
from hallmark.twin.cluster.garbage import GarbageCollector
from hallmark.twin.cluster.kubelets import Kubelets
from hallmark.twin.cluster.lifecycle import Terminations
from hallmark.twin.cluster.owners import Owners
from hallmark.twin.cluster.persistence import Persistence
from hallmark.twin.cluster.registry import METRICS, VOLATILE, Registry
from hallmark.twin.cluster.routes import Routes
from hallmark.twin.cluster.store import Store
from hallmark.twin.cluster.strategies import Strategies
from hallmark.twin.cluster.subresources import Actions
from hallmark.twin.cluster.tokens import DEFAULT_ISSUER, Tokens
from hallmark.twin.cluster.verbs import Verbs
from hallmark.twin.cluster.writing import Writer

FILE = "objects.sqlite"


class Cluster:
    """The API of one cluster.

    Args:
        state: The state folder, with ``ca.crt``.
        port: Port of the server on 127.0.0.1.
        kubelet_address: Address of all kubelets in place of their nodes' own; empty for none.
        authentication_webhook: URL that is asked about unknown tokens; empty for none.
        issuer: URL in tokens of service accounts.
    """

    def __init__(
        self,
        state: Path,
        port: int,
        *,
        kubelet_address: str = "",
        authentication_webhook: str = "",
        issuer: str = DEFAULT_ISSUER,
    ) -> None:
        token = admin_token(state)
        self._store = store = Store(Persistence(state / FILE), VOLATILE)
        self._registry = registry = Registry()
        for entry in store.all(crds.STORAGE):
            crds.serve(registry, entry.object)
        tokens = Tokens(state, issuer)
        authenticator = Authenticator(token, tokens, store, authentication_webhook)
        writer = Writer(store, Strategies(store), Webhooks(store))
        deleter = Deleter(store)
        verbs = Verbs(store, writer, deleter, authenticator)
        self._kubelets = Kubelets(store, token, kubelet_address)
        actions = Actions(store, writer, deleter, tokens)
        connections = Connections(store, verbs, writer, actions, self._kubelets)
        self._routes = Routes(
            registry=registry,
            discovery=Discovery(registry),
            authenticator=authenticator,
            tokens=tokens,
            store=store,
            verbs=verbs,
            connections=connections,
        )
        self._garbage = GarbageCollector(registry, Owners(store), deleter, writer)
        self._terminations = Terminations(store, registry, deleter, writer)
        self._bootstrap = Bootstrap(store, registry, (state / "ca.crt").read_text(), port)
        store.observers += [self._follow, self._garbage.follow, self._terminations.follow]
        self._bootstrap.furnish()
        self._announce_metrics()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        return await self._routes.handle(request)

    def start(self) -> list[asyncio.Task[None]]:
        """Start what works beside the requests."""
        working = (self._garbage.work.run(), self._terminations.work.run(), expire(self._store))
        return [asyncio.create_task(each) for each in working]

    def end_watches(self) -> None:
        """Let all watchers go."""
        self._store.end_watches()

    async def close(self) -> None:
        """Close files and connections."""
        await self._kubelets.close()
        self._store.close()

    def _follow(self, event: Event) -> None:
        if event.storage == crds.STORAGE:
            crds.follow(self._registry, event)
            self._bootstrap.register()
        elif event.storage == bootstrap.APISERVICES:
            self._announce_metrics()

    def _announce_metrics(self) -> None:
        self._registry.announce(METRICS, visible=bootstrap.metrics_available(self._store))
