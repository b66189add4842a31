"""AWS policy documents as records: parsed strictly, so that nothing in them is ignored by mistake.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn
from urllib.parse import unquote

from hallmark.errors import Unobservable
from hallmark.policy.conditions import Condition

_VERSIONS = ("2012-10-17", "2008-10-17")
_POLICY_ELEMENTS = {"Version", "Id", "Statement"}
_STATEMENT_ELEMENTS = {
    *("Sid", "Effect", "Condition"),
    *("Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"),
}
_PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


class Effect(StrEnum):
    """What a statement does when it applies."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True)
class Statement:
    """One statement.

    Attributes:
        effect: Allow or Deny.
        actions: Patterns of Action, or of NotAction when ``not_action``.
        resources: Patterns of Resource or NotResource; ``*`` in a trust policy, which names none.
        principals: Type and value, such as ``("AWS", "*")``; empty in an identity policy.
        conditions: All of them must hold.
        index: Position in the policy, from 0.
        sid: The statement's own name, or empty.
        not_action: ``actions`` are the ones left out.
        not_resource: ``resources`` are the ones left out.
        not_principal: ``principals`` are the ones left out.
        variables: The policy's version knows policy variables.
    """

    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    conditions: tuple[Condition, ...]
    index: int
    sid: str
    not_action: bool
    not_resource: bool
    not_principal: bool
    variables: bool

    def __str__(self) -> str:
        return f"statement {self.index}" + (f" ({self.sid})" if self.sid else "")


@dataclass(frozen=True)
class Policy:
    """A policy document.

    Attributes:
        statements: In the order of the document.
        name: How messages call it, for example the name of the inline policy; may be empty.
    """

    statements: tuple[Statement, ...]
    name: str = ""

    @classmethod
    def parse(cls, document: str | Mapping[str, Any], name: str = "") -> "Policy":
        """Read a document as AWS gives it: a dictionary, JSON, or URL-encoded JSON.

        Raises:
            Unobservable: ``malformed`` when AWS would not take the document. Elements we do not know are
                refused too: a misspelt Condition must not become an unconditional grant.
        """
        content = _content(document, name)
        if not isinstance(content, Mapping):
            _refuse(name, "is not a JSON object")
        _only(content, _POLICY_ELEMENTS, name)
        version = content.get("Version", "2008-10-17")
        if version not in _VERSIONS:
            _refuse(name, f"has the version {version!r}")
        statements = content.get("Statement")
        listed = [statements] if isinstance(statements, Mapping) else statements
        if not isinstance(listed, list) or not all(isinstance(each, Mapping) for each in listed):
            _refuse(name, "has no list of statements")
        variables = version == _VERSIONS[0]
        return cls(
            tuple(_statement(each, index, name, variables=variables) for index, each in enumerate(listed)),
            name,
        )


def _refuse(name: str, what: str) -> NoReturn:
    raise Unobservable("malformed", f"the policy {name} {what}" if name else f"a policy {what}")


def _content(document: str | Mapping[str, Any], name: str) -> Any:
    if not isinstance(document, str):
        return document
    text = document if document.lstrip().startswith("{") else unquote(document)
    try:
        return json.loads(text)
    except ValueError:
        _refuse(name, "is not JSON")


def _only(content: Mapping[str, Any], known: set[str], name: str) -> None:
    if unknown := sorted(str(element) for element in content if element not in known):
        _refuse(name, f"has the unknown element {unknown[0]!r}")


def _statement(content: Mapping[str, Any], index: int, name: str, *, variables: bool) -> Statement:
    _only(content, _STATEMENT_ELEMENTS, name)
    if content.get("Effect") not in tuple(Effect):
        _refuse(name, f"has the effect {content.get('Effect')!r} in statement {index}")
    principals, not_principal = _pair(content, "Principal", name)
    actions, not_action = _pair(content, "Action", name)
    resources, not_resource = _pair(content, "Resource", name)
    if actions is None:
        _refuse(name, f"names no action in statement {index}")
    if resources is None and principals is None:
        _refuse(name, f"names no resource in statement {index}")
    return Statement(
        effect=Effect(content["Effect"]),
        actions=_strings(actions, name),
        resources=("*",) if resources is None else _strings(resources, name),
        principals=() if principals is None else _principals(principals, name),
        conditions=_conditions(content.get("Condition", {}), name),
        index=index,
        sid=str(content.get("Sid", "")),
        not_action=not_action,
        not_resource=not_resource,
        not_principal=not_principal,
        variables=variables,
    )


def _pair(content: Mapping[str, Any], element: str, name: str) -> tuple[Any, bool]:
    """Give an element or its Not form, and which of the two it is."""
    if element in content and f"Not{element}" in content:
        _refuse(name, f"has both {element} and Not{element}")
    negated = f"Not{element}" in content
    return content.get(f"Not{element}" if negated else element), negated


def _strings(value: Any, name: str) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in listed):
        _refuse(name, f"has {value!r} where text belongs")
    return tuple(listed)


def _principals(value: Any, name: str) -> tuple[tuple[str, str], ...]:
    if value == "*":
        return (("AWS", "*"),)
    if not isinstance(value, Mapping) or any(kind not in _PRINCIPAL_TYPES for kind in value):
        _refuse(name, f"has the principal {value!r}")
    found = tuple((kind, each) for kind, listed in value.items() for each in _strings(listed, name))
    if not found:
        _refuse(name, "has a principal without a value")
    return found


def _conditions(value: Any, name: str) -> tuple[Condition, ...]:
    if not isinstance(value, Mapping) or not all(isinstance(keys, Mapping) for keys in value.values()):
        _refuse(name, "has a Condition that is not operators with keys")
    return tuple(
        Condition.of(operator, key, _condition_values(values, name))
        for operator, keys in value.items()
        for key, values in keys.items()
    )


def _condition_values(value: Any, name: str) -> tuple[str, ...]:
    """Condition values may be booleans and numbers in JSON; AWS compares their text."""
    listed = value if isinstance(value, list) else [value]
    texts = [str(each).lower() if isinstance(each, bool) else each for each in listed]
    return _strings([str(each) if isinstance(each, int | float) else each for each in texts], name)
