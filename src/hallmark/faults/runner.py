"""Injecting and reverting: plan, write down, call, prove; and the way back, which may be taken any number of times.

Vocabulary of Chaos Toolkit: the *steady state* is what a kind observes before, its plan is the *method*, the
journal holds the *rollbacks*. A process killed at any moment leaves a journal that :func:`revert` can follow.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from hallmark.errors import Absent, EnvironmentFault, HallmarkError, Unobservable, UsageError
from hallmark.evidence.collect import Source
from hallmark.faults import cluster_guard, definition, guard, journal, kinds, watchdog
from hallmark.faults.definition import Fault
from hallmark.faults.journal import Journal, State
from hallmark.faults.reader import Reader
from hallmark.faults.sight import Sight, look
from hallmark.faults.target import Target, Writer
from hallmark.targets.profile import Profile
from hallmark.targets.writer import NotWritten, Outcome
from hallmark.waiting import until

PROOF_SECONDS = 30.0
"""How long a change usually takes to show in the target's own answers; they are eventually consistent."""


class Runner:
    """Injects and reverts on one target.

    Args:
        profile: The target.
        home: The state directory; journals are kept in it.
        target: What reads and writes; default: made from the profile.
        people: Answers calls of the service ``platform``; None: nobody looks from outside.
    """

    def __init__(
        self, profile: Profile, home: Path, target: Writer | None = None, people: Source | None = None
    ) -> None:
        self._profile = profile
        self._home = home
        self._target = target or Target(profile)
        self._read = Reader(self._target, profile.scope())
        self._people = Reader(people, profile.scope()) if people else None

    def plan(self, fault: Fault) -> Journal:
        """Return what injecting *fault* would do. Nothing is written or changed.

        Raises:
            GuardRefused: The target is not marked as a lab.
        """
        kind = kinds.load(fault.kind, fault.params)
        return self._planned(fault, kind, guard.require_lab(self._profile, self._read))

    def inject(self, fault: Fault) -> Journal:
        """Break the target as *fault* says. A fault that is there already is left as it is.

        Raises:
            GuardRefused: The target is not marked as a lab.
            UsageError: The target is not in its steady state, so a fault would prove nothing.
            EnvironmentFault: A call failed or the symptom did not show; what was done has been undone.
        """
        kind = kinds.load(fault.kind, fault.params)
        with journal.locked(self._home):
            account = guard.require_lab(self._profile, self._read)
            for earlier in journal.active(self._home):
                if self._is_same(earlier, fault, account):
                    if earlier.state is State.INJECTED and self._observe(kind).symptom:
                        return earlier
                    self._undo(earlier)
            before = self._steady(kind)
            return self._break(self._planned(fault, kind, account), kind, before)

    def revert(self, fault: Journal) -> Journal:
        """Bring back the recorded values. Safe at any time, any number of times.

        Raises:
            GuardRefused: The credentials belong to another account.
            EnvironmentFault: An inverse failed; the journal stays, and the next revert goes on from there.
        """
        with journal.locked(self._home):
            current = journal.read(self._home, fault.id)
            return self._undo(current) if current.is_active else current

    def _is_same(self, other: Journal, fault: Fault, account: str) -> bool:
        place = other.target.get("region"), other.target.get("cluster")
        return (other.kind, dict(other.params), other.account, place) == (
            fault.kind,
            dict(fault.params),
            account,
            (self._profile.region, self._profile.cluster),
        )

    def _steady(self, kind: kinds.Kind) -> kinds.Observation:
        before = self._observe(kind)
        if before.symptom:
            raise UsageError(
                f"the target shows the symptom of {kind.name} already, and no journal says why.",
                "Bring it to its baseline first: hallmark twin reset, or terraform apply.",
            )
        self._require_whole(kind)
        return before

    def _require_whole(self, kind: kinds.Kind) -> None:
        """People get through; where the last fault has just been reverted, it may take a moment."""
        found = self._look_until(kind, lambda sight: sight.is_whole, PROOF_SECONDS)
        if found and not found.is_whole:
            hint = "Bring it to its baseline first: hallmark twin reset, or terraform apply."
            raise UsageError(f"people do not get through before {kind.name}: {found.words}.", hint)

    def _observe(self, kind: kinds.Kind) -> kinds.Observation:
        try:
            return kind.observe(self._read)
        except Absent as cause:
            hint = "Bring the target to its baseline first: hallmark twin reset, or terraform apply."
            raise UsageError(f"{kind.name} has nothing to break here: {cause}.", hint) from cause
        except Unobservable as cause:
            raise EnvironmentFault(f"cannot look at the target: {cause.message}.", "hallmark fault list") from cause

    def _planned(self, fault: Fault, kind: kinds.Kind, account: str) -> Journal:
        now = datetime.now(UTC)
        plan = Journal(
            id=f"{fault.kind}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
            lab=fault.lab,
            kind=fault.kind,
            symptom=fault.symptom,
            target=asdict(self._profile),
            account=account,
            steps=tuple(kind.plan(self._read)),
            planned_at=journal.timestamp(now),
            expires_at=journal.timestamp(now + fault.ttl),
            params=dict(fault.params),
        )
        guard.require_harmless(plan)
        cluster_guard.require_lab(self._profile, self._read, plan.steps)
        return plan

    def _break(self, plan: Journal, kind: kinds.Kind, before: kinds.Observation) -> Journal:
        current = journal.save(self._home, plan)
        try:
            watchdog.start(self._home, plan.id)
            for index in range(len(plan.steps)):
                current = replace(current.with_step(index, started=True), state=State.INJECTING)
                self._do(journal.save(self._home, current), index)
            self._prove(kind, before)
        except BaseException:
            self._undo(journal.read(self._home, plan.id))
            raise
        return journal.save(self._home, replace(current, state=State.INJECTED))

    def _do(self, current: Journal, index: int) -> None:
        step = current.steps[index]
        try:
            self._target.write(step.do)
        except NotWritten as refusal:
            # A call that was refused must not be undone: its inverse would write over what somebody else did.
            journal.save(self._home, current.with_step(index, started=not refusal.certain))
            hint = "Nothing of it is left. The calls it needs: hallmark fault inject LAB --dry-run"
            raise EnvironmentFault(f"{current.kind}: {step.do.operation} got {refusal.code}.", hint) from refusal

    def _prove(self, kind: kinds.Kind, before: kinds.Observation) -> None:
        """Fidelity: the documented symptom, and no other."""
        if not until(lambda: self._shows(kind), max(PROOF_SECONDS, kind.shows_within), pause=0.5):
            raise EnvironmentFault(f"{kind.name} did not show its symptom; it was reverted.", "hallmark fault list")
        after = self._observe(kind).unaffected
        changed = [name for name, value in before.unaffected.items() if after.get(name) != value]
        if changed:
            hint = "Somebody else is changing the target, or it shares a resource with something else."
            raise EnvironmentFault(f"{kind.name} also changed {', '.join(changed)}; it was reverted.", hint)
        self._prove_to_people(kind)

    def _prove_to_people(self, kind: kinds.Kind) -> None:
        """The same from outside: what is documented goes wrong, and nothing before it."""
        seconds = max(PROOF_SECONDS, kind.shows_within)
        found = self._look_until(kind, lambda sight: sight == kind.seen, seconds)
        if found and kind.seen and found != kind.seen:
            what = f"people see {found.words!r}, not {kind.seen.words!r}"
            raise EnvironmentFault(f"{kind.name} was reverted: {what}.", "hallmark fault list")

    def _look_until(self, kind: kinds.Kind, is_wanted: Callable[[Sight], bool], seconds: float) -> Sight | None:
        """Return what people see; None when nobody looks, or the kind does not say what there is to see."""
        if self._people is None or kind.seen is None:
            return None
        read, found = self._people, Sight()

        def is_there() -> bool:
            nonlocal found
            found = look(read)
            return is_wanted(found)

        until(is_there, seconds, pause=0.5)
        return found

    def _shows(self, kind: kinds.Kind) -> bool:
        """Whether the symptom is there. What cannot be seen now, by a throttled answer perhaps, is looked at again."""
        with suppress(EnvironmentFault):
            return self._observe(kind).symptom
        return False

    def _undo(self, fault: Journal) -> Journal:
        guard.require_account(fault, self._read)
        current = journal.save(self._home, replace(fault, state=State.REVERTING))
        refused: list[str] = []
        for index, step in fault.inverses:
            if not step.started or step.outcome:
                continue
            try:
                outcome = self._target.write(step.undo)
            except NotWritten as refusal:
                refused.append(f"{step.resource}: {refusal.code}")
            else:
                current = journal.save(self._home, current.with_step(index, outcome=_told(outcome)))
        if refused:
            hint = "The journal is kept. Mend the cause, then run: hallmark revert"
            raise EnvironmentFault(f"{fault.id} is not fully reverted ({'; '.join(refused)}).", hint)
        return journal.save(self._home, replace(current, state=State.REVERTED))


