"""The guard: no fault touches a target that is not marked as a lab. What cannot be read counts as unmarked."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from hallmark.errors import Absent, GuardRefused, Unobservable
from hallmark.evidence.redact import Redactor, seeks_credentials
from hallmark.faults.journal import Journal
from hallmark.faults.reader import Reader
from hallmark.targets.profile import Profile

LAB, OWNER, EXPIRES = "hallmark:lab", "hallmark:owner", "hallmark:expires"
_PRODUCTION = frozenset({"prod", "production", "prd", "live"})
_TELLING = re.compile(r"(passw(or)?d|secret|token|api.?key|licen[cs]e(.?key)?)(\s*[=:]\s*|\s+)\S", re.IGNORECASE)
_MANGLED = "\N{REPLACEMENT CHARACTER}"


def require_lab(profile: Profile, read: Reader) -> str:
    """Return the account id when the target is a lab.

    Raises:
        GuardRefused: It is not; the message names everything that is missing, the hint how to mark it.
    """
    try:
        account = str(read.ask("sts", "get_caller_identity")["Account"])
        cluster = read.ask("eks", "describe_cluster", name=profile.cluster)["cluster"]
    except (Absent, Unobservable) as cause:
        raise GuardRefused(f"cannot see whether the target is a lab: {cause}.", _how(profile)) from cause
    reasons = [*_account(profile, account), *_place(profile, cluster), *_marks(profile, cluster.get("tags", {}))]
    reasons += [f"{name!r} looks like production" for name in _names(profile, cluster) if is_production(name)]
    if reasons:
        raise GuardRefused(f"this target is not marked as a lab: {'; '.join(reasons)}.", _how(profile))
    return account


def require_account(journal: Journal, read: Reader) -> None:
    """Let a fault be undone only where it was injected. Marks are not asked for: a way back is always open.

    Raises:
        GuardRefused: The credentials belong to another account, or to none.
    """
    hint = "Use the credentials the fault was injected with, then run: hallmark revert"
    try:
        account = str(read.ask("sts", "get_caller_identity")["Account"])
    except (Absent, Unobservable) as cause:
        raise GuardRefused(f"cannot see which account this is: {cause}.", hint) from cause
    if account != journal.account:
        raise GuardRefused(f"{journal.id} belongs to account {journal.account}, this is {account}.", hint)


def require_harmless(journal: Journal) -> None:
    """Refuse a plan that touches what looks like production, or that could not be undone from its journal.

    Raises:
        GuardRefused: Nothing has been written or changed.
    """
    for step in journal.steps:
        if is_production(step.resource):
            hint = "Faults never touch production. Choose another cluster: hallmark --cluster NAME …"
            raise GuardRefused(f"{step.resource} looks like production.", hint)
    steps = [[s.what, s.back, s.resource, s.do.arguments, s.undo.arguments] for s in journal.steps]
    recorded = [*steps, dict(journal.target), dict(journal.params)]
    if _is_telling(recorded):
        hint = "A journal never holds a secret. Take it out of the resource's text, such as a rule's description."
        raise GuardRefused(f"what {journal.kind} would have to record looks like a secret.", hint)
    if any(_MANGLED in text for text in _texts(recorded)):
        hint = "Only text can be restored exactly. Replace the binary search string of the rule."
        raise GuardRefused(f"what {journal.kind} would have to record is not text.", hint)


def _is_telling(recorded: list[Any]) -> bool:
    redactor = Redactor(os.environ)
    texts = any(redactor.text(text) != text or _TELLING.search(text) for text in _texts(recorded))
    return texts or any(map(seeks_credentials, _mappings(recorded)))


def _account(profile: Profile, account: str) -> Iterator[str]:
    listed = {name.strip() for name in profile.lab_accounts.split(",")}
    allowed = {profile.account} if profile.is_local else listed - {""}
    if account not in allowed:
        yield f"account {account} is not listed as a lab account (setting lab_accounts)"


def _place(profile: Profile, cluster: dict[str, Any]) -> Iterator[str]:
    region = str(cluster.get("arn", "")).split(":")[3:4]
    if region != [profile.region]:
        yield f"the cluster is not in region {profile.region}"


def _marks(profile: Profile, tags: dict[str, str]) -> Iterator[str]:
    for name in (LAB, OWNER, EXPIRES):
        if not tags.get(name):
            yield f"the cluster has no tag {name}"
    owner = tags.get(OWNER, "")
    # An emulator on this machine belongs to whoever sits before it; an account may be shared.
    if owner and not profile.is_local and owner != profile.learner:
        yield f"the cluster belongs to {owner!r}, you are {profile.learner!r} (setting learner)"
    if expires := tags.get(EXPIRES):
        yield from _expiry(expires)


def _expiry(expires: str) -> Iterator[str]:
    try:
        if date.fromisoformat(expires) < datetime.now(UTC).date():
            yield f"the lab expired on {expires} (tag {EXPIRES})"
    except ValueError:
        yield f"the tag {EXPIRES} is not a date"


def _names(profile: Profile, cluster: dict[str, Any]) -> Iterator[str]:
    yield from (profile.cluster, profile.host)
    for name, value in cluster.get("tags", {}).items():
        yield f"{name}={value}"


def is_production(name: str) -> bool:
    """Whether a name has a word in it that says production."""
    return not _PRODUCTION.isdisjoint(re.split(r"[^a-z]+", name.lower()))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, item in value.items():
                yield from (name, *_texts(item))
        case list():
            for item in value:
                yield from _texts(item)


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _mappings(item)


def _how(profile: Profile) -> str:
    if profile.is_local:
        return "hallmark twin up"
    tags = f"{LAB}=<lab>,{OWNER}={profile.learner},{EXPIRES}=<YYYY-MM-DD>"
    arn = f"arn:aws:eks:{profile.region}:<account>:cluster/{profile.cluster}"
    return f"aws eks tag-resource --resource-arn {arn} --tags {tags}"
