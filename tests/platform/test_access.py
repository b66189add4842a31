"""Who is let in: passwords, tokens, keys, workspaces."""

import base64
from typing import Any
from uuid import uuid4

from hallmark.twin.platform import secrets, tokens
from hallmark.twin.stores.postgres import connect

PASSWORD = "Correct-Horse-1"


def basic(email: str, password: str) -> str:
    """A header of HTTP Basic."""
    return f"Basic {base64.b64encode(f'{email}:{password}'.encode()).decode()}"


def test_nobody_without_a_key(platform: Any) -> None:
    """Without a key, and with a wrong one, every route but the public ones answers 401."""
    for path in ("/sessions?limit=1", "/workspaces", f"/runs/{uuid4()}", "/me"):
        assert platform.call("GET", path, Accept="*/*")[0] == 401
        assert platform.call("GET", path, x_api_key="lsv2_pt_wrong")[0] == 401
    assert platform.call("POST", "/runs/batch", {"post": []}, Accept="*/*")[0] == 401
    assert platform.call("GET", "/info", Accept="*/*")[0] == 200


def test_logins(platform: Any) -> None:
    """The administrator logs in; a wrong password, user or header does not."""
    assert platform.login()
    assert platform.call("POST", "/login", Authorization=basic(platform.EMAIL.upper(), platform.ADMIN))[0] == 200
    assert platform.call("POST", "/login", Authorization=basic(platform.EMAIL, "Wrong-Horse-12"))[0] == 401
    assert platform.call("POST", "/login", Authorization=basic("else@example.com", platform.ADMIN))[0] == 401
    assert platform.call("POST", "/login", Authorization="Basic %%%")[0] == 401


def test_keys(platform: Any) -> None:
    """Personal and service keys work, are shown in part only, and end when they are deleted."""
    bearer = {"Authorization": f"Bearer {platform.login()}"}
    for path, prefix in (("/api-key", "lsv2_sk_"), ("/api-key/current", "lsv2_pt_")):
        status, made = platform.call("POST", path, {"description": "d"}, **bearer)
        assert (status, made["key"][:8]) == (200, prefix)
        assert platform.call("GET", "/sessions?limit=1", x_api_key=made["key"])[0] == 200
        listed = platform.call("GET", path, **bearer)[1]
        assert made["id"] in {each["id"] for each in listed}
        assert made["key"] not in str(listed)
        assert platform.call("DELETE", f"{path}/{made['id']}", **bearer)[0] == 200
        assert platform.call("DELETE", f"{path}/{made['id']}", **bearer)[0] == 404


def test_a_service_key_is_nobody(platform: Any) -> None:
    """A service key has no user, so it has no personal keys."""
    bearer = {"Authorization": f"Bearer {platform.login()}"}
    key = platform.call("POST", "/api-key", {}, **bearer)[1]["key"]

    assert platform.call("POST", "/api-key/current", {}, x_api_key=key)[0] == 403
    assert platform.call("GET", "/me", x_api_key=key)[1]["user_id"] is None


def test_services_know_each_other(platform: Any) -> None:
    """A token signed with the secret they share lets in, for the first workspace; others do not."""
    shared = platform.environment()["X_SERVICE_AUTH_JWT_SECRET"]
    right, wrong = tokens.issue(shared, sub="twin"), tokens.issue("guessed", sub="twin")
    status, made = platform.call("POST", "/api-key", {}, Accept="*/*", x_service_key=right)

    assert (status, made["key"][:8]) == (200, "lsv2_sk_")
    assert platform.call("GET", "/sessions?limit=1", x_api_key=made["key"])[0] == 200
    for token in (wrong, platform.login(), "no token"):
        assert platform.call("GET", "/sessions?limit=1", Accept="*/*", x_service_key=token)[0] == 401


def test_workspaces(platform: Any) -> None:
    """A key is for one workspace; with the name of another it is refused."""
    tenant = platform.call("GET", "/me")[1]["tenant_id"]
    workspaces = platform.call("GET", "/workspaces")[1]

    assert [each["id"] for each in workspaces] == [tenant]
    assert platform.call("GET", "/sessions", x_api_key=platform.key, X_Tenant_Id=tenant)[0] == 200
    assert platform.call("GET", "/sessions", x_api_key=platform.key, X_Tenant_Id=str(uuid4()))[0] == 403
    assert platform.call("GET", "/orgs/current")[1]["id"] == workspaces[0]["organization_id"]
    assert platform.call("GET", "/settings")[1]["id"] == tenant


