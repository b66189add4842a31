"""Mutating webhooks: who is asked about what, and what becomes of the answer."""

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from hallmark.twin.cluster.client import Client

Json = dict[str, Any]

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


class Hook(ThreadingHTTPServer):
    """A webhook with TLS that answers as told and remembers what it was asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        authority = trustme.CA()
        certificate, key = folder / "hook.crt", folder / "hook.pem"
        self.bundle = base64.b64encode(authority.cert_pem.bytes()).decode()
        certificate.write_bytes(authority.cert_pem.bytes())
        key.write_bytes(authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.response: Json = {"allowed": True}
        self.asked: list[Json] = []


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook: Any = self.server
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        hook.asked.append(review["request"])
        body = json.dumps({"response": {"uid": review["request"]["uid"], **hook.response}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[Hook]:
    """A webhook that allows everything."""
    one = Hook(tmp_path)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture
def configure(client: Client, hook: Hook, namespace: str) -> Iterator[Callable[..., None]]:
    """Has the webhook asked about new pods of the test's namespace."""

    def register(**more: Any) -> None:
        rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
        webhook = {
            "name": "hook.example.com",
            "clientConfig": {"url": f"https://127.0.0.1:{hook.server_port}/mutate", "caBundle": hook.bundle},
            "rules": [rule],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            **more,
        }
        answer = client.post(CONFIGURATIONS, {"metadata": {"name": namespace}, "webhooks": [webhook]})
        assert answer.code == 201, answer.body

    yield register
    client.delete(f"{CONFIGURATIONS}/{namespace}")


def _patch(*operations: Json) -> Json:
    return {
        "allowed": True,
        "patchType": "JSONPatch",
        "patch": base64.b64encode(json.dumps(operations).encode()).decode(),
    }


def test_a_webhook_completes_a_pod(
    client: Client, core: str, hook: Hook, configure: Callable[..., None], pod: Callable[..., Json]
) -> None:
    """What it adds is stored, with the defaults that belong to it."""
    configure()
    hook.response = _patch(
        {"op": "add", "path": "/spec/volumes/-", "value": {"name": "extra", "secret": {"secretName": "s"}}}
    )

    volumes = client.post(f"{core}/pods", pod("a")).body["spec"]["volumes"]

    assert volumes[-1] == {"name": "extra", "secret": {"secretName": "s", "defaultMode": 420}}
    request = hook.asked[0]
    assert (request["operation"], request["resource"]["resource"], request["kind"]["kind"]) == ("CREATE", "pods", "Pod")
    assert request["object"]["spec"]["serviceAccountName"] == "default"
    assert request["userInfo"]["username"] == "kubernetes-admin"


def test_a_webhook_is_asked_about_what_it_wants_only(
    client: Client, core: str, hook: Hook, configure: Callable[..., None], pod: Callable[..., Json]
) -> None:
    """Its rules, and both selectors."""
    configure(objectSelector={"matchLabels": {"mutate": "yes"}})
    wanted = pod("wanted")
    wanted["metadata"]["labels"] = {"mutate": "yes"}

    client.post(f"{core}/pods", pod("plain"))
    client.post(f"{core}/configmaps", {"metadata": {"name": "c", "labels": {"mutate": "yes"}}})
    client.post("/api/v1/namespaces/default/pods?dryRun=All", wanted)
    client.post(f"{core}/pods", wanted)

    assert [one["name"] for one in hook.asked] == ["wanted"]


def test_a_webhook_can_deny(
    client: Client, core: str, hook: Hook, configure: Callable[..., None], pod: Callable[..., Json]
) -> None:
    """Its words reach the client."""
    configure()
    hook.response = {"allowed": False, "status": {"message": "not today", "code": 403}}

    answer = client.post(f"{core}/pods", pod("a"))

    assert answer.code == 403
    assert answer.body["message"] == 'admission webhook "hook.example.com" denied the request: not today'


def test_a_webhook_that_is_not_there_refuses(
    client: Client, core: str, configure: Callable[..., None], pod: Callable[..., Json]
) -> None:
    """Unless its failures are to be ignored."""
    configure(clientConfig={"url": "https://127.0.0.1:9/mutate"})

    answer = client.post(f"{core}/pods", pod("a"))

    assert answer.code == 500
    assert answer.body["message"].startswith(
        'Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: '
        'Post "https://127.0.0.1:9/mutate?timeout=10s": '
    )


def test_a_webhook_may_fail_quietly(
    client: Client, core: str, configure: Callable[..., None], pod: Callable[..., Json]
) -> None:
    """With the failure policy Ignore."""
    configure(clientConfig={"url": "https://127.0.0.1:9/mutate"}, failurePolicy="Ignore")

    assert client.post(f"{core}/pods", pod("a")).code == 201


def test_a_stranger_as_webhook_is_not_trusted(
    client: Client, core: str, hook: Hook, configure: Callable[..., None], pod: Callable[..., Json]
) -> None:
    """Only the authority that the configuration names."""
    configure(clientConfig={"url": f"https://127.0.0.1:{hook.server_port}/mutate"})

    assert client.post(f"{core}/pods", pod("a")).code == 500
    assert hook.asked == []
