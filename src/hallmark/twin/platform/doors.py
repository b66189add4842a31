"""Who calls: API keys, tokens of a login and of services, looked up in PostgreSQL and remembered for half a minute."""

import hashlib
import time
from collections.abc import Callable

from hallmark.twin.platform import founding, tokens
from hallmark.twin.platform.calls import Call, Caller, Refusal
from hallmark.twin.platform.database import Database
from hallmark.twin.platform.secrets import hash_key
from hallmark.twin.platform.settings import Settings

REMEMBERED = 30.0
"""Seconds for which a lost database, or a deleted key, is not noticed."""
MANY = 10_000
BY_KEY = """
select k.tenant_id, t.organization_id, k.user_id from api_keys k join tenants t on t.id = k.tenant_id
where k.hash = %s and (k.expires_at is null or k.expires_at > now())
"""
BY_USER = """
select t.id as tenant_id, t.organization_id, u.id as user_id
from users u join tenants t on t.organization_id = u.organization_id where u.id = %s::uuid order by t.created_at limit 1
"""
OF_ALL = "select id as tenant_id, organization_id, null as user_id from tenants order by created_at limit 1"


class Doors:
    """Lets callers in.

    Args:
        database: Where keys and users are.
        settings: Salt and secret.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._known: dict[bytes, tuple[float, Caller]] = {}

    def admit(self, call: Call) -> Caller:
        """Who calls.

        Raises:
            Refusal: Nobody we know, or a workspace of others.
        """
        caller = self._caller(call)
        wanted = call.headers.get("x-tenant-id") or caller.tenant
        organization = call.headers.get("x-organization-id") or caller.organization
        if (wanted.lower(), organization.lower()) != (caller.tenant, caller.organization):
            raise Refusal(403, "Forbidden")
        return caller

    def _caller(self, call: Call) -> Caller:
        bearer = call.headers.get("authorization", "")
        if key := call.headers.get("x-api-key", ""):
            return self._remembered(key, lambda: self._find(BY_KEY, hash_key(self._settings.salt, key)))
        if service := call.headers.get("x-service-key", ""):
            return self._remembered(service, lambda: self._service(service))
        if bearer[:7].lower() != "bearer ":
            raise Refusal(401, "Authentication required")
        user = tokens.read(self._settings.secret, bearer[7:]).get("sub")
        if not user:
            raise Refusal(401, "Invalid token")
        return self._remembered(bearer, lambda: self._find(BY_USER, user))

    def _service(self, token: str) -> Caller | None:
        if not tokens.read(self._settings.service, token):
            return None
        founding.organization(self._database)
        return self._find(OF_ALL)

    def _remembered(self, secret: str, find: Callable[[], Caller | None]) -> Caller:
        mark, now = hashlib.sha256(secret.encode("utf-8", "replace")).digest(), time.monotonic()
        until, caller = self._known.get(mark, (0.0, None))
        if caller is None or now > until:
            caller = find()
            if caller is None:
                self._known.pop(mark, None)
                raise Refusal(401, "Invalid token")
            self._known = {} if len(self._known) > MANY else self._known
            self._known[mark] = now + REMEMBERED, caller
        return caller

    def _find(self, question: str, *facts: object) -> Caller | None:
        found = self._database.ask(question, *facts)
        if not found:
            return None
        row = found[0]
        return Caller(str(row["tenant_id"]), str(row["organization_id"]), str(row["user_id"] or ""))
