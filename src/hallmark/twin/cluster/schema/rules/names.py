"""Names, labels and annotations.

Source: k8s.io/apimachinery/pkg/util/validation and pkg/api/validation.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from hallmark.twin.cluster.schema import words
from hallmark.twin.cluster.schema.values import Json

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_KEY = "[-._a-zA-Z0-9]+"
_PERCENT = "[0-9]+%"

LONGEST_LABEL, LONGEST_SUBDOMAIN, LONGEST_PORT = 63, 253, 15
ANNOTATIONS_LIMIT = 256 * 1024
"""Bytes of all annotations of an object together."""


def _fails(pattern: str, text: str, says: str, *examples: str) -> list[str]:
    if re.fullmatch(pattern, text):
        return []
    shown = ",  or ".join(f"'{each}'" for each in examples)
    return [f"{says} (e.g. {shown}, regex used for validation is '{pattern}')"]


def _too_long(text: str, limit: int) -> list[str]:
    return [f"must be no more than {limit} bytes"] if len(text) > limit else []


@lru_cache(4096)
def dns_label(name: str) -> list[str]:
    """What keeps a name from being a DNS label (RFC 1123)."""
    says = (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character"
    )
    return _too_long(name, LONGEST_LABEL) + _fails(_LABEL, name, says, "my-name", "123-abc")


@lru_cache(4096)
def dns_subdomain(name: str) -> list[str]:
    """What keeps a name from being a DNS subdomain (RFC 1123)."""
    says = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
        "and must start and end with an alphanumeric character"
    )
    return _too_long(name, LONGEST_SUBDOMAIN) + _fails(_SUBDOMAIN, name, says, "example.com")


@lru_cache(4096)
def dns_1035_label(name: str) -> list[str]:
    """What keeps a name from being a DNS label that starts with a letter (RFC 1035)."""
    says = (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
        "start with an alphabetic character, and end with an alphanumeric character"
    )
    return _too_long(name, LONGEST_LABEL) + _fails(_DNS_1035, name, says, "my-name", "abc-123")


def wildcard(host: str) -> list[str]:
    """What keeps a host from being a wildcard such as ``*.example.com``."""
    says = (
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
        "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
    )
    return _fails(rf"\*\.{_SUBDOMAIN}", host, says, "*.example.com")


def path_segment(name: str) -> list[str]:
    """What keeps a name from being a part of a path; roles have such names."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{each}'" for each in "/%" if each in name]


@lru_cache(4096)
def label_value(value: str) -> list[str]:
    """What keeps a text from being a label's value."""
    says = (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
        "and must start and end with an alphanumeric character"
    )
    return _too_long(value, LONGEST_LABEL) + _fails(_VALUE, value, says, "MyValue", "my_value", "12345")


@lru_cache(4096)
def qualified(key: str) -> list[str]:
    """What keeps a text from being a label's or an annotation's key."""
    prefix, slash, name = key.rpartition("/")
    says = (
        "must consist of alphanumeric characters, '-', '_' or '.', "
        "and must start and end with an alphanumeric character"
    )  # fmt: skip
    examples = ("MyName", "my.name", "123-abc")
    if "/" in prefix:
        more = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a qualified name {each}{more}" for each in _fails("$^", key, says, *examples)]
    errors = []
    if slash:
        errors += [f"prefix part {each}" for each in (dns_subdomain(prefix) if prefix else ["must be non-empty"])]
    if not name:
        errors.append("name part must be non-empty")
    errors += [f"name part {each}" for each in _too_long(name, LONGEST_LABEL)]
    return errors + [f"name part {each}" for each in _fails(_QUALIFIED, name, says, *examples)]


def config_key(key: str) -> list[str]:
    """What keeps a text from being a key of a ConfigMap or a Secret."""
    errors = _too_long(key, LONGEST_SUBDOMAIN)
    says = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    errors += _fails(_KEY, key, says, "key.name", "KEY_NAME", "key-name")
    return errors + path_segment(key) if key in (".", "..") else errors


def port_name(name: str) -> list[str]:
    """What keeps a text from being a port's name (RFC 6335)."""
    errors = [f"must be no more than {LONGEST_PORT} characters long"] if len(name) > LONGEST_PORT else []
    if not re.fullmatch("[-a-z0-9]+", name):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", name):
        errors.append("must contain at least one letter (a-z)")
    if "--" in name:
        errors.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def percent(text: str) -> list[str]:
    """What keeps a text from being a percentage."""
    says = "a valid percent string must be a numeric string followed by an ending '%'"
    return _fails(_PERCENT, text, says, "1%", "93%")


_OF_KIND: dict[tuple[str, str], Callable[[str], list[str]]] = {
    ("", "Namespace"): dns_label,
    ("", "Service"): dns_1035_label,
    **{
        ("rbac.authorization.k8s.io", kind): path_segment
        for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
    },
}
"""Rules for names of kinds; all others are DNS subdomains."""


def metadata(group: str, kind: str, obj: Json) -> Iterator[str]:
    """Name, labels, annotations and owners of an object."""
    found = obj.get("metadata") or {}
    name = found.get("name")
    if name:
        for why in _OF_KIND.get((group, kind), dns_subdomain)(name):
            yield words.invalid("metadata.name", name, why)
    yield from labels(found.get("labels"), "metadata.labels")
    yield from _annotations(found.get("annotations"))
    for i, owner in enumerate(found.get("ownerReferences") or ()):
        yield from _owner(owner, f"metadata.ownerReferences[{i}]")


def labels(found: Json | None, path: str) -> Iterator[str]:
    """Labels, of an object or a template."""
    for key, value in (found or {}).items():
        yield from (words.invalid(path, key, why) for why in qualified(key))
        yield from (words.invalid(path, value, why) for why in label_value(value or ""))


def selector(found: Json | None, path: str) -> Iterator[str]:
    """A selector of labels."""
    yield from labels((found or {}).get("matchLabels"), f"{path}.matchLabels")
    for i, each in enumerate((found or {}).get("matchExpressions") or ()):
        place = f"{path}.matchExpressions[{i}]"
        if each.get("operator") in ("In", "NotIn") and not each.get("values"):
            yield words.required(f"{place}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        if each.get("operator") in ("Exists", "DoesNotExist") and each.get("values"):
            yield words.forbidden(
                f"{place}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            )


def _annotations(found: Json | None) -> Iterator[str]:
    for key in found or ():
        yield from (words.invalid("metadata.annotations", key, why) for why in qualified(key.lower()))
    if sum(len(key) + len(value or "") for key, value in (found or {}).items()) > ANNOTATIONS_LIMIT:
        yield f"metadata.annotations: Too long: may not be more than {ANNOTATIONS_LIMIT} bytes"


def _owner(owner: Json, path: str) -> Iterator[str]:
    needs = {"apiVersion": "version", "kind": "kind", "name": "name", "uid": "uid"}
    for field, word in needs.items():
        if not owner.get(field):
            yield words.invalid(f"{path}.{field}", "", f"{word} must not be empty")
