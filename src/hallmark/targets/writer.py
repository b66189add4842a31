"""Writing to AWS: a closed list of operations, made in one place. Only faults write."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hallmark.errors import AuthorError
from hallmark.model import Call, Status
from hallmark.targets import certificates, stores
from hallmark.targets.aws import AwsSource

WRITES = frozenset({
    ("acm", "delete_certificate"),
    ("acm", "import_certificate"),
    ("ec2", "authorize_security_group_ingress"),
    ("ec2", "modify_volume"),
    ("ec2", "revoke_security_group_ingress"),
    ("eks", "update_nodegroup_config"),
    ("elasticache", "replace_auth_token"),
    ("elasticache", "restore_auth_token"),
    ("elasticache", "set_cache_parameter"),
    ("rds", "start_db_instance"),
    ("rds", "stop_db_instance"),
    ("secretsmanager", "restore_secret_version"),
    ("secretsmanager", "spoil_secret_value"),
    ("iam", "attach_role_policy"),
    ("iam", "delete_role_policy"),
    ("iam", "detach_role_policy"),
    ("iam", "put_role_policy"),
    ("iam", "update_assume_role_policy"),
    ("route53", "change_resource_record_sets"),
    ("wafv2", "update_web_acl"),
})  # fmt: skip
"""Every write a fault may make; what is more than one call has a name of ours. None of them can lose data, but for one:
a cache that is let evict forgets what is queued once its memory is full. That is the symptom of that fault."""

_ALREADY = frozenset(
    {"InvalidPermission.Duplicate", "InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound"}
)
_GONE = frozenset({
    "InvalidGroup.NotFound", "InvalidVolume.NotFound", "NoSuchEntity", "NoSuchHostedZone", "ResourceNotFoundException",
    "WAFNonexistentItemException", "CacheParameterGroupNotFound", "DBInstanceNotFound", "ReplicationGroupNotFoundFault",
})  # fmt: skip
_REMOVALS = frozenset({"delete_role_policy", "detach_role_policy"})
"""Calls for which what is gone is as it is to be."""
_MOVED_ON = "WAFOptimisticLockException"
_TRIES = 3


class Outcome(StrEnum):
    """What became of a write."""

    DONE = "done"
    ALREADY = "already so"
    GONE = "gone"


class NotWritten(Exception):
    """AWS refused a write, or could not be reached.

    Args:
        code: AWS's error code, or the client error's class. AWS's message may carry values and is not kept.
        certain: AWS answered the first try with a refusal, so nothing was changed. Otherwise nobody knows.
    """

    def __init__(self, code: str, *, certain: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.certain = certain


class AwsWriter(AwsSource):
    """A source that can also make the writes on the list."""

    def write(self, call: Call) -> Outcome:
        """Make one write. What is so already counts as done, so that every write may be repeated.

        A web ACL may only be changed with its lock token. A call without one replaces whatever is there: the
        token is read just before, and read again when somebody else was faster. Volumes and node groups are read
        first, too: AWS takes a change that changes nothing for a change, and lets a volume have only a few a day.
        Certificates are imported and deleted by their mark, see :mod:`hallmark.targets.certificates`.

        Raises:
            NotWritten: AWS refused it, or could not be reached.
        """
        if (call.service, call.operation) not in WRITES:
            raise AuthorError(f"{call.service}.{call.operation} is not a write a fault may make.")
        if call.operation == "update_web_acl" and "LockToken" not in call.arguments:
            return self._replace_web_acl(call.arguments)
        if call.operation in stores.OPERATIONS:
            return self._change_store(call)
        if found := _present(call):
            return self._change(call, *found)
        if call.service == "acm":
            return self._certify(call)
        return self._send(call.service, call.operation, call.arguments)

    def _replace_web_acl(self, wanted: dict[str, Any]) -> Outcome:
        for attempt in range(_TRIES):
            found = self.answer(Call.of("wafv2", "get_web_acl", **{n: wanted[n] for n in ("Name", "Scope", "Id")}))
            if found.status is Status.ABSENT:
                return Outcome.GONE
            if found.status is not Status.OBSERVED:
                raise NotWritten(found.code)
            if _holds(found.value["WebACL"], wanted):
                return Outcome.ALREADY
            try:
                arguments = {**wanted, "LockToken": found.value["LockToken"]}
                return self._send("wafv2", "update_web_acl", arguments)
            except NotWritten as refusal:
                if refusal.code != _MOVED_ON or attempt == _TRIES - 1:
                    raise
        raise NotWritten(_MOVED_ON)

    def _change(self, call: Call, look: Call, part: Callable[[Any], Mapping[str, Any]]) -> Outcome:
        """Make a change unless it is made already."""
        found = self.answer(look)
        if found.status is Status.ABSENT:
            return Outcome.GONE
        if found.status is not Status.OBSERVED:
            raise NotWritten(found.code, certain=True)
        wanted = call.arguments.get("scalingConfig", call.arguments)
        if all(part(found.value).get(name) == value for name, value in wanted.items()):
            return Outcome.ALREADY
        return self._send(call.service, call.operation, call.arguments)

    def certificate(self, mark: str) -> str:
        """Return the ARN of the certificate with a mark; empty: there is none.

        Raises:
            NotWritten: ACM does not say.
        """
        try:
            return certificates.find(self.client("acm"), mark)
        except (ClientError, BotoCoreError) as error:
            raise NotWritten(_code(error), certain=True) from error

    def _certify(self, call: Call) -> Outcome:
        change = certificates.supply if call.operation == "import_certificate" else certificates.withdraw
        try:
            is_changed = change(self.client("acm"), **call.arguments)
        except (ClientError, BotoCoreError) as error:
            raise NotWritten(_code(error)) from error
        return Outcome.DONE if is_changed else Outcome.ALREADY

    def _change_store(self, call: Call) -> Outcome:
        try:
            is_changed = stores.OPERATIONS[call.operation](self.client, **call.arguments)
        except stores.Refused as refusal:
            raise NotWritten(refusal.code, certain=refusal.certain) from refusal
        except (ClientError, BotoCoreError) as error:
            if (code := _code(error)) in _GONE:
                return Outcome.GONE
            raise NotWritten(code) from error  # of several calls, earlier ones may have been made
        return Outcome.DONE if is_changed else Outcome.ALREADY

    def _send(self, service: str, operation: str, arguments: dict[str, Any]) -> Outcome:
        try:
            getattr(self.client(service), operation)(**arguments)
        except ClientError as error:
            return _meaning(operation, error)
        except BotoCoreError as error:
            raise NotWritten(type(error).__name__) from error
        return Outcome.DONE


def _present(call: Call) -> tuple[Call, Callable[[Any], Mapping[str, Any]]] | None:
    """Return how to look at what a call is about to change, and which part of the answer that is."""
    arguments = call.arguments
    match call.operation:
        case "update_nodegroup_config":
            which = {name: arguments[name] for name in ("clusterName", "nodegroupName")}
            return Call.of("eks", "describe_nodegroup", **which), lambda found: found["nodegroup"]["scalingConfig"]
        case "modify_volume":
            which = {"VolumeIds": [arguments["VolumeId"]]}
            return Call.of("ec2", "describe_volumes", **which), lambda found: found["Volumes"][0]
    return None


def _code(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"].get("Code", "Unknown"))
    return type(error).__name__


def _meaning(operation: str, error: ClientError) -> Outcome:
    code = _code(error)
    if code in _ALREADY or (code == "NoSuchEntity" and operation in _REMOVALS):
        return Outcome.ALREADY
    if code in _GONE:
        return Outcome.GONE
    about = error.response.get("ResponseMetadata", {})
    refused = HTTPStatus.BAD_REQUEST <= about.get("HTTPStatusCode", 0) < HTTPStatus.INTERNAL_SERVER_ERROR
    raise NotWritten(code, certain=refused and about.get("RetryAttempts", 0) == 0) from error


def _holds(acl: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(acl.get(name) == value for name, value in wanted.items() if name != "Scope")
