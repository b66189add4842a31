"""AWS as a target: read-only questions through boto3, each failure with its own code.

Clients are made through `localstack-client` where an emulator answers, and by plain boto3 for AWS.
"""

import datetime as dt
import json
import re
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import boto3
import localstack_client.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PaginationError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from hallmark.errors import AuthorError, UsageError
from hallmark.model import Answer, Call, Status
from hallmark.targets import shapes
from hallmark.targets.profile import Profile

READING = re.compile(r"^(describe|list|get|head|filter|simulate|lookup)_")
"""Operations a grade may call. Everything else is refused before it leaves the process."""
SECRET_READS = frozenset({
    ("secretsmanager", "get_secret_value"), ("secretsmanager", "batch_get_secret_value"),
    ("ssm", "get_parameter"), ("ssm", "get_parameters"), ("ssm", "get_parameters_by_path"),
    ("ssm", "get_parameter_history"),
})  # fmt: skip
"""Reads that hand out secret values: a grade never makes them (reference: facts 8.12)."""

SEARCHES = frozenset({"filter_log_events"})
"""Operations that are asked for the first few hits: pages before them may be empty (CloudWatch Logs API)."""

_ABSENT = re.compile(
    r"^(NoSuch\w*|.*NotFound\w*|.*DoesNotExist\w*|NonExistentQueue|WAFNonexistentItemException"
    r"|ReplicationGroupNotFoundFault|ServerSideEncryptionConfigurationNotFoundError|404)$"
)
_DENIED = re.compile(r"^(AccessDenied\w*|UnauthorizedOperation|AuthorizationError\w*|Forbidden|403)$")
_THROTTLED = re.compile(r"^(Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|SlowDown|.*LimitExceededException)$")
_CREDENTIALS = re.compile(
    r"^(ExpiredToken\w*|RequestExpired|InvalidClientTokenId|UnrecognizedClientException|AuthFailure"
    r"|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken\w*|IncompleteSignature|InvalidSignatureException)$"
)
_UNPARSED = (AttributeError, KeyError, TypeError, ValueError)
"""What botocore's parsers raise on an answer of another shape than they expect."""
_LIMITS = ("MaxResults", "MaxItems", "MaxRecords", "Limit", "limit", "maxResults")
_MORE = ("NextToken", "nextToken", "NextMarker", "Marker", "IsTruncated", "Truncated")


