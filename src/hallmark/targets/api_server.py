"""How a Kubernetes API server is reached, and what each way of not answering means.

A kubeconfig is used where one is named. Otherwise the cluster is found as ``aws eks get-token`` finds it: endpoint
and certificate from EKS, and as token a signed question to STS that only the server may ask (EKS User Guide,
"Cluster authentication"). Answers are the server's own JSON, not the client's model objects.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import IncompleteRead
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit

from kubernetes import client, config
from kubernetes.client.rest import RESTClientObject
from kubernetes.config.config_exception import ConfigException
from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.util.retry import Retry
from yaml import YAMLError

from hallmark.errors import UsageError
from hallmark.model import Call, Status
from hallmark.targets.aws import AwsSource
from hallmark.targets.profile import Profile
from hallmark.targets.unanswered import Expired, NotAnswered

_BUSY = (429, 500, 502, 503, 504)
"""Worth another try; the server says when by ``Retry-After`` (Kubernetes, "API Priority and Fairness")."""
_MEANING = {
    401: (Status.FAILED, "credentials"),
    403: (Status.DENIED, "denied"),
    408: (Status.FAILED, "timeout"),
    429: (Status.FAILED, "throttled"),
    504: (Status.FAILED, "timeout"),
}
_NOT_FOUND, _GONE, _REDIRECT = 404, 410, 300
_CLUSTER_HEADER = "x-k8s-aws-id"
_TOKEN_SECONDS = 60
_CONNECTIONS = 32
_MALFORMED = (ConfigException, YAMLError, TypeError, AttributeError, KeyError, ValueError)
"""What the client raises on a kubeconfig of another shape than it expects."""


@dataclass(frozen=True)
class Reply:
    """What the server said to a change.

    Attributes:
        status: HTTP status.
        reason: Kubernetes' own word for a refusal, for example ``Invalid``; empty for none.
        is_first: Whether the first try was answered, so that no earlier one can have done anything.
    """

    status: int
    reason: str
    is_first: bool


class ApiServer:
    """One API server, reached.

    Args:
        profile: Which cluster, and how it is reached.
        attempts: Tries per request; the pause between them grows, or is what the server asks for.

    Raises:
        NotAnswered: EKS does not say where the cluster is.
        UsageError: The kubeconfig cannot be used.
    """

    def __init__(self, profile: Profile, attempts: int = 4) -> None:
        self._timeout = Timeout(connect=min(5, profile.deadline), read=min(20, profile.deadline))
        self._configuration = _configuration(profile)
        self._configuration.retries = Retry(
            total=attempts - 1,
            connect=min(1, attempts - 1),
            read=min(1, attempts - 1),  # a kept connection may have been closed by the other side
            other=0,  # a certificate that does not fit now does not fit a second later
            status_forcelist=_BUSY,
            allowed_methods=None,  # reviews change nothing, and whatever a fault writes may be repeated
            backoff_factor=0.3,
            backoff_jitter=0.3,
            raise_on_status=False,
        )
        self._configuration.connection_pool_maxsize = _CONNECTIONS
        self._pool = RESTClientObject(self._configuration).pool_manager

    def get(self, path: str, accept: str = "application/json", **query: str) -> dict[str, Any]:
        """Read *path*.

        Raises:
            NotAnswered: There is no such thing, it is refused, or the server cannot be reached.
            Expired: The next page of a list is gone.
        """
        return self._answer("GET", f"{path}?{urlencode(query)}" if query else path, accept)

    def review(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask what one may do. A POST by form only: the server answers a review and stores nothing."""
        return self._answer("POST", path, "application/json", json.dumps(body).encode())

    def change(self, method: str, path: str, body: Any, content_type: str) -> Reply:
        """Make one change, which has to be one that may be repeated: a busy server is asked again.

        Raises:
            NotAnswered: The server cannot be reached; whether the change was made nobody knows.
        """
        reply = self._request(method, path, "application/json", json.dumps(body).encode(), content_type)
        history = reply.retries.history if reply.retries else ()
        refused = reply.status >= _REDIRECT
        return Reply(reply.status, str(_json(reply.data).get("reason", "")) if refused else "", not history)

    def _answer(self, method: str, path: str, accept: str, body: bytes | None = None) -> dict[str, Any]:
        reply = self._request(method, path, accept, body, "application/json")
        return _read(reply.status, reply.data)

    def _request(self, method: str, path: str, accept: str, body: bytes | None, content_type: str) -> BaseHTTPResponse:
        headers = {"Accept": accept, "Content-Type": content_type, "User-Agent": "hallmark"}
        for setting in self._configuration.auth_settings().values():
            headers[setting["key"]] = setting["value"]
        url = f"{self._configuration.host}{path}"
        try:
            reply: BaseHTTPResponse = self._pool.request(
                method, url, headers=headers, body=body, timeout=self._timeout, redirect=False
            )
        except HTTPError as error:
            raise _unreached(error) from error
        return reply


