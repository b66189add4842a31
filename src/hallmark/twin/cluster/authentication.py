"""Who asks: the administrator's token, tokens of service accounts, and whoever a webhook knows.

The webhook is how EKS authenticates IAM principals: it is asked with a TokenReview about tokens that are not the
server's own (Kubernetes documentation, "Authenticating", section "Webhook Token Authentication").
"""

import time
from collections.abc import Sequence
from typing import Any

import aiohttp

from hallmark.twin.cluster.calls import User
from hallmark.twin.cluster.store import Store
from hallmark.twin.cluster.tokens import Tokens

ADMINISTRATOR = User("kubernetes-admin", groups=("system:masters", "system:authenticated"))
REMEMBERED_SECONDS = 10.0
"""How long the webhook's word counts; what it does not know it is asked again at once."""
WEBHOOK_SECONDS = 10.0

Json = dict[str, Any]


class Authenticator:
    """Turns tokens into users.

    Args:
        admin_token: The administrator's.
        tokens: Verifies those of service accounts.
        store: Tells whether a service account still exists.
        webhook: URL that is asked about other tokens; empty for none.
    """

    def __init__(self, admin_token: str, tokens: Tokens, store: Store, webhook: str = "") -> None:
        self._admin_token = admin_token
        self._tokens = tokens
        self._store = store
        self._webhook = webhook
        self._remembered: dict[str, tuple[float, User]] = {}

    async def user(self, token: str, audiences: Sequence[str] = ()) -> User | None:
        """Whose token it is, None if nobody's.

        Args:
            token: A bearer token.
            audiences: Whom it has to be meant for; by default the API server.
        """
        if not token:
            return None
        if token == self._admin_token:
            return ADMINISTRATOR
        return self._service_account(token, audiences) or await self._ask(token)

    def _service_account(self, token: str, audiences: Sequence[str]) -> User | None:
        claims = self._tokens.verify(token)
        if claims is None or not set(claims["aud"]) & set(audiences or [self._tokens.issuer]):
            return None
        about = claims["kubernetes.io"]
        namespace, account = about["namespace"], about["serviceaccount"]
        entry = self._store.get("serviceaccounts", namespace, account["name"])
        if entry is None or entry.object["metadata"]["uid"] != account["uid"] or not self._is_bound(namespace, about):
            return None
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return User(claims["sub"], account["uid"], groups, _extra(claims))

    def _is_bound(self, namespace: str, about: Json) -> bool:
        # A token of a pod ends with the pod.
        pod = about.get("pod")
        if pod is None:
            return True
        entry = self._store.get("pods", namespace, pod["name"])
        return entry is not None and entry.object["metadata"]["uid"] == pod["uid"]

    async def _ask(self, token: str) -> User | None:
        if not self._webhook:
            return None
        known = self._remembered.get(token)
        if known and known[0] > time.monotonic():
            return known[1]
        user = await self._review(token)
        self._remembered = {one: kept for one, kept in self._remembered.items() if kept[0] > time.monotonic()}
        if user:
            self._remembered[token] = time.monotonic() + REMEMBERED_SECONDS, user
        return user

    async def _review(self, token: str) -> User | None:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        timeout = aiohttp.ClientTimeout(total=WEBHOOK_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self._webhook, json=review, ssl=False) as answer,
            ):
                status = (await answer.json(content_type=None)).get("status", {})
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None
        if not status.get("authenticated"):
            return None
        about = status.get("user", {})
        groups = tuple(dict.fromkeys((*about.get("groups", ()), "system:authenticated")))
        return User(about.get("username", ""), about.get("uid", ""), groups, about.get("extra", {}))


def _extra(claims: Json) -> dict[str, list[str]]:
    # Kubernetes documentation, "Managing Service Accounts", section "Additional metadata in pod bound tokens".
    extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
    for kind in ("pod", "node"):
        for key in ("name", "uid"):
            if value := claims["kubernetes.io"].get(kind, {}).get(key):
                extra[f"authentication.kubernetes.io/{kind}-{key}"] = [value]
    return extra