def test_another_salt_makes_all_keys_void(platform: Any) -> None:
    """With another salt a good key is 401, while the login still works; with the old salt the key is good again."""
    assert platform.call("GET", "/sessions?limit=1")[0] == 200
    platform.again("backend", API_KEY_SALT="another salt")
    assert platform.call("GET", "/sessions?limit=1")[0] == 401
    assert platform.login()
    platform.again("backend")
    assert platform.call("GET", "/sessions?limit=1")[0] == 200


def test_another_secret_logs_everybody_out(platform: Any) -> None:
    """With another secret a token is 401, while keys still work."""
    bearer = {"Authorization": f"Bearer {platform.login()}"}
    assert platform.call("GET", "/sessions?limit=1", **bearer)[0] == 200
    platform.again("backend", BASIC_AUTH_JWT_SECRET="another secret")
    assert platform.call("GET", "/sessions?limit=1", **bearer)[0] == 401
    assert platform.call("GET", "/sessions?limit=1")[0] == 200
    platform.again("backend")


def test_info(platform: Any) -> None:
    """It says that it is a stand-in, when the license ends, and all six settings that the SDK's thread needs."""
    info = platform.call("GET", "/info")[1]

    assert info["stand_in"] is True
    assert info["version"] == "0.16.45"
    assert info["license_expiration_time"] > "2026"
    assert set(info["batch_ingest_config"]) == {
        "use_multipart_endpoint", "scale_up_qsize_trigger", "scale_up_nthreads_limit", "scale_down_nempty_trigger",
        "size_limit", "size_limit_bytes",
    }  # fmt: skip
    assert platform.call("GET", "/health")[0] == 200


def test_private_info(platform: Any) -> None:
    """If the operator wishes so, even /info needs a key."""
    platform.again("platform-backend", FF_INFO_ENDPOINT_AUTH_REQUIRED="true", LANGSMITH_LICENSE_KEY="k-2031-05-06")
    assert platform.call("GET", "/info", Accept="*/*")[0] == 401
    assert platform.call("GET", "/info")[1]["license_expiration_time"] == "2031-05-06T00:00:00Z"
    platform.again("platform-backend")


def test_without_passwords(platform: Any) -> None:
    """Without basic auth there is no login."""
    platform.again("backend", BASIC_AUTH_ENABLED="false")
    assert platform.call("POST", "/login", Authorization=basic(platform.EMAIL, platform.ADMIN))[0] == 404
    platform.again("backend")


def test_tokens() -> None:
    """A token is good with its own secret, unchanged, and before its end."""
    token = tokens.issue("secret", sub="ann")
    head, _, signature = token.rpartition(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")

    assert tokens.read("secret", token)["sub"] == "ann"
    assert not tokens.read("other", token)
    assert not tokens.read("", token)
    assert not tokens.read("secret", f"{head}x.{signature}")
    assert not tokens.read("secret", f"{unsigned}.{token.split('.')[1]}.")
    assert not tokens.read("secret", "")


def test_passwords() -> None:
    """Of a password only a salted hash is kept."""
    one, other = secrets.hash_password(PASSWORD), secrets.hash_password(PASSWORD)

    assert one != other
    assert PASSWORD not in one
    assert secrets.matches(PASSWORD, one)
    assert not secrets.matches("else", one)


def test_nothing_secret_is_stored_or_logged(platform: Any) -> None:
    """No key, password or token is in the database or in a log."""
    with connect(platform.database.login, "app", 10) as connection:
        kept = str(connection.execute("select row_to_json(k), row_to_json(u) from api_keys k, users u").fetchall())
    logs = "".join(pod.log for pod in platform.pods.values())

    for secret in (
        platform.key,
        platform.ADMIN,
        platform.environment()["POSTGRES_DATABASE_URI"].split(":")[1].split("@")[0],
    ):
        assert secret not in kept
        assert secret not in logs
