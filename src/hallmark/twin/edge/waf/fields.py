"""The parts of a request that a rule looks at: ``FieldToMatch``. Pure."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hallmark.twin.edge.waf.request import Inspected

Pairs = Iterable[tuple[str, str]]
Decided = bool
"""In place of parts: whether the statement matches is settled already, by oversize or fallback handling."""


def parts(field: Mapping[str, Any], request: Inspected) -> list[bytes] | Decided:
    """What to compare; any part may match. Nothing is there: no part."""
    kind, settings = next(iter(field.items()))
    return _READERS.get(kind, _nothing)(settings or {}, request)


def _text(*values: str | None) -> list[bytes]:
    return [value.encode("utf-8", "surrogateescape") for value in values if value is not None]


def _nothing(_settings: Mapping[str, Any], _request: Inspected) -> list[bytes]:
    return []


def _argument(settings: Mapping[str, Any], request: Inspected) -> list[bytes]:
    return _text(*(value for name, value in request.arguments if name.lower() == settings["Name"].lower()))


def _body(settings: Mapping[str, Any], request: Inspected) -> list[bytes] | Decided:
    handling = settings.get("OversizeHandling") or "CONTINUE"
    return [request.body] if handling == "CONTINUE" or not request.oversize else handling == "MATCH"


def _json(settings: Mapping[str, Any], request: Inspected) -> list[bytes] | Decided:
    body = _body(settings, request)
    if isinstance(body, bool):
        return body
    try:
        content = json.loads(request.body)
    except ValueError:
        fallback = settings.get("InvalidFallbackBehavior") or "EVALUATE_AS_STRING"
        return body if fallback == "EVALUATE_AS_STRING" else fallback == "MATCH"
    scope = settings.get("MatchScope", "ALL")
    wanted = (settings.get("MatchPattern") or {}).get("IncludedPaths")
    found = [(keys, text) for path, keys, text in _leaves(content) if not wanted or _covers(wanted, path)]
    keys = [key for names, _ in found for key in names] if scope in {"ALL", "KEY"} else []
    values = [text for _, text in found] if scope in {"ALL", "VALUE"} else []
    return _text(*keys, *values)


def _leaves(content: Any, path: str = "", keys: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...], str]]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _leaves(value, f"{path}/{key}", (*keys, key))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _leaves(value, f"{path}/{number}", keys)
    else:
        yield path, keys, content if isinstance(content, str) else json.dumps(content)


def _covers(wanted: Iterable[str], path: str) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in wanted)


def _several(pairs: Callable[[Inspected], Pairs], names: str) -> Callable[[Mapping[str, Any], Inspected], list[bytes]]:
    def read(settings: Mapping[str, Any], request: Inspected) -> list[bytes]:
        pattern, scope = settings.get("MatchPattern") or {"All": {}}, settings.get("MatchScope", "ALL")
        included = {each.lower() for each in pattern.get(f"Included{names}") or ()}
        excluded = {each.lower() for each in pattern.get(f"Excluded{names}") or ()}
        kept = [
            (name, value)
            for name, value in pairs(request)
            if (not included or name.lower() in included) and name.lower() not in excluded
        ]
        keys = [name for name, _ in kept] if scope in {"ALL", "KEY"} else []
        values = [value for _, value in kept] if scope in {"ALL", "VALUE"} else []
        return _text(*keys, *values)

    return read


_READERS: dict[str, Callable[[Mapping[str, Any], Inspected], list[bytes] | Decided]] = {
    "Method": lambda _, request: _text(request.method),
    "UriPath": lambda _, request: _text(request.path),
    "QueryString": lambda _, request: _text(request.query),
    "SingleHeader": lambda settings, request: _text(request.header(settings["Name"])),
    "SingleQueryArgument": _argument,
    "AllQueryArguments": lambda _, request: _text(*(value for _name, value in request.arguments)),
    "Body": _body,
    "JsonBody": _json,
    "Headers": _several(lambda request: request.headers, "Headers"),
    "Cookies": _several(lambda request: request.cookies, "Cookies"),
    "HeaderOrder": lambda _, request: _text(":".join(name for name, _value in request.headers)),
}
