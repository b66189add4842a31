"""Masking: Kubernetes objects without anything in them that people may have written a secret into.

What is kept is named here, everything else of that kind is replaced by a salted digest: annotations, labels of
one's own, environment values, arguments, headers, messages, ConfigMap entries. Equal texts have equal digests, so a
selector still fits its labels. Of kinds Hallmark does not know, only the metadata is kept.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hallmark.targets.leaks import kind_of, leaks

_LABELS = re.compile(
    r"^(([\w.-]+\.)?(kubernetes\.io|k8s\.io|k8s\.aws|amazonaws\.com|helm\.sh|external-secrets\.io)/.*"
    r"|app|k8s-app|component|tier|role|name|owner|status|version|control-plane|modifiedAt"
    r"|pod-template-hash|controller-revision-hash|pod-template-generation|job-name|controller-uid)$"
)
"""Labels that Kubernetes, EKS, Helm and the usual controllers give meaning to."""
_ANNOTATIONS = re.compile(
    r"^(alb\.ingress\.kubernetes\.io/(scheme|target-type|listen-ports|ssl-redirect|ssl-policy|certificate-arn"
    r"|wafv2-acl-arn|healthcheck-path|load-balancer-attributes|inbound-cidrs|group\.name|group\.order|subnets"
    r"|security-groups|load-balancer-name|backend-protocol|ip-address-type)"
    r"|service\.beta\.kubernetes\.io/aws-load-balancer-(type|scheme|internal)"
    r"|eks\.amazonaws\.com/(role-arn|audience|token-expiration|sts-regional-endpoints)"
    r"|(meta\.helm\.sh|helm\.sh|deployment\.kubernetes\.io|pv\.kubernetes\.io|volume\.kubernetes\.io)/[\w.-]+"
    r"|volume\.beta\.kubernetes\.io/storage-provisioner|kubernetes\.io/ingress\.class"
    r"|storageclass(\.beta)?\.kubernetes\.io/is-default-class|kubectl\.kubernetes\.io/restartedAt"
    r"|cluster-autoscaler\.kubernetes\.io/last-updated|external-dns\.alpha\.kubernetes\.io/hostname"
    r"|node\.alpha\.kubernetes\.io/ttl|volumes\.kubernetes\.io/controller-managed-attach-detach)$"
)
_VARIABLES = re.compile(
    r"^(S3_BUCKET_NAME|S3_RUN_MANIFEST_BUCKET_NAME|S3_API_URL|BLOB_STORAGE_ENGINE|MIN_BLOB_STORAGE_SIZE_KB|AUTH_TYPE"
    r"|VITE_BACKEND_AUTH_TYPE|LANGSMITH_URL|TRACE_TIER_TTL_DURATION_SEC_MAP|LANGCHAIN_ENV|LOG_LEVEL|OTLP_ENDPOINT"
    r"|CLICKHOUSE_(HOST|PORT|NATIVE_PORT|DB|TLS|CLUSTER|HYBRID)|[A-Z_]+_IAM_AUTH_PROVIDER|POSTGRES_SCHEMA"
    r"|AWS_(ROLE_ARN|WEB_IDENTITY_TOKEN_FILE|REGION|DEFAULT_REGION|STS_REGIONAL_ENDPOINTS)"
    r"|AWS_CONTAINER_(CREDENTIALS_FULL_URI|AUTHORIZATION_TOKEN_FILE)"
    r"|(HOST_BACKEND|SMITH_BACKEND|GO|GO_ACE|PLAYGROUND)_ENDPOINT(_PUBLIC)?|OAUTH_SCOPES)$"
)
"""Variables whose literal value says how the application is set up (LangSmith chart 0.16) or what AWS put there."""
_PARAMETERS = frozenset({
    "type", "iops", "throughput", "encrypted", "fsType", "csi.storage.k8s.io/fstype", "iopsPerGB", "kmsKeyId",
    "allowAutoIOPSPerGBIncrease", "secretProviderClass",
})  # fmt: skip
_SCALAR = re.compile(r"^(true|false|-?\d{1,12}(\.\d{1,6})?)?$", re.IGNORECASE)
_ARGUMENT = re.compile(r"^(?P<flag>--?[A-Za-z][\w.-]*=)(?P<value>.*)$", re.DOTALL)
_DROPPED = frozenset({"managedFields", "images"})
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TEXTS = frozenset({"message", "note", "description"})
_AUTOSCALER_STATUS = "cluster-autoscaler-status"
"""The one ConfigMap whose name and form Cluster Autoscaler fixes; it holds a status and nothing else."""


class Mask:
    """Replaces what may be secret in Kubernetes objects.

    Args:
        salt: Salt of the digests; a fresh one each time, never stored.
    """

    def __init__(self, salt: bytes | None = None) -> None:
        self._salt = salt or secrets.token_bytes(16)

    def digest(self, value: str) -> str:
        """Return a stand-in for *value*: equal values have equal ones, and nobody can guess back."""
        return f"<redacted {hashlib.blake2b(value.encode(), key=self._salt, digest_size=6).hexdigest()}>"

    def built_in(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return an object of a built-in kind, masked."""
        masked = {k: self._member(k, v) for k, v in value.items() if k not in {"data", "binaryData", "stringData"}}
        if value.get("data") and value.get("metadata", {}).get("name") == _AUTOSCALER_STATUS:
            return masked | {"data": dict(value["data"])}
        return masked | ({"data": self._variables(value["data"])} if value.get("data") else {})

    def custom(self, value: dict[str, Any], kept: Sequence[str]) -> dict[str, Any]:
        """Return metadata and conditions of an object of a custom kind, and the paths in *kept* (see :func:`pick`)."""
        masked: dict[str, Any] = {"metadata": self._member("metadata", value.get("metadata", {}))}
        conditions = value.get("status", {}).get("conditions", []) if isinstance(value.get("status"), dict) else []
        if conditions:
            masked["status"] = {"conditions": self._member("conditions", conditions)}
        for path in kept:
            masked = merged(masked, pick(value, path.split(".")))
        return masked

    def variable(self, name: str, value: str) -> dict[str, Any]:
        """Return what may be known of a literal value: itself where it is harmless, else facts about it.

        ``leak`` says what kind of secret it looks like, ``url`` where a URL leads.
        """
        leak = next((each.kind for each in leaks(value, name)), "") if "\n" in value else kind_of(name, value)
        harmless = not leak and (_VARIABLES.match(name) or _SCALAR.match(value))
        found: dict[str, Any] = {"value": value if harmless else self.digest(value)}
        if leak:
            found["leak"] = leak
        if where := url_facts(value):
            found["url"] = where
        return found

    def _variables(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.variable(name, str(value)) for name, value in data.items()}

    def _member(self, name: str, value: Any) -> Any:
        match value:
            case dict():
                return self._mapping(name, value)
            case list():
                return self._list(name, value)
            case str() if name in _TEXTS:
                return self.digest(value) if value else value
            case str() if name == "path":
                return value.partition("?")[0]
            case _:
                return value

    def _list(self, name: str, value: list[Any]) -> list[Any]:
        match name:
            case "env":
                return [self._environment(entry) for entry in value]
            case "command" | "args":
                return [self._argument(str(text)) for text in value]
            case "httpHeaders":
                return [{"name": one.get("name"), "value": self.digest(str(one.get("value")))} for one in value]
            case "matchExpressions":
                return [self._expression(expression) for expression in value]
            case _:
                return [self._member("", item) for item in value]

    def _mapping(self, name: str, value: dict[str, Any]) -> dict[str, Any]:
        flat = all(isinstance(item, str) for item in value.values())
        if name == "annotations":
            return {k: self._unless(_ANNOTATIONS.match(k), v) for k, v in value.items() if k != _LAST_APPLIED}
        if name in {"labels", "matchLabels", "nodeSelector"} or (name == "selector" and flat):
            return {k: self._unless(_LABELS.match(k), v) for k, v in value.items()}
        if name in {"parameters", "volumeAttributes", "options"}:
            return {k: self._unless(k in _PARAMETERS, v) for k, v in value.items()}
        masked = {k: self._member(k, v) for k, v in value.items() if k not in _DROPPED}
        return masked | ({"leaks": found} if (found := spoken(value)) else {})

    def _unless(self, kept: object, value: Any) -> Any:
        return value if kept or not isinstance(value, str) or not value else self.digest(value)

    def _environment(self, entry: dict[str, Any]) -> dict[str, Any]:
        if not entry.get("value"):
            return dict(entry)
        return {"name": entry["name"], **self.variable(str(entry["name"]), str(entry["value"]))}

    def _argument(self, text: str) -> str:
        if found := _ARGUMENT.match(text):
            value = found["value"]
            return found["flag"] + (value if _SCALAR.match(value) else self.digest(value))
        return text if text.startswith("-") and re.fullmatch(r"--?[a-z][a-z0-9-]{0,40}", text) else self.digest(text)

    def _expression(self, expression: dict[str, Any]) -> dict[str, Any]:
        values = [self._unless(_LABELS.match(str(expression.get("key"))), v) for v in expression.get("values", [])]
        return {**expression, "values": values} if values else dict(expression)


