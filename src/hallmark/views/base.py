"""What all views share: asking evidence, and reaching each other."""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hallmark.errors import Absent
from hallmark.evidence.snapshot import Evidence
from hallmark.model import Call

if TYPE_CHECKING:
    from hallmark.views.all import Views

__all__ = ["View", "cached_property", "tags"]


class View:
    """Questions about one part of the architecture.

    A *fact* is a cached property: it asks what it needs and returns plain data. It raises
    :class:`~hallmark.errors.Unobservable` when it could not be observed, and never guesses.

    Args:
        views: All views over the same evidence.
    """

    def __init__(self, views: "Views") -> None:
        self.views = views
        self.evidence: Evidence = views.evidence

    def scope(self, name: str) -> str:
        """Return a setting of the target, such as ``cluster`` or ``host``."""
        return self.evidence.scope.get(name, "")

    def ask(self, service: str, operation: str, **params: Any) -> Any:
        """Ask one call. Raises what :meth:`hallmark.evidence.snapshot.Evidence.ask` raises."""
        return self.evidence.ask(Call.of(service, operation, **params))

    def ask_or(self, default: Any, service: str, operation: str, **params: Any) -> Any:
        """Ask one call; *default* when the target answered that there is no such thing."""
        try:
            return self.ask(service, operation, **params)
        except Absent:
            return default

    def ask_all(self, calls: Iterable[Call]) -> list[Any]:
        """Ask independent calls together."""
        wanted = list(calls)
        self.evidence.need(wanted)
        return [self.evidence.ask(call) for call in wanted]

    def ask_all_or(self, default: Any, calls: Iterable[Call]) -> list[Any]:
        """Ask independent calls together; *default* in place of what is absent."""
        wanted = list(calls)
        self.evidence.need(wanted)
        return [self._one_or(default, call) for call in wanted]

    def _one_or(self, default: Any, call: Call) -> Any:
        try:
            return self.evidence.ask(call)
        except Absent:
            return default


def tags(resource: dict[str, Any]) -> dict[str, str]:
    """Return the tags of an AWS resource, in either of the two forms AWS uses, as a dictionary."""
    raw = resource.get("Tags") or resource.get("tags") or resource.get("TagList") or {}
    return dict(raw) if isinstance(raw, dict) else {tag["Key"]: tag.get("Value", "") for tag in raw}
