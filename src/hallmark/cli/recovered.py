"""Which signs of recovery from a kind of fault do not hold: the nine of the view, asked of fresh evidence."""

from collections.abc import Mapping, Sequence

from hallmark.evidence.collect import Growing, Question, Source, collect
from hallmark.evidence.snapshot import Evidence
from hallmark.faults.kinds import Kind
from hallmark.faults.reader import Recalled
from hallmark.targets.platform_watch import Watch
from hallmark.targets.profile import Profile
from hallmark.views.all import Views


def missing(kind: Kind, sources: Mapping[str, Source], profile: Profile) -> list[str]:
    """Collect what R1 to R9 ask for, and return those that do not hold or cannot be told; it takes half a minute.

    Args:
        kind: Tells, for R9, whether its change is still there.
        sources: Answer the collection, see :class:`hallmark.evidence.collect.Collection`.
        profile: The target.
    """

    def is_there(evidence: Evidence) -> bool:
        return kind.observe(Recalled(evidence)).symptom

    def questions(evidence: Growing) -> Sequence[Question]:
        views = Views(evidence)
        return [lambda: views.recovery.signs(is_there)]

    watching = {**sources, "platform": Watch(sources["platform"])}
    taken = collect(watching, profile.scope(), questions, profile.deadline)
    return [f"{one.name}: {one.observed}" for one in Views(taken).recovery.signs(is_there) if not one.holds]
