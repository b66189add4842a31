"""Whether the platform has recovered: nine signs, the same for every outage.

A green pod is no recovery, and a trace that goes round is none either while the cause is still there: so the last
sign asks for the change itself. A sign that cannot be told is no sign: it says why, and never counts as good.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from hallmark.errors import Absent, Unobservable
from hallmark.evidence.snapshot import Evidence
from hallmark.model import Call
from hallmark.views.base import View, cached_property
from hallmark.views.cluster import name_of
from hallmark.views.platform import INFO, SESSIONS, RoundTrip, trip_of
from hallmark.views.secrets import Supply

QUIET_SECONDS = 300
"""No container has been started again for this long."""
TRIPS, WINDOW = 3, 20.0
"""So many traces have to go round, begun over so many seconds."""
PENDING = 50
"""Entries in a queue up to which it is calm, unless a baseline says otherwise (the vendor's workshop warns above)."""
SMALL = ("project", "small_run", "small_read", "outputs", "outputs_read", "query")
LARGE = ("large_run", "large_read")
_TRIPS = Call.of("platform", "round_trips", times=TRIPS, seconds=WINDOW)
_SLOW = (_TRIPS, Call.of("platform", "get", path=INFO), Call.of("platform", "authorized", path=SESSIONS))
"""Asked for first, and together: whatever else is asked meanwhile costs no time."""
_KINDS = frozenset({"Deployment", "StatefulSet"})
_LEAVING = frozenset({"draining"})
"""Targets that are about to go get no requests any more."""


@dataclass(frozen=True)
class Sign:
    """One sign of recovery.

    Attributes:
        name: ``R1`` to ``R9``.
        what: What has to hold.
        holds: Whether it does; None: it could not be told.
        observed: What was observed, or why it could not be told.
    """

    name: str
    what: str
    holds: bool | None
    observed: str


class Recovery(View):
    """The signs of recovery, over evidence and nothing else."""

    @cached_property
    def trips(self) -> tuple[RoundTrip, ...]:
        """The traces' ways of the window of stability, in the order they were begun."""
        raw = self.evidence.ask(_TRIPS)["trips"]
        if len(raw) < TRIPS or max(one["after"] for one in raw) < WINDOW:
            raise Unobservable("malformed", f"{len(raw)} traces over too short a time are no window of stability")
        return tuple(map(trip_of, raw))

    def signs(self, is_there: Callable[[Evidence], bool], pending: Mapping[str, int] | None = None) -> tuple[Sign, ...]:
        """Return all nine signs.

        Args:
            is_there: Whether evidence shows the change that caused the outage still; a fault's kind knows.
            pending: Entries in each queue before the outage; a queue that is missing: :data:`PENDING`.
        """
        looks: Mapping[tuple[str, str], Callable[[], tuple[bool, str]]] = {
            ("R1", "every workload of the release runs as it is to"): self.replicas,
            ("R2", f"no container was started again in the last {QUIET_SECONDS // 60} minutes"): self.restarts,
            ("R3", "every target of the load balancer is healthy"): self.targets,
            ("R4", "the platform says its version"): self.info,
            ("R5", "the API key is let in"): self.sessions,
            ("R6", f"{TRIPS} fresh traces over {WINDOW:.0f} s are readable"): partial(self.traces, SMALL),
            ("R7", "queues are calm and do not rise"): partial(self.queues, pending or {}),
            ("R8", "large payloads come back as they were sent"): partial(self.traces, LARGE),
            ("R9", "the change itself is undone, and every Secret follows its source"): partial(self.change, is_there),
        }
        self.evidence.need(_SLOW)
        return tuple(_sign(name, what, look) for (name, what), look in looks.items())

    def replicas(self) -> tuple[bool, str]:
        """R1: replicas ready, one or more, of the newest version."""
        found = [one for one in self.views.workloads.all if one.kind in _KINDS]
        behind = [f"{one.where}: {one.ready} of {one.wanted} ready" for one in found if not one.is_ready]
        return bool(found) and not behind, "; ".join(behind) or f"{len(found)} workloads are ready"

    def restarts(self) -> tuple[bool, str]:
        """R2: what crashed has run long enough since."""
        recent = [
            f"{one.pod} {one.container}: {one.reason or 'ended'} {one.seconds_ago:.0f} s ago"
            for one in self.views.workloads.endings
            if one.seconds_ago < QUIET_SECONDS
        ]
        return not recent, "; ".join(recent) or "none"

    def targets(self) -> tuple[bool, str]:
        """R3: each target of each target group, but those that are about to go."""
        entrance = self.views.edge.entrance
        groups = self.ask("elbv2", "describe_target_groups", LoadBalancerArn=entrance.arn)["TargetGroups"]
        calls = [Call.of("elbv2", "describe_target_health", TargetGroupArn=each["TargetGroupArn"]) for each in groups]
        found = [one for answer in self.ask_all(calls) for one in answer["TargetHealthDescriptions"]]
        states = [one["TargetHealth"]["State"] for one in found if one["TargetHealth"]["State"] not in _LEAVING]
        sick = [state for state in states if state != "healthy"]
        return bool(states) and not sick, f"{len(states) - len(sick)} of {len(states)} healthy"

    def info(self) -> tuple[bool, str]:
        """R4: JSON with a version, not a page."""
        reply = self.views.platform.info
        version = reply.selected.get("version", "")
        return reply.is_data and bool(version), f"version {version}" if version else reply.words

    def sessions(self) -> tuple[bool, str]:
        """R5: a list of projects, for whoever has a key."""
        reply = self.views.platform.authorized
        return reply.is_data and reply.shape == "list", reply.words

    def traces(self, steps: tuple[str, ...]) -> tuple[bool, str]:
        """R6 and R8: these steps of every trace's way in the window went well."""
        for turn, trip in enumerate(self.trips, start=1):
            if failed := trip.failure(*steps):
                return False, f"trace {turn} of {len(self.trips)}: {failed.words}"
        return True, f"{len(self.trips)} of {len(self.trips)}"

    def queues(self, baseline: Mapping[str, int]) -> tuple[bool, str]:
        """R7: no queue is above its baseline in the last reading, and none gets longer from reading to reading.

        Raises:
            Unobservable: Nobody may look, or nothing answers behind the proxy.
        """
        readings = self._readings()
        last = readings[-1]
        high = [f"{name}: {count} wait" for name, count in last.items() if count > baseline.get(name, PENDING)]
        rising = [f"{name} rises to {last[name]}" for name in last if _rises([one.get(name, 0) for one in readings])]
        calm = ", ".join(f"{name} {count}" for name, count in last.items())
        return not high and not rising, "; ".join([*high, *rising]) or calm

    def change(self, is_there: Callable[[Evidence], bool]) -> tuple[bool, str]:
        """R9: without it a way around the fault would count as a repair."""
        late = [one for one in self._supplies() if not one.is_ready]
        unready = [f"{one.kind} {one.name}: {one.reason or 'not ready'}" for one in late]
        if is_there(self.evidence):
            return False, "the change is still there"
        return not unready, "; ".join(unready) or "undone"

    def _supplies(self) -> Iterator[Supply]:
        secrets = self.views.secrets
        return (one for one in secrets.supplies if one.secret in secrets.read)

    def _readings(self) -> list[dict[str, int]]:
        service, port = self._metrics()
        where = {"namespace": self.scope("namespace"), "name": service, "port": port}
        try:
            found: list[dict[str, int]] = self.ask("kubernetes", "queues", **where)["readings"]
        except Absent as cause:
            raise Unobservable("absent", f"nothing answers behind Service {service}: {cause}") from cause
        return found

    def _metrics(self) -> tuple[str, str]:
        """Return name and port of the Service in front of platform-backend, whose metrics count what waits."""
        one = self.views.workloads.component("platform-backend")
        for service in self.views.cluster.services if one else ():
            selector = service["spec"].get("selector") or {}
            is_ours = service["metadata"].get("namespace") == self.scope("namespace")
            if one and is_ours and selector and selector.items() <= dict(one.pod_labels).items():
                return name_of(service), str(service["spec"]["ports"][0]["port"])
        raise Unobservable("undecidable", "there is no Service in front of platform-backend")


def _rises(counts: list[int]) -> bool:
    return len(counts) > 1 and all(one < other for one, other in pairwise(counts))


def _sign(name: str, what: str, look: Callable[[], tuple[bool, str]]) -> Sign:
    try:
        holds, observed = look()
    except Absent as cause:
        return Sign(name, what, holds=False, observed=f"there is none: {cause}")
    except Unobservable as cause:
        return Sign(name, what, holds=None, observed=f"could not tell: {cause.message}")
    return Sign(name, what, holds, observed)
