"""A Kubernetes cluster as a target: read-only questions, each failure with its own code.

Objects are masked before they leave this module (:mod:`hallmark.targets.masking`); Secrets are only ever answered
as facts about them.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hallmark.errors import AuthorError
from hallmark.model import Answer, Call, Status
from hallmark.targets.masking import Mask
from hallmark.targets.profile import Profile
from hallmark.targets.release import Undecodable, release
from hallmark.targets.secret_facts import RELEASES, secret
from hallmark.targets.unanswered import Expired, NotAnswered
from hallmark.waiting import until

if TYPE_CHECKING:
    from hallmark.targets.api_server import ApiServer

READINGS, READ_EVERY = 4, 2.0
"""How often queues are read, and seconds between two readings: what rises all the time is not worked off."""
PAGE = 500
"""Objects asked for at once, as kubectl does."""
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
"""All resources in two answers (Kubernetes API concepts, "Aggregated discovery")."""
BUILT_IN = frozenset({
    "", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "storage.k8s.io", "discovery.k8s.io",
    "events.k8s.io", "rbac.authorization.k8s.io", "scheduling.k8s.io", "apiregistration.k8s.io",
    "admissionregistration.k8s.io", "coordination.k8s.io",
})  # fmt: skip
_KEPT = {
    "externalsecrets": (
        *("spec.secretStoreRef", "spec.refreshPolicy", "spec.refreshInterval"),
        *("spec.data[].sourceRef.storeRef", "spec.dataFrom[].sourceRef.storeRef"),
        *("spec.target.name", "spec.target.creationPolicy"),
        *("spec.data[].secretKey", "spec.data[].remoteRef.key", "spec.data[].remoteRef.property"),
        *("spec.dataFrom[].extract.key", "status.refreshTime", "status.binding.name"),
    ),
    "secretstores": ("spec.provider.aws.service", "spec.provider.aws.region", "spec.provider.aws.role"),
    "clustersecretstores": ("spec.provider.aws.service", "spec.provider.aws.region", "spec.provider.aws.role"),
    "secretproviderclasses": (
        "spec.provider",
        "spec.secretObjects[].secretName",
        "spec.secretObjects[].type",
        "spec.secretObjects[].data[].key",
    ),
    "secretproviderclasspodstatuses": ("status.podName", "status.secretProviderClassName", "status.mounted"),
    "nodes": ("timestamp", "window", "usage"),
    "gatewayclasses": ("spec.controllerName",),
    "gateways": ("spec.gatewayClassName",),
    "httproutes": ("spec.parentRefs[].name", "spec.hostnames", "spec.rules[].backendRefs[].name"),
    "virtualservices": ("spec.gateways", "spec.hosts"),
    "targetgroupbindings": ("spec.serviceRef", "spec.targetType"),
}
"""What is kept of custom kinds besides metadata and conditions, by resource."""


class ClusterSource:
    """Answers calls of the service ``kubernetes``.

    Args:
        profile: Which cluster, and how it is reached; nobody is asked before the first call.
        attempts: Tries per request.
    """

    def __init__(self, profile: Profile, attempts: int = 4) -> None:
        self._profile = profile
        self._attempts = attempts
        self._mask = Mask()
        self._lock = threading.Lock()
        self._reached: ApiServer | Exception | None = None
        self._operations: dict[str, Callable[..., Any]] = {
            "list": self._list,
            "get": self._get,
            "release": self._release,
            "secrets": self._secrets,
            "discovery": self._discovery,
            "version": self._version,
            "can": self._can,
            "queues": self._queues,
        }

    def answer(self, call: Call) -> Answer:
        """Ask once and say what became of it; never raises for what the target did.

        ``list`` and ``get`` read objects (``group``, ``version``, ``resource``, ``namespace``, ``name``), ``release``
        a Helm release, ``secrets`` facts about the Secrets of a namespace, ``discovery`` which resources there are,
        ``version`` the server's, ``can`` whether whoever asks may do something, and ``queues`` how many entries wait in
        the application's queues, read a few times through the API server's proxy.
        """
        if call.operation not in self._operations or _is_of_secrets(call):
            raise AuthorError(f"kubernetes.{call.operation} {call.params} is not a read a grade may make.")
        started = time.monotonic()
        status, value, code, message = Status.OBSERVED, None, "", ""
        try:
            value = self._operations[call.operation](**call.arguments)
        except NotAnswered as cause:
            status, code, message = cause.status, cause.code, cause.message
        except Expired:
            status, code, message = Status.FAILED, "truncated", "the list changed faster than it could be read"
        except Undecodable as cause:
            status, code, message = Status.FAILED, "malformed", f"the release record is damaged ({cause})"
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            status, code, message = Status.FAILED, "malformed", f"an answer of another shape ({type(error).__name__})"
        prefixed = f"kubernetes.{call.operation} {_subject(call)}: {message}" if message else ""
        return Answer(status, value, code, prefixed, round((time.monotonic() - started) * 1000))

    @property
    def _server(self) -> "ApiServer":
        """The server, reached once for all calls; that it cannot be reached is found out once, too."""
        from hallmark.targets.api_server import ApiServer  # noqa: PLC0415  (0.3 s of the client's models)

        with self._lock:
            if self._reached is None:
                try:
                    self._reached = ApiServer(self._profile, self._attempts)
                except Exception as error:  # noqa: BLE001  (raised below, for each call)
                    self._reached = error
        if isinstance(self._reached, Exception):
            raise self._reached
        return self._reached

    def _list(self, version: str, resource: str, group: str = "", namespace: str = "") -> dict[str, Any]:
        items = self._items(_path(group, version, resource, namespace))
        return {"items": [self._masked(group, resource, item) for item in items]}

    def _get(self, version: str, resource: str, name: str, group: str = "", namespace: str = "") -> dict[str, Any]:
        value = self._server.get(f"{_path(group, version, resource, namespace)}/{name}")
        return self._masked(group, resource, value)

    def _masked(self, group: str, resource: str, value: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(value["metadata"], dict):
            raise TypeError("metadata is not a mapping")
        return masked(self._mask, group, resource, value)

    def _release(self, namespace: str, name: str) -> dict[str, Any]:
        found = self._items(_path("", "v1", "secrets", namespace), labelSelector=f"owner=helm,name={name}")
        records = [record for record in found if record.get("type") == RELEASES]
        if not records:
            raise NotAnswered(Status.ABSENT, "NotFound", f"there is no Helm release {name} in namespace {namespace}")
        return release(records, self._mask)

    def _secrets(self, namespace: str) -> dict[str, Any]:
        found = self._items(_path("", "v1", "secrets", namespace), fieldSelector=f"type!={RELEASES}")
        return {"items": [facts for one in found if (facts := secret(one, self._mask))]}

    def _discovery(self) -> dict[str, Any]:
        served: dict[str, list[str]] = {}
        for path in ("/api", "/apis"):
            answer = self._server.get(path, accept=_AGGREGATED)
            if answer.get("kind") == "APIGroupDiscoveryList":
                served |= _aggregated(answer)
            else:
                served |= {name: self._resources(name) for name in _group_versions(answer)}
        return {"resources": served}

    def _resources(self, group_version: str) -> list[str]:
        prefix = "/apis" if "/" in group_version else "/api"
        answer = self._server.get(f"{prefix}/{group_version}")
        return sorted(one["name"] for one in answer["resources"] if "/" not in one["name"])

    def _version(self) -> dict[str, Any]:
        answer = self._server.get("/version")
        return {name: str(answer[name]) for name in ("gitVersion", "major", "minor")}

    def _can(self, verb: str, resource: str, group: str = "", namespace: str = "") -> dict[str, Any]:
        attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
        body = {"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = self._server.review(path, {"apiVersion": "authorization.k8s.io/v1", **body})
        return {"allowed": answer["status"]["allowed"] is True}

    def _queues(self, namespace: str, name: str, port: str) -> dict[str, Any]:
        path = f"/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy/metrics"
        readings = [_pending(self._server.get(path, format="json"))]
        for _ in range(READINGS - 1):
            until(lambda: False, READ_EVERY, READ_EVERY)
            readings.append(_pending(self._server.get(path, format="json")))
        return {"readings": readings}

    def _items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Read a list whole. One that is outdated while its pages are read is begun again, once.

        Raises:
            Expired: It was outdated again.
        """
        try:
            return self._pages(path, query)
        except Expired:
            return self._pages(path, query)

    def _pages(self, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        more, seen = "", set[str]()
        while True:
            page = {"limit": str(PAGE), **query, **({"continue": more} if more else {})}
            answer = self._server.get(path, **page)
            if not isinstance(answer["items"], list):
                raise TypeError("items is not a list")
            found += answer["items"]
            more = answer.get("metadata", {}).get("continue") or ""
            if not more:
                return found
            if more in seen:
                raise ValueError("the pages go round in a circle")
            seen.add(more)


def masked(mask: Mask, group: str, resource: str, value: dict[str, Any]) -> dict[str, Any]:
    """Return what evidence may hold of an object: of a custom kind only what is asked for."""
    return mask.built_in(value) if group in BUILT_IN else mask.custom(value, _KEPT.get(resource, ()))


def defects(operation: str, value: Any) -> list[str]:
    """Describe where a stored answer departs from what :class:`ClusterSource` gives; empty when it does not."""
    checks: dict[str, Callable[[Any], bool]] = {
        "list": lambda v: _all_objects(v["items"]),
        "secrets": lambda v: _all_objects(v["items"]) and all(isinstance(i["keys"], dict) for i in v["items"]),
        "get": _is_object,
        "release": lambda v: (
            isinstance(v["status"], str)
            and isinstance(v["revision"], int)
            and isinstance(v["chart"], dict)
            and isinstance(v["values"], dict)
            and isinstance(v["leaks"], dict)
        ),
        "discovery": lambda v: all(isinstance(names, list) for names in v["resources"].values()),
        "version": lambda v: isinstance(v["gitVersion"], str),
        "can": lambda v: isinstance(v["allowed"], bool),
        "queues": lambda v: bool(v["readings"]) and all(map(_is_counts, v["readings"])),
    }
    if operation not in checks:
        return [f"kubernetes.{operation} is not a question about a cluster"]
    try:
        fits = checks[operation](value)
    except (KeyError, TypeError, AttributeError):
        fits = False
    return [] if fits else ["the answer has another shape"]


def _all_objects(items: Any) -> bool:
    return isinstance(items, list) and all(map(_is_object, items))


def _is_object(value: Any) -> bool:
    return (
        isinstance(value, dict) and isinstance(value["metadata"], dict) and isinstance(value["metadata"]["name"], str)
    )


def _pending(metrics: Mapping[str, Any]) -> dict[str, int]:
    """Keep how many entries wait in each queue: a number, and nothing that an application may say beside it."""
    found = {name: int(one["pending"]) for name, one in metrics.items() if isinstance(one, dict) and "pending" in one}
    if not found:
        raise ValueError("there is no queue in the metrics")
    return found


def _is_counts(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(each, int) for each in value.values())


def _is_of_secrets(call: Call) -> bool:
    return call.operation in {"list", "get"} and call.arguments.get("resource") == "secrets"


def _subject(call: Call) -> str:
    arguments = call.arguments
    return " ".join(str(arguments[n]) for n in ("resource", "namespace", "name") if arguments.get(n))


def _path(group: str, version: str, resource: str, namespace: str) -> str:
    prefix = f"/apis/{group}/{version}" if group else f"/api/{version}"
    return f"{prefix}/namespaces/{namespace}/{resource}" if namespace else f"{prefix}/{resource}"


def _aggregated(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        "/".join(filter(None, (group["metadata"].get("name", ""), version["version"]))): sorted(
            one["resource"] for one in version.get("resources", [])
        )
        for group in answer["items"]
        for version in group["versions"]
    }


def _group_versions(answer: Mapping[str, Any]) -> list[str]:
    if "groups" in answer:
        return [one["groupVersion"] for group in answer["groups"] for one in group["versions"]]
    return [str(name) for name in answer["versions"]]
