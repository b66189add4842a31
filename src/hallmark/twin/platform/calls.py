"""What handlers take and give: no handler knows the HTTP server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson


class Refusal(Exception):
    """A call is answered with an error that its caller may know.

    Attributes:
        status: Of HTTP.
        detail: What the body says.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        tenant: The workspace.
        organization: Its organisation.
        user: A user's id; empty for a service key.
    """

    tenant: str
    organization: str
    user: str = ""


NOBODY = Caller("", "")


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        parameters: Parts of the path, by name.
        query: Parameters after the question mark.
        headers: With names in small letters.
        body: As it came.
        caller: Who calls.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    caller: Caller = NOBODY

    def json(self) -> dict[str, Any]:
        """The body as an object."""
        found = parsed(self.body or b"{}")
        if not isinstance(found, dict):
            raise Refusal(422, "the body is no JSON object")
        return found

    def identity(self, name: str = "id") -> str:
        """A UUID in the path."""
        return uuid(self.parameters[name])

    def one(self, name: str) -> str | None:
        """A parameter of the query, once."""
        values = self.query.get(name)
        return values[-1] if values else None

    def number(self, name: str, otherwise: int) -> int:
        """A number of the query, not negative."""
        value = self.one(name) or ""
        return int(value) if value.isdigit() else otherwise


@dataclass(frozen=True)
class Answer:
    """One answer: a content to be written as JSON, or text."""

    content: Any = None
    status: int = 200


@dataclass(frozen=True)
class Endpoint:
    """A route.

    Attributes:
        method: Of HTTP.
        path: Without ``/api/v1``; parts in braces are parameters.
        answer: Does the work, in a thread.
        public: Whether it needs no key.
    """

    method: str
    path: str
    answer: Callable[[Call], Answer]
    public: bool = False


def parsed(text: bytes | str) -> Any:
    """Read JSON; what is none is refused."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refusal(422, "the body is not valid JSON") from None


def uuid(value: object) -> str:
    """Read a UUID; what is none is refused."""
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise Refusal(422, "a value that must be a UUID is none") from None


def optional_uuid(value: object) -> str | None:
    """Read a UUID that may be absent."""
    return uuid(value) if value else None
