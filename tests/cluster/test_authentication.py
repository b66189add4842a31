"""Who asks: tokens of the administrator and of service accounts, and a webhook for all others."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.cluster.bench import Server, running
from hallmark.twin.cluster.client import Client
from hallmark.twin.cluster.tokens import Tokens

Json = dict[str, Any]

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@pytest.fixture
def as_bearer(server: Server) -> Iterator[Callable[[str], Client]]:
    """Makes clients with a token of their own."""
    made: list[Client] = []

    def client(token: str) -> Client:
        made.append(Client(f"https://127.0.0.1:{server.port}", token, server.context()))
        return made[-1]

    yield client
    for one in made:
        one.close()


def _claims(token: str) -> Json:
    payload = token.split(".")[1]
    claims: Json = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _token(client: Client, core: str, account: str = "default", **spec: Any) -> str:
    answer = client.post(f"{core}/serviceaccounts/{account}/token", {"spec": spec})
    assert answer.code == 201, answer.body
    return str(answer.body["status"]["token"])


@pytest.mark.parametrize("token", ["", "wrong", "a.b.c", "é"])
def test_a_stranger_gets_nothing(as_bearer: Callable[[str], Client], token: str) -> None:
    """Beyond health and version."""
    stranger = as_bearer(token.encode("unicode-escape").decode())

    answer = stranger.get("/api/v1/namespaces")

    assert (answer.code, answer.body["reason"], answer.body["message"]) == (401, "Unauthorized", "Unauthorized")
    assert stranger.get("/readyz").body == "ok"
    assert stranger.get("/version").body["gitVersion"] == "v1.35.2"
    assert stranger.get("/openid/v1/jwks").body["keys"][0]["alg"] == "RS256"


def test_the_administrator(client: Client) -> None:
    """May do everything."""
    review = client.post(WHOAMI, {}).body
    access = client.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {}}).body

    assert review["status"]["userInfo"] == {
        "username": "kubernetes-admin",
        "groups": ["system:masters", "system:authenticated"],
    }
    assert access["status"]["allowed"] is True


def test_a_service_account(client: Client, core: str, namespace: str, as_bearer: Callable[[str], Client]) -> None:
    """Is known by a token of its own, as long as it exists."""
    client.post(f"{core}/serviceaccounts", {"metadata": {"name": "robot"}})
    robot = as_bearer(_token(client, core, "robot"))

    user = robot.post(WHOAMI, {}).body["status"]["userInfo"]

    assert user["username"] == f"system:serviceaccount:{namespace}:robot"
    assert user["groups"] == ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    client.delete(f"{core}/serviceaccounts/robot")
    assert robot.post(WHOAMI, {}).code == 401


def test_a_token_for_others_is_not_for_the_server(
    client: Client, core: str, as_bearer: Callable[[str], Client]
) -> None:
    """It is for whom it names; a review can ask for that."""
    token = _token(client, core, audiences=["sts.amazonaws.com"])
    review = {"spec": {"token": token, "audiences": ["sts.amazonaws.com"]}}

    status = client.post("/apis/authentication.k8s.io/v1/tokenreviews", review).body["status"]

    assert as_bearer(token).get("/api/v1/namespaces").code == 401
    assert (status["authenticated"], status["audiences"]) == (True, ["sts.amazonaws.com"])
    unknown = client.post("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "x"}}).body["status"]
    assert "authenticated" not in unknown


def test_claims_are_those_of_kubernetes(client: Client, core: str, namespace: str, pod: Callable[..., Json]) -> None:
    """With the pod that the token is bound to."""
    stored = client.post(f"{core}/pods", pod("p")).body
    account = client.get(f"{core}/serviceaccounts/default").body
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": stored["metadata"]["uid"]}

    claims = _claims(_token(client, core, boundObjectRef=reference, audiences=["x"], expirationSeconds=3600))

    assert claims["sub"] == f"system:serviceaccount:{namespace}:default"
    assert (claims["aud"], claims["exp"] - claims["iat"]) == (["x"], 3600)
    assert claims["iss"] == "https://kubernetes.default.svc.cluster.local"
    assert claims["kubernetes.io"] == {
        "namespace": namespace,
        "pod": {"name": "p", "uid": stored["metadata"]["uid"]},
        "serviceaccount": {"name": "default", "uid": account["metadata"]["uid"]},
    }


def test_a_token_ends_with_its_pod(
    client: Client, core: str, pod: Callable[..., Json], as_bearer: Callable[[str], Client]
) -> None:
    """And is not given for another pod of the name."""
    client.post(f"{core}/pods", pod("p"))
    wrong = {"spec": {"boundObjectRef": {"kind": "Pod", "name": "p", "uid": "other"}}}
    bearer = as_bearer(_token(client, core, boundObjectRef={"kind": "Pod", "name": "p"}))
    assert bearer.get("/api/v1/namespaces").code == 200

    client.delete(f"{core}/pods/p")

    assert bearer.get("/api/v1/namespaces").code == 401
    client.post(f"{core}/pods", pod("p"))
    assert client.post(f"{core}/serviceaccounts/default/token", wrong).code == 409


def test_a_token_is_not_too_short_lived(client: Client, core: str) -> None:
    """Ten minutes at least."""
    answer = client.post(f"{core}/serviceaccounts/default/token", {"spec": {"expirationSeconds": 60}})

    assert answer.code == 422
    assert "may not specify a duration less than 10 minutes" in answer.body["message"]


def test_a_token_is_signed(tmp_path: Path) -> None:
    """Another key, another issuer or a changed claim make it worthless."""
    account = {"metadata": {"namespace": "a", "name": "b", "uid": "c"}}
    (tmp_path / "other").mkdir()
    tokens, others = Tokens(tmp_path, "https://one"), Tokens(tmp_path / "other", "https://one")

    token, expires = tokens.issue(account, [], 600, {})
    head, _, signature = token.split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**_claims(token), "sub": "root"}).encode()).rstrip(b"=").decode()

    verified = tokens.verify(token)
    assert verified is not None
    assert verified["exp"] == expires
    assert others.verify(token) is None
    assert Tokens(tmp_path, "https://two").verify(token) is None
    assert tokens.verify(f"{head}.{forged}.{signature}") is None
    assert tokens.verify(tokens.issue(account, [], -1, {})[0]) is None


def test_a_webhook_knows_the_rest(tmp_path: Path) -> None:
    """It is asked about tokens the server does not know, once for each in a while."""
    asked: list[str] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(review["spec"]["token"])
            known = review["spec"]["token"] == "k8s-aws-v1.known"
            user = {"username": "arn:aws:iam::1:role/r", "groups": ["ops"]}
            body = json.dumps({"status": {"authenticated": known, "user": user}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    webhook = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=webhook.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{webhook.server_port}/authenticate"
    with running(tmp_path, "--authentication-webhook", url) as server:
        address = f"https://127.0.0.1:{server.port}"
        with Client(address, "k8s-aws-v1.known", server.context()) as known:
            users = [known.post(WHOAMI, {}).body["status"]["userInfo"] for _ in "12"]
        with Client(address, "k8s-aws-v1.other", server.context()) as other:
            refused = other.post(WHOAMI, {}).code
    webhook.shutdown()
    webhook.server_close()

    expected = {"username": "arn:aws:iam::1:role/r", "groups": ["ops", "system:authenticated"]}
    assert users == [expected, expected]
    assert refused == 401
    assert asked == ["k8s-aws-v1.known", "k8s-aws-v1.other"]
