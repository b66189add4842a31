"""The platform as its users meet it: its way in, whom it lets in, and whether traces come back.

Nothing here goes by a status alone. A load balancer, a firewall and a single-page application answer as well, and
look healthy doing it: so a reply counts as the platform's by what it brings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from hallmark.errors import Absent, Unobservable
from hallmark.model import Call
from hallmark.views.base import View, cached_property

INFO = "/api/v1/info"
SESSIONS = "/api/v1/sessions?limit=1"
PROTECTED = (
    ("get", SESSIONS),
    ("post", "/api/v1/runs/query"),
    ("get", "/api/v1/datasets?limit=1"),
    ("get", "/api/v1/workspaces"),
)
"""What nobody may see without a key: operation and path."""
MODERN = frozenset({"TLSv1.2", "TLSv1.3"})
_GONE = frozenset({"refused", "closed"})
_BALANCER = "awselb"
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_UNSURE = {
    "timeout": "timeout",
    "late": "timeout",
    "unreachable": "unreachable",
    "denied": "denied",
    "malformed": "malformed",
}
"""Outcomes of a step that say nothing about the platform, and their causes."""
_WORDS = {
    "refused": "refused with status {status}",
    "page": "status {status}, but no data",
    "unseen": "accepted, and still not there after {seconds:.0f} s (status {status})",
    "altered": "came back other than it was sent",
    "empty": "accepted, and still without what was sent after {seconds:.0f} s (status {status})",
}


@dataclass(frozen=True)
class Handshake:
    """What the platform shows of itself.

    Attributes:
        version: The newest TLS version it speaks with this machine; empty: none.
        names: Names the certificate is for.
        issuer: Who vouches for it.
        not_after: Its last second, ISO 8601 UTC.
        problem: Why a careful client would turn back; empty: it would not.
        old: What became of each version before 1.2.
    """

    version: str
    names: tuple[str, ...]
    issuer: str
    not_after: str
    problem: str
    old: Mapping[str, str]

    @property
    def is_modern(self) -> bool:
        """Whether it speaks TLS 1.2 or later."""
        return self.version in MODERN

    @property
    def spoken(self) -> list[str]:
        """Versions before 1.2 that are spoken.

        Raises:
            Unobservable: An offer was not answered at all.
        """
        if unclear := [name for name, became in self.old.items() if became not in {*_GONE, "accepted"}]:
            raise Unobservable("timeout", f"no answer to an offer of {unclear[0]}")
        return [name for name, became in self.old.items() if became == "accepted"]


@dataclass(frozen=True)
class Reply:
    """What came back for one request.

    Attributes:
        path: What was asked for.
        status: HTTP status.
        content_type: Kind of content.
        server: Who says to have answered.
        location: Where it leads, if it does.
        shape: ``object``, ``list`` or ``value`` of JSON; empty: none.
        selected: What was kept of an object.
        method: HTTP method of the request.
    """

    path: str
    status: int
    content_type: str
    server: str
    location: str
    shape: str
    selected: Mapping[str, str]
    method: str = "GET"

    @property
    def is_data(self) -> bool:
        """Whether it is what was asked for: 200, and JSON."""
        return self.status == HTTPStatus.OK and bool(self.shape)

    @property
    def is_refusal(self) -> bool:
        """Whether the platform refused: a page, or a load balancer with its firewall, is not the platform."""
        by_platform = "html" not in self.content_type.lower() and not self.server.lower().startswith(_BALANCER)
        return self.status in _REFUSALS and by_platform

    @property
    def words(self) -> str:
        """It in a few words."""
        kind = self.content_type.partition(";")[0] or "no content"
        return f"{self.status}, {kind}" + (f", by {self.server}" if self.server else "")


@dataclass(frozen=True)
class Step:
    """One step of a trace's way.

    Attributes:
        name: For example ``small_read``.
        outcome: ``ok``, or what went wrong.
        status: HTTP status of the last reply; 0: none.
        server: Who says to have sent it.
        milliseconds: How long it took, waiting included.
    """

    name: str
    outcome: str
    status: int
    server: str
    milliseconds: int

    @property
    def is_read(self) -> bool:
        """Whether it asks for what an earlier step wrote."""
        return self.name.endswith(("_read", "query"))

    @property
    def by_balancer(self) -> bool:
        """Whether the load balancer answered by itself, or its firewall did."""
        return self.server.lower().startswith(_BALANCER)

    @property
    def words(self) -> str:
        """What went wrong, in a few words."""
        is_empty = self.is_read and self.outcome == "unseen" and self.status == HTTPStatus.OK
        text = _WORDS["empty" if is_empty else self.outcome].format(
            status=self.status, seconds=self.milliseconds / 1000
        )
        return f"{self.name}: {text}" + (" by the load balancer" if self.by_balancer else "")


@dataclass(frozen=True)
class RoundTrip:
    """A trace's way there and back; it ends with the first step that fails.

    Attributes:
        steps: The steps that were taken.
        complete: Whether all were, and all went well.
        is_clean: Whether nothing was left behind.
    """

    steps: tuple[Step, ...]
    complete: bool
    is_clean: bool

    def failure(self, *names: str) -> Step | None:
        """Return the first of the named steps that failed; None: all went well.

        Raises:
            Unobservable: One of them got no reply, or was not taken: an earlier one failed.
        """
        taken = {step.name: step for step in self.steps}
        for name in names:
            step = taken.get(name)
            if step is None:
                last = self.steps[-1].name if self.steps else "everything"
                raise Unobservable("undecidable", f"{name} was not tried: {last} failed before it")
            if step.outcome in _UNSURE:
                raise Unobservable(_UNSURE[step.outcome], f"{name} got no answer that decides ({step.outcome})")
            if step.outcome != "ok":
                return step
        return None

    def milliseconds(self, name: str) -> int:
        """Return how long a step took that was taken."""
        return next(step.milliseconds for step in self.steps if step.name == name)


class Platform(View):
    """The platform behind the host."""

    @property
    def url(self) -> str:
        """Its public address."""
        return f"https://{self.scope('host')}"

    @cached_property
    def handshake(self) -> Handshake:
        """Certificate and TLS versions."""
        raw = self.ask("platform", "handshake")
        return Handshake(
            raw["version"], tuple(raw["names"]), raw["issuer"], raw["not_after"], raw["problem"], dict(raw["old"])
        )

    @cached_property
    def redirect(self) -> Reply | None:
        """What port 80 answers; None: nobody listens there."""
        try:
            raw = self.ask("platform", "redirect")
        except Absent:
            return None
        return Reply("/", raw["status"], "", raw["server"], raw["location"], "", {})

    @cached_property
    def anonymous_info(self) -> Reply:
        """What the platform says of itself to everybody."""
        return self._reply("get", INFO)

    @cached_property
    def info(self) -> Reply:
        """What the platform says of itself, to everybody or, where it tells nobody else, to whoever has a key."""
        everybody = self.anonymous_info
        return self._reply("authorized", INFO) if everybody.is_refusal else everybody

    @cached_property
    def anonymous(self) -> Reply:
        """Projects, asked for without a key."""
        return self._reply("get", SESSIONS)

    @cached_property
    def forged(self) -> Reply:
        """Projects, asked for with a key that was made up."""
        return self._reply("forged", SESSIONS)

    @cached_property
    def authorized(self) -> Reply:
        """Projects, asked for with the key."""
        return self._reply("authorized", SESSIONS)

    @cached_property
    def protected(self) -> tuple[Reply, ...]:
        """What nobody may see, asked for without a key."""
        raw = self.ask_all(Call.of("platform", operation, path=path) for operation, path in PROTECTED)
        return tuple(
            _reply(path, one, operation.upper()) for (operation, path), one in zip(PROTECTED, raw, strict=True)
        )

    @cached_property
    def round_trip(self) -> RoundTrip:
        """A trace's way there and back."""
        return trip_of(self.ask("platform", "round_trip"))

    def days_left(self, moment: str) -> float:
        """Return the days from the time of the evidence to *moment*.

        Raises:
            Unobservable: It is no time.
        """
        try:
            left = _time(moment) - _time(self.evidence.collected_at)
        except ValueError as error:
            raise Unobservable("malformed", f"{moment or 'nothing'} is not a point in time") from error
        return left.total_seconds() / 86400

    def _reply(self, operation: str, path: str) -> Reply:
        return _reply(path, self.ask("platform", operation, path=path))


def trip_of(raw: Mapping[str, Any]) -> RoundTrip:
    """Return what was told of a trace's way."""
    steps = tuple(
        Step(one["step"], one["outcome"], one["status"], one["server"], one["milliseconds"]) for one in raw["steps"]
    )
    return RoundTrip(steps, raw["complete"], raw["cleanup"]["outcome"] in {"ok", "nothing"})


def _reply(path: str, raw: Mapping[str, Any], method: str = "GET") -> Reply:
    kept = {name: raw[name] for name in ("status", "content_type", "server", "location", "shape", "selected")}
    return Reply(path, **kept, method=method)


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
