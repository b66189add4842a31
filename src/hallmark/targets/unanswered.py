"""What asking a Kubernetes API server may end in, other than an answer."""

from hallmark.model import Status


class NotAnswered(Exception):
    """The server did not give what was asked for.

    Args:
        status: Absent, denied or failed.
        code: Machine-readable cause, see :class:`hallmark.errors.Unobservable`.
        message: A few words of ours: what servers and kubeconfigs say may hold secrets.
    """

    def __init__(self, status: Status, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Expired(Exception):
    """A list is too old to be continued: the server has forgotten the state it began with (HTTP 410)."""
