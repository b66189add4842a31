"""Logins, API keys, the workspace and its organisation."""

import base64
import binascii
from typing import Any
from uuid import uuid4

from hallmark.twin.platform import secrets, tokens
from hallmark.twin.platform.calls import Answer, Call, Endpoint, Refusal
from hallmark.twin.platform.database import Database
from hallmark.twin.platform.settings import Settings

KEYS = "select id, short_key, description, created_at, expires_at, user_id is null as service from api_keys"
WORKSPACES = "select id, organization_id, display_name, created_at from tenants where organization_id = %s::uuid"


class Accounts:
    """Knows users and keys.

    Args:
        database: Where they are.
        settings: Salt, secret, and whether passwords are used.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def endpoints(self) -> list[Endpoint]:
        """Routes of backend."""
        return [
            Endpoint("POST", "/login", self._login, public=True),
            Endpoint("GET", "/api-key", self._service_keys),
            Endpoint("POST", "/api-key", lambda call: self._issue(call, "service")),
            Endpoint("DELETE", "/api-key/{id}", self._revoke),
            Endpoint("GET", "/api-key/current", self._own_keys),
            Endpoint("POST", "/api-key/current", lambda call: self._issue(call, "personal")),
            Endpoint("DELETE", "/api-key/current/{id}", self._revoke),
            Endpoint("GET", "/workspaces", self._workspaces),
            Endpoint("GET", "/orgs/current", self._organization),
            Endpoint("GET", "/settings", self._settings_of),
        ]

    def identity(self) -> list[Endpoint]:
        """Routes of platform-backend."""
        return [Endpoint("GET", path, self._me) for path in ("/me", "/auth", "/auth/verify")]

    def _login(self, call: Call) -> Answer:
        if not self._settings.basic:
            raise Refusal(404, "Basic auth is not enabled")
        email, password = _basic(call.headers.get("authorization", ""))
        found = self._database.ask("select id, password_hash from users where email = lower(%s)", email)
        if not found or not secrets.matches(password, found[0]["password_hash"]):
            raise Refusal(401, "Invalid username or password")
        token = tokens.issue(self._settings.secret, sub=str(found[0]["id"]), email=email.lower())
        return Answer({"access_token": token, "token_type": "bearer"})

    def _issue(self, call: Call, kind: str) -> Answer:
        user = call.caller.user
        if kind == "personal" and not user:
            raise Refusal(403, "a service key has no personal keys")
        said, key = call.json(), secrets.new_key(kind)
        kept = self._database.ask(
            "insert into api_keys (id, tenant_id, user_id, hash, short_key, description, expires_at)"
            " values (%s, %s, %s, %s, %s, %s, %s::timestamptz) returning id, short_key, description, created_at",
            uuid4(), call.caller.tenant, user if kind == "personal" else None,
            secrets.hash_key(self._settings.salt, key), secrets.short(key), str(said.get("description") or "API key"),
            said.get("expires_at"),
        )[0]  # fmt: skip
        return Answer({**kept, "key": key})

    def _service_keys(self, call: Call) -> Answer:
        asked = f"{KEYS} where tenant_id = %s::uuid and user_id is null order by created_at"
        return Answer(self._database.ask(asked, call.caller.tenant))

    def _own_keys(self, call: Call) -> Answer:
        asked = f"{KEYS} where tenant_id = %s::uuid and user_id::text = %s order by created_at"
        return Answer(self._database.ask(asked, call.caller.tenant, call.caller.user))

    def _revoke(self, call: Call) -> Answer:
        asked = "delete from api_keys where tenant_id = %s::uuid and id = %s::uuid returning id, short_key, description"
        found = self._database.ask(asked, call.caller.tenant, call.identity())
        if not found:
            raise Refusal(404, "API key not found")
        return Answer(found[0])

    def _workspaces(self, call: Call) -> Answer:
        return Answer(self._database.ask(WORKSPACES, call.caller.organization))

    def _organization(self, call: Call) -> Answer:
        asked = "select id, display_name, created_at from organizations where id = %s::uuid"
        found = self._database.ask(asked, call.caller.organization)[0]
        return Answer({**found, "is_personal": False, "disabled": False})

    def _settings_of(self, call: Call) -> Answer:
        found = self._database.ask(f"{WORKSPACES} and id = %s::uuid", call.caller.organization, call.caller.tenant)[0]
        return Answer({**found, "tenant_handle": None})

    def _me(self, call: Call) -> Answer:
        caller = call.caller
        known: dict[str, Any] = {"tenant_id": caller.tenant, "organization_id": caller.organization}
        return Answer({**known, "user_id": caller.user or None, "ls_user_id": caller.user or None})


def _basic(header: str) -> tuple[str, str]:
    scheme, _, given = header.partition(" ")
    try:
        email, found, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        found = ""
    if scheme.lower() != "basic" or not found:
        raise Refusal(401, "HTTP Basic credentials are expected")
    return email, password