class AwsSource:
    """Answers calls about one AWS account and region.

    Args:
        profile: Which account, how it is reached.
        attempts: Tries per request, adaptive back-off between them.
    """

    def __init__(self, profile: Profile, attempts: int = 4) -> None:
        self._profile = profile
        self._clients: dict[str, BaseClient] = {}
        self._lock = threading.Lock()
        self._config = Config(
            connect_timeout=min(5, profile.deadline),
            read_timeout=min(20, profile.deadline),
            retries={"mode": "adaptive", "total_max_attempts": attempts},
            max_pool_connections=64,
            user_agent_extra="hallmark",
        )
        self._session = _session(profile)

    def answer(self, call: Call) -> Answer:
        """Ask once and say what became of it; never raises for what the target did."""
        if not READING.match(call.operation) or (call.service, call.operation) in SECRET_READS:
            raise AuthorError(f"{call.service}.{call.operation} is not a read a grade may make.")
        started = time.monotonic()
        try:
            value = _plain(self._ask(call))
        except (ClientError, BotoCoreError, *_UNPARSED) as error:
            return _refusal(call, error, _since(started))
        if cause := _cut_off(call, value):
            return Answer(
                Status.FAILED, None, "truncated", f"{call.service}.{call.operation}: {cause}", _since(started)
            )
        if wrong := shapes.defects(call.service, call.operation, value):
            return Answer(
                Status.FAILED,
                None,
                "malformed",
                f"{call.service}.{call.operation}: {wrong[0]}",
                _since(started),
            )
        return Answer(Status.OBSERVED, value, milliseconds=_since(started))

    def client(self, service: str) -> BaseClient:
        """The one client for *service*; creation is not thread safe in boto3, use is."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
                self._clients[service].meta.events.register("before-parse", _insist_on_whole)
                shapes.know(service, self._clients[service].meta.service_model)
            return self._clients[service]

    def _ask(self, call: Call) -> dict[str, Any]:
        client, arguments = self.client(call.service), call.arguments
        if client.can_paginate(call.operation) and not any(limit in arguments for limit in _LIMITS):
            pages: dict[str, Any] = client.get_paginator(call.operation).paginate(**arguments).build_full_result()
            return pages
        if call.operation in SEARCHES:
            limited = {"MaxItems": arguments.pop("limit")}
            found = client.get_paginator(call.operation).paginate(**arguments, PaginationConfig=limited)
            first: dict[str, Any] = found.build_full_result()
            return first
        answer: dict[str, Any] = getattr(client, call.operation)(**arguments)
        return answer

    def _new_client(self, service: str) -> BaseClient:
        region = "us-east-1" if service == "route53" else self._profile.region
        if not self._profile.is_local:
            return self._session.client(service, region_name=region, config=self._config)
        if service in self._session._service_endpoint_mapping:  # noqa: SLF001  (localstack-client offers no public test)
            return self._session.client(service, region_name=region, config=self._config)
        return boto3.client(  # as localstack-client does: what one session has read of services serves all
            service,
            region_name=region,
            config=self._config,
            endpoint_url=self._profile.endpoint,
            aws_access_key_id=self._profile.account,
            aws_secret_access_key="local",  # noqa: S106  (an emulator takes any)
        )


def _session(profile: Profile) -> Any:
    if profile.is_local:
        return localstack_client.session.Session(
            aws_access_key_id=profile.account,
            aws_secret_access_key="local",  # noqa: S106  (an emulator takes any)
            region_name=profile.region,
            localstack_host=urlsplit(profile.endpoint).netloc,
        )
    try:
        session = boto3.session.Session(profile_name=profile.profile or None, region_name=profile.region)
    except ProfileNotFound as error:
        raise UsageError(str(error), "aws configure list-profiles") from error
    return _assumed(session, profile) if profile.role_arn else session


def _assumed(session: boto3.session.Session, profile: Profile) -> boto3.session.Session:
    try:
        answer = session.client("sts").assume_role(RoleArn=profile.role_arn, RoleSessionName="hallmark-grade")
    except (ClientError, BotoCoreError) as error:
        hint = f"aws sts assume-role --role-arn {profile.role_arn} --role-session-name test"
        raise UsageError(f"cannot assume {profile.role_arn}: {_code(error)}.", hint) from error
    credentials = answer["Credentials"]
    return boto3.session.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=profile.region,
    )


def _insist_on_whole(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Refuse a body botocore would shrug off: cut short, or not JSON where the protocol is JSON.

    botocore reads such an answer as an empty one, and an empty list is an observation.

    Raises:
        ValueError: The body is not whole.
    """
    body, status = response_dict["body"], response_dict["status_code"]
    if status >= 300 or operation_model.has_streaming_output or not isinstance(body, bytes):  # noqa: PLR2004  (HTTP)
        return
    length = response_dict["headers"].get("Content-Length")
    if length is not None and int(length) != len(body) and "Content-Encoding" not in response_dict["headers"]:
        raise ValueError("the answer was cut short")
    if body and "json" in operation_model.service_model.protocol and not isinstance(json.loads(body), dict):
        raise ValueError("the answer is not a JSON object")


def _refusal(call: Call, error: Exception, milliseconds: int) -> Answer:
    code = _code(error)
    if isinstance(error, ClientError) and _ABSENT.match(code):
        return Answer(Status.ABSENT, None, code, f"{call.service}.{call.operation}: {code}", milliseconds)
    kind = _kind(error, code)
    status = Status.DENIED if kind == "denied" else Status.FAILED
    return Answer(status, None, kind, f"{call.service}.{call.operation}: {code}", milliseconds)


def _code(error: Exception) -> str:
    """The service's error code, or the client error's class: messages may carry values we must not keep."""
    return (
        str(error.response["Error"].get("Code", "Unknown")) if isinstance(error, ClientError) else type(error).__name__
    )


def _kind(error: Exception, code: str) -> str:
    match error:
        case ConnectTimeoutError() | ReadTimeoutError():
            return "timeout"
        case NoCredentialsError() | PartialCredentialsError() | TokenRetrievalError() | SSOError():
            return "credentials"
        case EndpointConnectionError() | BotoConnectionError():
            return "unreachable"
        case PaginationError():
            return "truncated"
        case ParamValidationError():
            raise AuthorError(f"a view asks with wrong parameters: {error}") from error
        case ClientError():
            return _service_kind(error, code)
        case _:
            return "malformed"


def _service_kind(error: ClientError, code: str) -> str:
    for pattern, kind in ((_DENIED, "denied"), (_THROTTLED, "throttled"), (_CREDENTIALS, "credentials")):
        if pattern.match(code):
            return kind
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return "denied" if status == 403 else "server"  # noqa: PLR2004  (HTTP's own number)


def _cut_off(call: Call, value: dict[str, Any]) -> str:
    """Say so when a list that was asked for whole came back in part."""
    if any(limit in call.arguments for limit in _LIMITS):
        return ""
    left = [name for name in _MORE if value.get(name)]
    return f"the answer goes on ({left[0]}) but was not delivered" if left else ""


def _plain(value: Any) -> Any:
    match value:
        case dict():
            # botocore's paginators add None for members AWS did not send.
            return {str(k): _plain(v) for k, v in value.items() if k != "ResponseMetadata" and v is not None}
        case list() | tuple():
            return [_plain(item) for item in value]
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return value


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
