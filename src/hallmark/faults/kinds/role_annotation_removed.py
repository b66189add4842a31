"""One component has no IAM role: large payloads are lost, small traces are fine (sharp edge SE-44).

What people see depends on the component. Ingest queue: a trace of 64 KB is accepted with 202 and comes back without
its inputs. Backend: such a trace is stored, and reading it is 500. Platform-backend refuses large payloads that come
in a form, as the SDK sends them, and takes them in any other way; the queue only fails to delete them. What the ingest
queue could not store waits in Redis, at most six hours, and appears after the repair.

The component's log says AccessDenied for s3:PutObject, or that there are no credentials. Its pods run and are ready.
They have neither AWS_ROLE_ARN nor a web identity token: the webhook puts those in when a pod is made, and only if the
service account is annotated. The role, its policy, the bucket and the other components are untouched.

The fault takes the annotation from one service account and restarts that component. Its inverses come in the same
order: the annotation first, then pods that see it.
"""

from datetime import UTC, datetime

from hallmark.errors import Absent, GuardRefused
from hallmark.faults import changes, release
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.release import Object, annotations, name
from hallmark.faults.roles import SEEN_WITHOUT
from hallmark.faults.sight import Sight
from hallmark.model import Call
from hallmark.targets.cluster_writer import ROLE

SHOWS_WITHIN = 180.0
"""A rollout: every pod of the component is made anew."""


def seen(component: str) -> Sight | None:
    """Return what people see; None: nothing, or it is not said."""
    return SEEN_WITHOUT.get(component)


def plan(read: Reader, component: str) -> list[Step]:
    """Take the role from the component's service account and restart it; the inverse gives back the recorded role."""
    one = release.workload(read, component)
    account = _account(read, one)
    recorded = annotations(account).get(ROLE)
    if not recorded:
        raise Absent(f"the service account of {component} has no role to take away")
    which = {"namespace": account["metadata"]["namespace"], "name": name(account)}
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    step = Step(
        what=f"take away {recorded}",
        back=f"give back {recorded}",
        resource=f"ServiceAccount {name(account)}",
        do=Call.of("kubernetes", "set_role", **which, role=None),
        undo=Call.of("kubernetes", "set_role", **which, role=recorded),
    )
    return [step, changes.restart(one, now)]


def observe(read: Reader, component: str) -> Observation:
    """Look whether no pod of the component has a role, and at all other objects of the namespace."""
    one = release.workload(read, component)
    account, pods = _account(read, one), release.pods(read, one)
    is_gone = ROLE not in annotations(account) and bool(pods) and not any(_has_role(pod) for pod in pods)
    changed = (f"ServiceAccount {name(account)}", changes.title(one))
    others = {key: value for key, value in annotations(account).items() if key != ROLE}
    rest = {"its other annotations": others, "its template": changes.spec(one, restarts=False)}
    return Observation(is_gone, changes.surroundings(read, *changed) | rest)


def _account(read: Reader, one: Object) -> Object:
    wanted = release.service_account(one)
    sharing = [name(each) for each in release.workloads(read) if release.service_account(each) == wanted]
    if len(sharing) > 1:
        hint = "Give each component a service account of its own, as the chart does."
        raise GuardRefused(f"{', '.join(sharing)} share the service account {wanted}.", hint)
    for account in release.own_objects(read, "serviceaccounts"):
        if name(account) == wanted:
            return account
    raise Absent(f"there is no service account {wanted}")


def _has_role(pod: Object) -> bool:
    return any(entry["name"] == "AWS_ROLE_ARN" for each in pod["spec"]["containers"] for entry in each.get("env", []))