def inject(file: Path, profile: Profile, home: Path, *, dry_run: bool = False, people: Source | None = None) -> Journal:
    """Inject the fault described in *file*; see :meth:`Runner.inject`, with *dry_run* :meth:`Runner.plan`."""
    runner, fault = Runner(profile, home, people=people), definition.read(file)
    return runner.plan(fault) if dry_run else runner.inject(fault)


def active(home: Path) -> list[Journal]:
    """Return the faults that are not reverted, oldest first; touches no target."""
    return journal.active(home)


def expired(home: Path) -> list[Journal]:
    """Return the active faults whose time to live is over; touches no target."""
    now = datetime.now(UTC)
    return [each for each in active(home) if each.is_expired(now)]


def revert(
    home: Path, profile: Profile | None = None, *, only: str | None = None, expired_only: bool = False
) -> list[Journal]:
    """Revert active faults, the youngest first, each where it was injected.

    Args:
        home: The state directory.
        profile: Tells where an emulator answers today; the rest of the target is in each journal.
        only: Id of one journal.
        expired_only: Leave faults alone whose time to live is not over.

    Returns:
        What was reverted.

    Raises:
        GuardRefused, EnvironmentFault: One could not be reverted. The others were.
    """
    due = expired(home) if expired_only else active(home)
    chosen = [each for each in reversed(due) if only in (None, each.id)]
    if only and not chosen:
        raise UsageError(f"no active fault is called {only!r}.", "hallmark fault list")
    done, failures = [], []
    for each in chosen:
        try:
            done.append(Runner(target_of(each, profile), home).revert(each))
        except HallmarkError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
    return done


def target_of(fault: Journal, today: Profile | None = None) -> Profile:
    """Return the profile a fault was injected by; the port of an emulator may be another today."""
    recorded = Profile(**fault.target)
    if today and today.endpoint and today.target == recorded.target:
        return replace(recorded, endpoint=today.endpoint)
    return recorded


def _told(outcome: Outcome) -> str:
    return "restored" if outcome is Outcome.DONE else str(outcome)
