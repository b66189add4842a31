"""Mutating admission webhooks: somebody else may complete a new object before it is stored.

Kubernetes documentation, "Dynamic Admission Control". Called for CREATE, with ``clientConfig.url`` and ``caBundle``;
match conditions (CEL) are not evaluated, and no webhook is called a second time.
"""

import base64
import json
import ssl
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import aiohttp

from hallmark.twin.cluster import selectors
from hallmark.twin.cluster.calls import Call
from hallmark.twin.cluster.schema import patches
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store

STORAGE = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
DEFAULT_SECONDS = 10

Json = dict[str, Any]


class Unanswered(Exception):
    """The webhook gave no usable answer."""


@dataclass(frozen=True)
class Hook:
    """One webhook that wants to see an object.

    Attributes:
        name: Its name.
        url: Where it is called.
        authority: PEM of the authority that signed its certificate.
        seconds: How long it may take.
        must_answer: Whether its silence refuses the object.
    """

    name: str
    url: str
    authority: str
    seconds: int
    must_answer: bool


class Webhooks:
    """Calls the webhooks that are configured.

    Args:
        store: Where their configurations are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def mutate(self, call: Call, obj: Json) -> Json:
        """The object, as the webhooks want it.

        Raises:
            Refusal: One denies it, or one that must answer does not.
        """
        for hook in list(self._interested(call, obj)):
            try:
                obj = await _ask(hook, call, obj)
            except Unanswered as error:
                if hook.must_answer:
                    message = f'Internal error occurred: failed calling webhook "{hook.name}": {error}'
                    raise Refusal(500, message) from error
        return obj

    def _interested(self, call: Call, obj: Json) -> Iterable[Hook]:
        for entry in self._store.all(STORAGE):
            for webhook in entry.object.get("webhooks") or ():
                if _covers(webhook.get("rules") or (), call) and self._selects(webhook, call, obj):
                    client = webhook["clientConfig"]
                    yield Hook(
                        webhook["name"],
                        client.get("url", ""),
                        base64.b64decode(client.get("caBundle", "")).decode(),
                        webhook.get("timeoutSeconds", DEFAULT_SECONDS),
                        webhook.get("failurePolicy", "Fail") == "Fail",
                    )

    def _selects(self, webhook: Json, call: Call, obj: Json) -> bool:
        if not selectors.selects(webhook.get("objectSelector") or {}, obj["metadata"].get("labels") or {}):
            return False
        namespace = self._store.get("namespaces", "", call.namespace)
        labels = namespace.object["metadata"].get("labels", {}) if namespace else {}
        return not call.namespace or selectors.selects(webhook.get("namespaceSelector") or {}, labels)


def _covers(rules: Iterable[Mapping[str, Any]], call: Call) -> bool:
    resource = call.resource
    wanted = {
        "operations": "CREATE",
        "apiGroups": resource.group,
        "apiVersions": resource.version,
        "resources": resource.plural,
    }
    scope = "Namespaced" if resource.namespaced else "Cluster"
    return any(
        rule.get("scope", "*") in {"*", scope}
        and all({value, "*"} & set(rule.get(key) or ()) for key, value in wanted.items())
        for rule in rules
    )


async def _ask(hook: Hook, call: Call, obj: Json) -> Json:
    response = await _response(hook, _review(call, obj))
    call.warnings.extend(response.get("warnings") or ())
    if not response.get("allowed"):
        status = response.get("status") or {}
        why = status.get("message") or status.get("reason") or "without explanation"
        separator = ": " if status.get("message") or status.get("reason") else " "
        message = f'admission webhook "{hook.name}" denied the request{separator}{why}'
        raise Refusal(status.get("code") or 400, message, status.get("reason") or "")
    if not response.get("patch"):
        return obj
    try:
        operations = json.loads(base64.b64decode(response["patch"]))
        patched: Json = patches.json_patch(obj, operations)
    except (ValueError, patches.BadPatch) as error:
        raise Unanswered(str(error)) from error
    return patched


async def _response(hook: Hook, review: Json) -> Json:
    timeout = aiohttp.ClientTimeout(total=hook.seconds)
    secured = hook.url.startswith("https:")
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(hook.url, json=review, ssl=_context(hook.authority) if secured else True) as answer,
        ):
            response = (await answer.json(content_type=None))["response"]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
        why = str(error) or "context deadline exceeded"
        raise Unanswered(f'failed to call webhook: Post "{hook.url}?timeout={hook.seconds}s": {why}') from error
    return response if isinstance(response, dict) else {}


def _review(call: Call, obj: Json) -> Json:
    resource = call.resource
    request = {
        "uid": str(uuid.uuid4()),
        "kind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "resource": {"group": resource.group, "version": resource.version, "resource": resource.plural},
        "name": obj["metadata"].get("name", ""),
        "namespace": call.namespace,
        "operation": "CREATE",
        "userInfo": call.user.info(),
        "object": obj,
        "oldObject": None,
        "dryRun": call.dry_run,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


@lru_cache(maxsize=32)
def _context(authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority or None)
