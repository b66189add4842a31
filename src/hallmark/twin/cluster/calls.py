"""One request, read: what is asked of which object, by whom, with which options and body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from aiohttp import web

from hallmark.twin.cluster.registry import Resource
from hallmark.twin.cluster.schema import protobuf
from hallmark.twin.cluster.statuses import Refusal

BIGGEST_BODY = 3 * 1024 * 1024
"""Bytes; the real server's limit."""
TRUE = frozenset({"true", "True", "TRUE", "1", "t", "T"})
JSON_TYPES = frozenset({"application/json", "", "application/octet-stream"})
"""A body without a type is JSON; aiohttp calls it an octet stream."""
YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})
PROTOBUF = "application/vnd.kubernetes.protobuf"
LONGEST_MANAGER = 128


@dataclass(frozen=True)
class User:
    """Who asks.

    Attributes:
        name: User name.
        uid: User id; may be empty.
        groups: Groups.
        extra: More about the user.
    """

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, list[str]] = field(default_factory=dict)

    def info(self) -> dict[str, Any]:
        """As ``UserInfo`` of the authentication API."""
        info = {"username": self.name, "uid": self.uid, "groups": list(self.groups), "extra": dict(self.extra)}
        return {key: value for key, value in info.items() if value}


@dataclass
class Call:
    """What is asked.

    Attributes:
        request: The HTTP request.
        user: Who asks.
        resource: Of what.
        namespace: In which namespace; empty for all, or for none.
        name: Of which object; empty for all.
        subresource: Part of the object, or empty.
        path: What follows the subresource (of a proxy).
        warnings: To be told with the answer.
        errors: What is wrong with the values of the object that was sent.
    """

    request: web.BaseRequest
    user: User
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    path: str = ""
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.query: Mapping[str, str] = self.request.query

    def flag(self, name: str) -> bool:
        """Whether a query parameter is true."""
        return self.query.get(name, "") in TRUE

    def number(self, name: str) -> int | None:
        """A query parameter that is a number.

        Raises:
            Refusal: It is something else.
        """
        text = self.query.get(name, "")
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            message = f'converting ("{text}") to type *int64: strconv.ParseInt: parsing "{text}": invalid syntax'
            raise Refusal(400, message) from None

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be stored.

        Raises:
            Refusal: The parameter is neither absent nor ``All``.
        """
        value = self.query.get("dryRun", "")
        if value not in {"", "All"}:
            raise Refusal(400, f'Invalid value: []string{{"{value}"}}: dryRun: Unsupported value: "{value}"')
        return bool(value)

    @property
    def manager(self) -> str:
        """Who owns the fields that are written: named by the client, or made from its User-Agent."""
        named = self.query.get("fieldManager", "")
        return named or self.request.headers.get("User-Agent", "unknown").partition("/")[0][:LONGEST_MANAGER]

    @property
    def field_validation(self) -> str:
        """What to do about unknown fields: Strict, Warn or Ignore."""
        return self.query.get("fieldValidation") or "Warn"


async def raw_body(request: web.BaseRequest) -> bytes:
    """The body of a request.

    Raises:
        Refusal: It is too long.
    """
    body = await request.content.read()  # request.read() has a lower limit of its own
    if len(body) > BIGGEST_BODY:
        raise Refusal(413, f"Request entity too large: limit is {BIGGEST_BODY}")
    return body


async def read_object(request: web.BaseRequest) -> dict[str, Any]:
    """The object in the body of a request, from JSON, YAML or protobuf; empty without a body.

    Raises:
        Refusal: It cannot be read.
    """
    body = await raw_body(request)
    if not body:
        return {}
    content_type = request.content_type
    if content_type == PROTOBUF:
        try:
            return _from_protobuf(body)
        except protobuf.BadMessage as error:
            raise Refusal(400, str(error)) from error
    if content_type in JSON_TYPES:
        return as_object(parse_json(body))
    if content_type in YAML_TYPES:
        return as_object(parse_yaml(body))
    accepted = f"application/json, application/yaml, {PROTOBUF}"
    message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    raise Refusal(415, message)


def _from_protobuf(body: bytes) -> dict[str, Any]:
    try:
        return protobuf.decode(body)
    except protobuf.BadMessage as error:
        raise Refusal(400, f"the body of the request cannot be decoded: {error}") from error


def parse_json(body: bytes) -> Any:
    """JSON of a request body.

    Raises:
        Refusal: It is none.
    """
    try:
        return json.loads(body)
    except ValueError as error:
        raise Refusal(400, f"couldn't get version/kind; json parse error: {error}") from error


def parse_yaml(body: bytes) -> Any:
    """YAML or JSON of a request body.

    Raises:
        Refusal: It is neither.
    """
    try:
        return json.loads(body)
    except ValueError:
        pass
    try:
        return yaml.load(body, Loader=_Loader)  # noqa: S506 - a safe loader, see below
    except yaml.YAMLError as error:
        raise Refusal(400, f"error decoding YAML: {error}") from error


def as_object(value: Any) -> dict[str, Any]:
    """The value, if it is an object.

    Raises:
        Refusal: It is something else.
    """
    if not isinstance(value, dict):
        raise Refusal(400, "couldn't get version/kind; json parse error: the body is not an object")
    return value


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # chosen when it runs: C if built
    """YAML as Kubernetes reads it: what looks like a date stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
