"""New pods of a component do not start: the Secret they read is not there (sharp edge SE-51).

The pods wait with CreateContainerConfigError. The ExternalSecret says SecretSyncedError: it asks for one name that the
store does not have, and a Secret is made as a whole or not at all. Pods that run already stay up, so people see nothing
until the next restart. The store, its permissions and every other Secret are untouched.

The fault renames one remote key, deletes the Secret the operator made of it, and restarts one component. Nothing is
lost: once the name is right, the operator makes the Secret again.
"""

from datetime import UTC, datetime
from typing import Any

from hallmark.errors import Absent
from hallmark.faults import changes, release
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.release import Object, name
from hallmark.model import Call

SHOWS_WITHIN = 120.0
RENAMED = "-renamed"
"""What the fault appends to the name it asks for."""
_OWNER = "Owner"


def plan(read: Reader, component: str, key: str) -> list[Step]:
    """Rename where *key* comes from, delete the Secret, restart the component; the inverses go the same way back."""
    version, external = _source(read, component, key)
    one, entry = release.workload(read, component), _entry(external, key)
    which = {"version": version, "namespace": external["metadata"]["namespace"], "name": name(external)}
    recorded = entry["remoteRef"]["key"]
    back = Call.of("kubernetes", "set_remote_key", **which, secret_key=key, remote_key=recorded)
    secret = {"namespace": which["namespace"], "name": release.target_of(external)}
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return [
        Step(
            what=f"ask for {recorded}{RENAMED} instead of {recorded}",
            back=f"ask for {recorded}",
            resource=f"ExternalSecret/{name(external)}",
            do=Call.of("kubernetes", "set_remote_key", **which, secret_key=key, remote_key=f"{recorded}{RENAMED}"),
            undo=back,
        ),
        Step(
            what="delete what the operator made",
            back=f"let the operator make it again from {recorded}",
            resource=f"Secret/{secret['name']}",
            do=Call.of("kubernetes", "delete_derived_secret", **secret),
            undo=back,
        ),
        changes.restart(one, now),
    ]


def observe(read: Reader, component: str, key: str) -> Observation:
    """Look whether the Secret cannot be made and a pod waits for it, and at all other objects of the namespace."""
    _, external = _source(read, component, key)
    one, target = release.workload(read, component), release.target_of(external)
    ready = release.condition(external, "Ready")
    symptoms = (
        (ready.get("status"), ready.get("reason")) == ("False", "SecretSyncedError"),
        target not in release.secret_keys(read),
        any(_waits(pod) for pod in release.pods(read, one)),
    )
    changed = (f"ExternalSecret {name(external)}", f"Secret {target}", changes.title(one))
    others = [each for each in external["spec"]["data"] if each["secretKey"] != key]
    rest = {"its other keys": others, "its template": changes.spec(one, restarts=False)}
    return Observation(all(symptoms), changes.surroundings(read, *changed) | rest)


def _source(read: Reader, component: str, key: str) -> tuple[str, Object]:
    """Return the ExternalSecret that makes a key for a component, and the version of its kind."""
    wanted = release.secrets_of(release.workload(read, component))
    version, found = release.external_secrets(read)
    for one in found:
        policy = (one["spec"].get("target") or {}).get("creationPolicy", _OWNER)
        if release.target_of(one) in wanted and policy == _OWNER and _entry(one, key):
            return version, one
    raise Absent(f"no ExternalSecret makes {key} for {component}")


def _entry(one: Object, key: str) -> dict[str, Any]:
    return next((each for each in one["spec"].get("data", []) if each["secretKey"] == key), {})


def _waits(pod: Object) -> bool:
    states = [each.get("state", {}).get("waiting") or {} for each in pod["status"].get("containerStatuses", [])]
    return any(state.get("reason") == "CreateContainerConfigError" for state in states)
