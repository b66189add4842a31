"""What is changed in the store does not arrive in the cluster: one Secret is not External Secrets' any more (SE-55).

The ExternalSecret still says SecretSynced, for it has nothing to do: its creation policy is None. The Secret it made
has no owner and keeps what it holds, so every pod runs on, and people see nothing. A new value in the store stays
there, an edit by hand stays, too, and nobody can say where the value comes from. The store, every other Secret and all
workloads are untouched.

The fault is what somebody does whose edits the operator keeps undoing. Nothing is lost: with its old policy back, the
operator takes the Secret over and writes what the store holds.
"""

from typing import Any

from hallmark.errors import Absent
from hallmark.faults import changes, release
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.release import Object, name
from hallmark.model import Call

OFF = "None"
"""The creation policy with which the operator makes nothing (External Secrets Operator, "Ownership and deletion")."""


def plan(read: Reader, secret: str) -> list[Step]:
    """Switch off what makes *secret*, then take its owner away; the recorded policy is the way back of both."""
    version, external = _source(read, secret)
    which = {"version": version, "namespace": external["metadata"]["namespace"], "name": name(external)}
    recorded = _policy(external)
    back = Call.of("kubernetes", "set_creation_policy", **which, policy=recorded)
    return [
        Step(
            what=f"set the creation policy {OFF} instead of {recorded or 'the usual'}",
            back=f"set the creation policy {recorded or 'back to the usual'}",
            resource=f"ExternalSecret/{name(external)}",
            do=Call.of("kubernetes", "set_creation_policy", **which, policy=OFF),
            undo=back,
        ),
        Step(
            what="take the owner away",
            back="let the operator take it over",
            resource=f"Secret/{secret}",
            do=Call.of("kubernetes", "disown_secret", namespace=which["namespace"], name=secret),
            undo=back,
        ),
    ]


def observe(read: Reader, secret: str) -> Observation:
    """Look whether nothing makes the Secret and nobody owns it, and at all other objects of the namespace."""
    _, external = _source(read, secret)
    is_off = _policy(external) == OFF and not _owners(read, secret)
    changed = (f"ExternalSecret {name(external)}", f"Secret {secret}")
    spec = {**external["spec"], "target": release.target_of(external)}
    rest = {"what it asks for": spec, "its keys": release.secret_keys(read)[secret]}
    return Observation(is_off, changes.surroundings(read, *changed) | rest)


def _source(read: Reader, secret: str) -> tuple[str, Object]:
    """Return the ExternalSecret of a Secret that is there, and the version of its kind."""
    version, found = release.external_secrets(read)
    for one in found:
        if release.target_of(one) == secret and secret in release.secret_keys(read):
            return version, one
    raise Absent(f"no ExternalSecret makes a Secret {secret}")


def _policy(external: Object) -> str | None:
    policy = (external["spec"].get("target") or {}).get("creationPolicy")
    return str(policy) if policy else None


def _owners(read: Reader, secret: str) -> list[Any]:
    held = read.ask("kubernetes", "secrets", namespace=read.scope["namespace"])["items"]
    return [owner for one in held if name(one) == secret for owner in one["metadata"].get("ownerReferences", [])]