def _read(status: int, body: bytes) -> dict[str, Any]:
    if status == _GONE:
        raise Expired
    value = _json(body)
    if status == _NOT_FOUND and (value.get("kind") == "Status" or body.startswith(b"404 page not found")):
        raise NotAnswered(Status.ABSENT, "NotFound", "the server has no such thing")
    if status in _MEANING:
        raise NotAnswered(*_MEANING[status], f"HTTP {status}")
    if status >= _REDIRECT and status != _NOT_FOUND:
        raise NotAnswered(Status.FAILED, "server", f"HTTP {status}")
    if status == _NOT_FOUND or not value:  # something else than an API server has answered
        raise NotAnswered(Status.FAILED, "malformed", f"HTTP {status} without a Kubernetes object")
    return value


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _unreached(error: HTTPError) -> NotAnswered:
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    name = type(reason).__name__
    # To urllib3 a refused connection is a kind of time-out.
    if isinstance(reason, (ConnectTimeoutError, ReadTimeoutError)) and not isinstance(reason, NewConnectionError):
        return NotAnswered(Status.FAILED, "timeout", name)
    if isinstance(reason, ProtocolError) and any(isinstance(cause, IncompleteRead) for cause in reason.args):
        return NotAnswered(Status.FAILED, "truncated", "the answer was cut short")
    return NotAnswered(Status.FAILED, "unreachable", name)


def _configuration(profile: Profile) -> Any:
    """Return the client's configuration: where, which certificate authority, who."""
    configuration = client.Configuration()
    if profile.kubeconfig:
        _load_file(profile, configuration)
    else:
        _load_of_eks(profile, configuration)
    if _is_loopback(configuration.host):
        configuration.proxy = None  # as kubectl does: nothing on this machine is reached through a proxy
    return configuration


def _load_file(profile: Profile, configuration: Any) -> None:
    path, load = profile.kubeconfig, _untyped(config.load_kube_config)
    try:
        load(path, profile.context or None, configuration, persist_config=False)
    except (*_MALFORMED, OSError) as error:
        hint = f"kubectl --kubeconfig {path} config get-contexts"
        raise UsageError(f"the kubeconfig {path} cannot be used ({type(error).__name__}).", hint) from error


def _load_of_eks(profile: Profile, configuration: Any) -> None:
    content, load = _of_eks(profile), _untyped(config.load_kube_config_from_dict)
    try:
        load(content, None, configuration, persist_config=False)
    except _MALFORMED as error:
        message = f"EKS describes cluster {profile.cluster} in a form that cannot be used"
        raise NotAnswered(Status.FAILED, "malformed", message) from error


def _untyped(function: Any) -> Any:
    """Hide from mypy that the client has no annotations here."""
    return function


def _of_eks(profile: Profile) -> dict[str, Any]:
    """Return the kubeconfig that ``aws eks update-kubeconfig`` would write, with the token in it."""
    aws = AwsSource(profile)
    answer = aws.answer(Call.of("eks", "describe_cluster", name=profile.cluster))
    if answer.status is Status.ABSENT:
        raise NotAnswered(Status.FAILED, "unreachable", f"there is no EKS cluster {profile.cluster}")
    if answer.status is not Status.OBSERVED:
        raise NotAnswered(answer.status, answer.code, answer.message)
    found = answer.value["cluster"]
    if not found.get("endpoint"):
        raise NotAnswered(Status.FAILED, "unreachable", f"EKS cluster {profile.cluster} has no endpoint yet")
    cluster = {"server": found["endpoint"], "certificate-authority-data": found["certificateAuthority"]["data"]}
    name = profile.cluster
    return {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": _token(aws, name)}}],
    }


def _token(aws: AwsSource, cluster: str) -> str:
    """Return a token as ``aws eks get-token`` makes it; it is good for this cluster only, and for 15 minutes."""
    sts: Any = aws.client("sts")
    sts.meta.events.register("before-sign.sts.GetCallerIdentity", _naming(cluster))
    url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=_TOKEN_SECONDS, HttpMethod="GET")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _naming(cluster: str) -> Any:
    def add(request: Any, **_: Any) -> None:
        request.headers[_CLUSTER_HEADER] = cluster

    return add


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