def spoken(container: Mapping[str, Any]) -> list[str]:
    """Say what kinds of secrets a command and its arguments hold: ``--name=value``, ``--name value`` or a script."""
    lists = [given for name in ("command", "args") if isinstance(given := container.get(name), list)]
    words = [str(word) for given in lists for word in given]
    kinds = (_spoken(before, word) for before, word in pairwise(["", *words]))
    return sorted({kind for kind in kinds if kind})


def _spoken(before: str, word: str) -> str:
    if found := _ARGUMENT.match(word):
        return kind_of(found["flag"].strip("-="), found["value"])
    if before.startswith("-") and "=" not in before and (kind := kind_of(before.lstrip("-"), word)):
        return kind
    return next((each.kind for each in leaks(word, ".env")), "")


def url_facts(value: str) -> dict[str, Any]:
    """Return where a URL leads and how, without user, password or path; empty when it is none.

    ``scheme``, ``host``, ``port``, ``userinfo``, ``password``, ``sslmode``. Before ``user:password@host`` the scheme
    may be missing, as the platform's documentation writes it. A port that is none is -1.
    """
    written = value.strip()
    has_scheme = re.match(r"^[a-z][a-z0-9+.-]*://", written, re.IGNORECASE)
    if not has_scheme and not re.match(r"^[^\s/@:]*:[^\s@]*@[\w.-]+(:\d+)?(/|$)", written):
        return {}
    try:
        parts = urlsplit(written if has_scheme else f"//{written}")
        port = parts.port
    except ValueError:
        return {"scheme": "", "host": "", "port": -1, "userinfo": "@" in written, "password": False, "sslmode": ""}
    return {
        "scheme": parts.scheme,
        "host": parts.hostname or "",
        "port": port or 0,
        "userinfo": parts.username is not None,
        "password": bool(parts.password),
        "sslmode": "".join(parse_qs(parts.query).get("sslmode", [])[:1]),
    }


def pick(value: Any, path: Sequence[str]) -> Any:
    """Return *value* with nothing but what *path* leads to; ``name[]`` enters a list, ``*`` any name.

    >>> pick({"spec": {"data": [{"key": "a", "value": "b"}]}}, ["spec", "data[]", "key"])
    {'spec': {'data': [{'key': 'a'}]}}
    """
    if not path:
        return value
    name, rest = path[0], path[1:]
    if not isinstance(value, dict):
        return {}
    names = list(value) if name == "*" else [name.removesuffix("[]")]
    found: dict[str, Any] = {}
    for each in names:
        inner = value.get(each)
        if name.endswith("[]") and isinstance(inner, list):
            found[each] = [pick(item, rest) for item in inner]
        elif inner is not None and not name.endswith("[]"):
            found[each] = pick(inner, rest)
    return found


def merged(one: Any, other: Any) -> Any:
    """Lay picked parts of one object over each other."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {k: merged(one[k], v) if k in one else v for k, v in other.items()}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [merged(a, b) for a, b in zip(one, other, strict=True)]
    return other
