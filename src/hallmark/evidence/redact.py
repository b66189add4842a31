"""Redaction: no secret value is ever stored. It runs on every answer before a view or a file sees it.

Three rules, strictest first. Free text that people fill in (descriptions, comments, tag values, TXT records), and
what a request has to carry to be let in (headers, query strings), is replaced as a whole: nobody can tell a password
from a note. Values under a name that says "secret" are replaced. In everything else, known shapes of secrets and the
secrets of this process are cut out. A replaced value keeps a salted digest, so that "changed" can be told from
"the same".
"""

import base64
import functools
import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

_FREE_TEXT = re.compile(
    r"(description|comment|userdata|user_data|notes?|callerreference|message|messagebody|reason|statusreason)$",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(
    r"(passw(or)?d|passphrase|secret|token|credential|private.?key|licen[cs]e|salt|connection.?(url|string)|api.?key"
    r"|access.?key|[._-]pwd)",
    re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(
    r"(arn|name|id|ids|policy|enabled|type|status|mode|rotationrules|nexttoken|marker|manager|provider)$",
    re.IGNORECASE,
)
_KEPT_TAGS = re.compile(
    r"^(Name|app|environment|managed-by|owner"
    r"|(aws|eks|k8s\.io|kubernetes\.io|elbv2\.k8s\.aws|ingress\.k8s\.aws|service\.k8s\.aws|hallmark|ebs\.csi\.aws\.com"
    r"|cluster\.k8s\.amazonaws\.com)[:/.].*)$"
)
_SHAPES = re.compile(
    r"(?P<userinfo>(?<=://)[^\s/@\"']*:[^\s\"']+(?=@))"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\blsv2_(?:pt|sk)_[0-9A-Za-z_]{8,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
)
_PASSWORD = re.compile(r"://[^\s/@\"':]*:(?P<password>[^\s\"']+)@")
_CARRIED = frozenset({"HttpHeaderConfig", "QueryStringConfig"})
"""Conditions of a listener rule on what a request carries: a shared secret in a header is a common way in."""
_PLACE = frozenset({"Method", "UriPath"})
"""Where a web ACL may look without looking at what a request carries (``FieldToMatch``)."""
_SOUGHT = frozenset({"SearchString", "RegexString"})
_SHORTEST = 8
"""Characters below which a value of the environment is too common to look for."""


class Redactor:
    """Replaces what may be secret.

    Args:
        environment: Variables of this process; those with a telling name are looked for everywhere.
        salt: Salt of the digests; a fresh one each time, never stored, so that no digest can be guessed at.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, salt: bytes | None = None) -> None:
        self._salt = salt or secrets.token_bytes(16)
        known = sorted(_secrets_of(environment or {}), key=len, reverse=True)
        forms = dict.fromkeys(form for secret in known for form in _forms(secret))
        self._known = re.compile("|".join(map(re.escape, forms))) if forms else None
        self._seen: dict[str, str] = {}

    def redact(self, value: Any, name: str = "") -> Any:
        """Return *value*, found under *name*, without anything secret."""
        match value:
            case dict():
                return self._mapping(value)
            case list():
                return [self.redact(item, name) for item in value]
            case str() if _is_hidden(name):
                return self._digest(value) if value else value
            case str():
                return self.text(value)
            case _:
                return value

    def texts(self, value: Any) -> Any:
        """Return *value* with every text in it treated by :meth:`text`, whatever its name says."""
        match value:
            case dict():
                return {self.text(k): self.texts(v) for k, v in value.items()}
            case list():
                return [self.texts(item) for item in value]
            case str():
                return self.text(value)
            case _:
                return value

    def text(self, value: str) -> str:
        """Cut known shapes of secrets and this process's own secrets out of *value*."""
        if value not in self._seen:  # objects of a cluster say the same words hundreds of times
            known = _SHAPES.sub(lambda found: self._digest(found[0]), value)
            self._seen[value] = self._known.sub(lambda found: self._digest(found[0]), known) if self._known else known
        return self._seen[value]

    def _mapping(self, value: dict[str, Any]) -> dict[str, Any]:
        if name := _tag_name(value):
            kept = bool(_KEPT_TAGS.match(name))
            return {k: v if kept or k.lower() != "value" else self._digest(v) for k, v in self._plain(value).items()}
        whole = _whole(value)
        return {self.text(k): self._all(v) if k in whole else self._member(v, k) for k, v in value.items()}

    def _member(self, value: Any, name: str) -> Any:
        if isinstance(value, dict) and name in {"tags", "Tags"}:
            return self._tags(value)
        if isinstance(value, dict) and _is_secret_name(name):
            return {self.text(k): v if _HARMLESS_NAME.search(k) else self._all(v) for k, v in value.items()}
        return self.redact(value, name)

    def _plain(self, value: dict[str, Any]) -> dict[str, Any]:
        return {k: self.text(v) if isinstance(v, str) else v for k, v in value.items()}

    def _tags(self, tags: dict[str, Any]) -> dict[str, Any]:
        return {
            self.text(k): self.text(str(v)) if _KEPT_TAGS.match(k) else self._digest(str(v)) for k, v in tags.items()
        }

    def _all(self, value: Any) -> Any:
        match value:
            case dict():
                return {k: self._all(v) for k, v in value.items()}
            case list():
                return [self._all(item) for item in value]
            case bool() | None:
                return value
            case _:
                return self._digest(str(value))

    def _digest(self, value: Any) -> str:
        return f"<redacted {hashlib.blake2b(str(value).encode(), key=self._salt, digest_size=6).hexdigest()}>"


def _tag_name(value: dict[str, Any]) -> str:
    """Return the key of an AWS tag pair: ``{"Key": …, "Value": …}`` in any of its spellings, else nothing."""
    lower = {k.lower(): v for k, v in value.items()}
    if set(lower) - {"resourceid", "resourcetype", "propagateatlaunch"} != {"key", "value"}:
        return ""
    both_text = isinstance(lower["key"], str) and isinstance(lower["value"], str)
    return lower["key"] if both_text else ""


def _whole(value: Mapping[str, Any]) -> frozenset[str]:
    """Return the members of which nothing is kept: a text record, what a request has to carry."""
    if value.get("Type") == "TXT":
        return frozenset({"ResourceRecords"})
    return _SOUGHT if seeks_credentials(value) else _CARRIED


def seeks_credentials(statement: Mapping[str, Any]) -> bool:
    """Whether a web ACL's statement names what a header, a cookie, a query or a body has to hold."""
    field = statement.get("FieldToMatch")
    return isinstance(field, dict) and not _PLACE.issuperset(field) and not _SOUGHT.isdisjoint(statement)


@functools.cache
def _is_hidden(name: str) -> bool:
    return bool(_FREE_TEXT.search(name)) or _is_secret_name(name)


@functools.cache
def _is_secret_name(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS_NAME.search(name)


def _secrets_of(environment: Mapping[str, str]) -> Iterable[str]:
    telling = {v for k, v in environment.items() if _SECRET_NAME.search(k)}
    in_urls = {unquote(found["password"]) for v in environment.values() for found in _PASSWORD.finditer(v)}
    return {value for value in telling | in_urls if len(value) >= _SHORTEST and not value.isdigit()}


def _forms(secret: str) -> Iterator[str]:
    """Give the ways in which a value travels: as it is, in a URL, in base64."""
    yield secret
    yield quote(secret, safe="")
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    yield encoded
    yield encoded.replace("+", "-").replace("/", "_")
