"""Reading a target for a fault: fresh answers, one call at a time, never more than a grade may read."""

from collections.abc import Mapping
from typing import Any

from hallmark.errors import Absent
from hallmark.evidence.collect import Source
from hallmark.evidence.snapshot import Evidence, Snapshot
from hallmark.model import Call


class Reader:
    """Asks a target now. What was true a second ago may not be any more, so nothing is kept.

    Args:
        source: What answers.
        scope: Which system is meant, see :meth:`hallmark.targets.profile.Profile.scope`.
    """

    def __init__(self, source: Source, scope: Mapping[str, str]) -> None:
        self._source = source
        self.scope = scope

    def ask(self, service: str, operation: str, **params: Any) -> Any:
        """Return what is there.

        Raises:
            Absent: There is no such thing.
            Unobservable: Denied or failed.
        """
        call = Call.of(service, operation, **params)
        return Snapshot({call.key: self._source.answer(call)}).ask(call)

    def ask_or(self, default: Any, service: str, operation: str, **params: Any) -> Any:
        """Return what is there, *default* when there is no such thing."""
        try:
            return self.ask(service, operation, **params)
        except Absent:
            return default


class Recalled(Reader):
    """Asks evidence instead of a target, stored or growing: so that a grade can tell whether a fault is still there.

    Args:
        evidence: What was collected.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.scope = evidence.scope

    def ask(self, service: str, operation: str, **params: Any) -> Any:
        """Return what was there.

        Raises:
            Absent: There was no such thing.
            Unobservable: Denied, failed or not collected.
        """
        return self._evidence.ask(Call.of(service, operation, **params))
