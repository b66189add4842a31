"""What the API server answers when it refuses: a ``Status`` object with a code, a reason and words.

Clients decide by the reason and print the message, so both are the real server's (Kubernetes API conventions,
"Response Status Kind"; apimachinery ``pkg/api/errors``).
"""

from collections.abc import Sequence
from typing import Any

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
CAUSES = {
    "Required value": "FieldValueRequired",
    "Not found": "FieldValueNotFound",
    "Duplicate value": "FieldValueDuplicate",
    "Unsupported value": "FieldValueNotSupported",
    "Forbidden": "FieldValueForbidden",
    "Too long": "FieldValueTooLong",
    "Too many": "FieldValueTooMany",
}
NO_SUCH_PATH = "the server could not find the requested resource"


class Refusal(Exception):
    """The request is answered with a failure.

    Args:
        code: HTTP status code.
        message: For the person who reads it.
        reason: For programs; by default the one that goes with the code.
        details: Name, group, kind, causes.
        headers: HTTP headers of the answer.
    """

    def __init__(
        self,
        code: int,
        message: str,
        reason: str = "",
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason or REASONS.get(code, "")
        self.details = details
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The ``Status`` object."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details is not None:
            body["details"] = self.details
        return body | {"code": self.code}


def about(group: str, kind: str, name: str = "", **more: Any) -> dict[str, Any]:
    """The details of a status; what is empty is left out."""
    return {key: value for key, value in {"name": name, "group": group, "kind": kind, **more}.items() if value}


def success(group: str, kind: str, name: str, uid: str) -> dict[str, Any]:
    """The ``Status`` of something that worked and has no object to show."""
    details = about(group, kind, name, uid=uid)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def done() -> dict[str, Any]:
    """The ``Status`` of a subresource's action."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}


def no_such_path() -> Refusal:
    """Nothing is served there."""
    return Refusal(404, NO_SUCH_PATH, details={})


def not_found(group: str, plural: str, name: str) -> Refusal:
    """There is no object of that name."""
    return Refusal(404, f'{_qualified(group, plural)} "{name}" not found', details=about(group, plural, name))


def already_exists(group: str, plural: str, name: str) -> Refusal:
    """There is an object of that name."""
    message = f'{_qualified(group, plural)} "{name}" already exists'
    return Refusal(409, message, "AlreadyExists", about(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str = "") -> Refusal:
    """Somebody else changed the object since it was read, or a precondition does not hold."""
    because = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {_qualified(group, plural)} "{name}": {because}'
    return Refusal(409, message, details=about(group, plural, name))


def forbidden(group: str, plural: str, name: str, why: str, causes: Sequence[dict[str, str]] = ()) -> Refusal:
    """Admission refuses the object."""
    message = f'{_qualified(group, plural)} "{name}" is forbidden: {why}'
    return Refusal(403, message, details=about(group, plural, name, causes=list(causes)))


def invalid(group: str, kind: str, name: str, errors: Sequence[str]) -> Refusal:
    """Validation refuses the object.

    Args:
        group: API group, empty for the core group.
        kind: Kind of the object.
        name: Its name, may be empty.
        errors: Each ``field: Kind of error: more``.
    """
    listed = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
    message = f'{_qualified(group, kind)} "{name}" is invalid: {listed}'
    return Refusal(422, message, details=about(group, kind, name, causes=[_cause(error) for error in errors]))


def expired(message: str) -> Refusal:
    """What was asked for is too old to be answered; the client lists again."""
    return Refusal(410, message)


def _cause(error: str) -> dict[str, str]:
    field, _, message = error.partition(": ")
    reason = CAUSES.get(message.partition(":")[0], "FieldValueInvalid")
    return {"reason": reason, "message": message, "field": field}


def _qualified(group: str, kind: str) -> str:
    return f"{kind}.{group}" if group else kind
