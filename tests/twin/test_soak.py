"""A soak counts what was accepted, finds what is lost, and knows what was promised."""

import threading
import time
from collections.abc import Collection

import pytest

from hallmark.errors import EnvironmentFault
from hallmark.twin.load import Load, Run
from hallmark.twin.soak import EXPIRED, EXPIRES_AFTER, Plan, Soak, rows
from hallmark.twin.tracing import ACCEPTED
from hallmark.twin.witness import EVICTED, HARD, Event

SHORT = Plan(seconds=0.6, period=0.3)


class Platform:
    """Accepts runs unless it is broken, and keeps them unless it is forgetful."""

    def __init__(self) -> None:
        self.kept: set[str] = set()
        self.is_broken = False
        self.is_forgetful = False
        self.events: list[Event] = []
        self.names = ["broken", "impossible"]
        self.reverts = 0

    def send(self, identity: str, _: float) -> str:
        """Take a run."""
        if self.is_broken:
            return "503"
        if not self.is_forgetful:
            self.kept.add(identity)
        return ACCEPTED

    def inject(self, name: str) -> None:
        """Break, if that is possible."""
        if name == "impossible":
            raise EnvironmentFault("It has nothing to break.")
        self.is_broken = True

    def revert(self) -> None:
        """Mend."""
        self.is_broken = False
        self.reverts += 1

    def look(self) -> None:
        """See nothing."""

    def readable(self, identities: Collection[str]) -> set[str]:
        """What is kept of these."""
        return self.kept & set(identities)


@pytest.fixture
def platform() -> Platform:
    """A platform that is well."""
    return Platform()


def _soak(platform: Platform, rate: float = 50.0) -> Soak:
    return Soak(Load(platform.send, rate), platform, platform, lambda _: None)


def test_promises_are_kept_although_a_fault_refuses_runs(platform: Platform) -> None:
    """What was refused is counted, and nothing of it has to be there; a fault that cannot be injected is told."""
    report = _soak(platform).run(SHORT, platform.readable)

    assert report.is_kept
    assert report.skipped == {"impossible": "It has nothing to break."}
    assert not platform.is_broken
    during = {row.during: row for row in report.rows}
    assert during["broken"].refused["503"] > 0
    assert sum(row.accepted for row in report.rows) == len(platform.kept) > 0
    assert not any(row.excused or row.broken for row in report.rows)


def test_a_lost_run_breaks_a_promise(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for until time is up."""
    monkeypatch.setattr("hallmark.twin.soak.READABLE_WITHIN", 0.1)
    platform.is_forgetful = True

    report = _soak(platform).run(SHORT, platform.readable)

    assert not report.is_kept
    assert sum(row.broken for row in report.rows) == sum(row.accepted for row in report.rows) > 0


def test_what_is_explained_is_not_waited_for(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evicted runs do not come: once nothing arrives any more, they are counted."""
    monkeypatch.setattr("hallmark.twin.soak.GONE_AFTER", 0.1)
    platform.is_forgetful = True
    platform.look = lambda: platform.events.append(Event(time.monotonic(), EVICTED))  # type: ignore[method-assign]

    report = _soak(platform).run(SHORT, platform.readable)

    assert report.is_kept
    assert sum(row.excused.get(EVICTED, 0) for row in report.rows) == sum(row.accepted for row in report.rows) > 0


def test_short_soaks_differ_and_can_be_repeated() -> None:
    """Every kind has its turn before one comes again; a seed gives the same order again."""
    names = [f"kind-{number}" for number in range(20)]
    one, other = Plan(60.0, seed=1), Plan(60.0, seed=2)

    assert sorted(one.order(names)) == sorted(names)
    assert one.order(names) == one.order(names[::-1]) != other.order(names)


def test_a_soak_without_an_accepted_run_proves_nothing(platform: Platform) -> None:
    """All were refused."""
    platform.is_broken = True
    platform.names = []
    platform.revert = lambda: None  # type: ignore[method-assign]

    assert not _soak(platform).run(SHORT, platform.readable).is_kept


def test_what_is_broken_is_mended_when_a_soak_is_interrupted(platform: Platform) -> None:
    """By Ctrl-C, for example; no thread is left."""

    def interrupted() -> None:
        if platform.is_broken:
            raise KeyboardInterrupt

    platform.look = interrupted  # type: ignore[method-assign]

    said: list[str] = []
    soak = Soak(Load(platform.send, 50.0), platform, platform, said.append)
    with pytest.raises(KeyboardInterrupt):
        soak.run(SHORT, platform.readable)

    assert not platform.is_broken
    assert [each for each in said if each.startswith("Somebody interrupted this after 0 s")]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("load", "sender"))]


@pytest.mark.parametrize(
    ("events", "now", "reason"),
    [
        ([Event(10.0, EVICTED)], 20.0, EVICTED),
        ([Event(2.0, HARD), Event(10.0, EVICTED)], 20.0, EVICTED),
        ([Event(2.0, HARD)], 20.0, ""),
        ([Event(400.0, HARD)], 500.0, ""),
        ([], 20.0, ""),
        ([], 6.0 + EXPIRES_AFTER, EXPIRED),
    ],
    ids=["evicted", "first-after", "before", "long-after", "nothing", "expired"],
)
def test_a_loss_is_explained_by_what_happened_soon_after(events: list[Event], now: float, reason: str) -> None:
    """An event before a run was sent, or long after, explains nothing."""
    (row,) = rows([Run("a", 5.0, ACCEPTED, "broken"), Run("b", 5.0, "503", "broken")], {"a"}, events, now)

    assert (row.sent, row.accepted, row.refused) == (2, 1, {"503": 1})
    assert row.excused == ({reason: 1} if reason else {})
    assert row.broken == (0 if reason else 1)
