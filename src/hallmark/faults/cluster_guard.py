"""The guard of the cluster: no fault touches a namespace that is not marked as a lab, or what is not the release's.

What cannot be read counts as unmarked. The marks of the account and of the EKS cluster are asked for as always, see
:mod:`hallmark.faults.guard`; a kubeconfig may lead to another cluster, so the namespace has to bear one of its own.
"""

from collections.abc import Callable, Iterable, Mapping

from hallmark.errors import Absent, GuardRefused, Unobservable
from hallmark.evidence.snapshot import CLUSTER
from hallmark.faults import records, release, roles, sources
from hallmark.faults.guard import is_production
from hallmark.faults.journal import Step
from hallmark.faults.reader import Reader
from hallmark.model import Call
from hallmark.targets.profile import Profile

LABEL = "hallmark.dev/lab"
"""The label of a namespace that faults may touch."""


def require_lab(profile: Profile, read: Reader, steps: Iterable[Step]) -> None:
    """Refuse steps that would touch a cluster or a node which is not the lab's.

    Raises:
        GuardRefused: Nothing has been written or changed.
    """
    wanted = [call for step in steps for call in (step.do, step.undo)]
    try:
        if any(call.service == CLUSTER for call in wanted):
            _require_namespace(profile, read)
        for call in wanted:
            if not _BELONGS.get(call.operation, _always)(call, read):
                hint = "Faults change objects that carry the release's own label, and what those read."
                raise GuardRefused(f"{call.operation} would change what is not of {profile.release}.", hint)
    except (Absent, Unobservable) as cause:
        raise GuardRefused(f"cannot see whether the target is a lab: {cause}.", _how(profile)) from cause


def _require_namespace(profile: Profile, read: Reader) -> None:
    for each in (profile.namespace, profile.release, profile.context):
        if is_production(each):
            raise GuardRefused(f"{each!r} looks like production.", "Faults never touch production.")
    found = read.ask(CLUSTER, "get", version="v1", resource="namespaces", name=profile.namespace)
    if not release.labels(found).get(LABEL):
        raise GuardRefused(f"the namespace {profile.namespace} has no label {LABEL}.", _how(profile))


def _is_workload(call: Call, read: Reader) -> bool:
    place = call.arguments["resource"], call.arguments["namespace"], call.arguments["name"]
    return place in {(each["resource"], each["metadata"]["namespace"], release.name(each))
                     for each in release.workloads(read)}  # fmt: skip


def _is_labelled(resource: str, group: str = "") -> Callable[[Call, Reader], bool]:
    def belongs(call: Call, read: Reader) -> bool:
        found = [
            one for one in release.own_objects(read, resource, group) if release.name(one) == call.arguments["name"]
        ]
        is_here = call.arguments["namespace"] == read.scope["namespace"]
        return is_here and any(release.is_own(one, read) for one in found)

    return belongs


def _is_read(call: Call, read: Reader) -> bool:
    """Whether the release reads a Secret, or the Secret an ExternalSecret makes. Neither carries its label."""
    secret = call.arguments["name"]
    if call.operation in {"set_remote_key", "set_creation_policy"}:
        found = [one for one in release.external_secrets(read)[1] if release.name(one) == secret]
        secret = release.target_of(found[0]) if found else ""
    is_here = call.arguments["namespace"] == read.scope["namespace"]
    return is_here and any(secret in release.secrets_of(one) for one in release.workloads(read))


def _is_node_group(call: Call, read: Reader) -> bool:
    return str(call.arguments["clusterName"]) == read.scope["cluster"]


def _is_volume(call: Call, read: Reader) -> bool:
    """Whether a volume is behind a claim of the release; the claim carries the label of its workload."""
    claims = {release.name(one) for one in release.own_objects(read, "persistentvolumeclaims")
              if release.is_own(one, read)}  # fmt: skip
    for volume in release.objects(read, "persistentvolumes"):
        claim = volume["spec"].get("claimRef") or {}
        if volume["spec"].get("csi", {}).get("volumeHandle") == call.arguments["VolumeId"]:
            return claim.get("namespace") == read.scope["namespace"] and claim.get("name") in claims
    return False


def _is_role(call: Call, read: Reader) -> bool:
    """Whether a role is one that the release's service accounts name."""
    return call.arguments["RoleName"] in roles.names(read)


def _is_name(call: Call, read: Reader) -> bool:
    """Whether all records are the platform's own, or what External DNS keeps beside them."""
    changes = call.arguments["ChangeBatch"]["Changes"]
    return all(records.is_own(read, each["ResourceRecordSet"]) for each in changes)


def _is_marked(call: Call, _read: Reader) -> bool:
    """Whether a certificate is one that a fault made."""
    return bool(call.arguments.get("mark"))


def _is_source(call: Call, read: Reader) -> bool:
    """Whether a secret of the store is what a Secret is made of that the release reads."""
    return call.arguments["secret"] in sources.remotes(read)


def _always(_call: Call, _read: Reader) -> bool:
    return True


_BELONGS: Mapping[str, Callable[[Call, Reader], bool]] = {
    "scale": _is_workload,
    "restart": _is_workload,
    "replace_pods": _is_workload,
    "set_memory": _is_workload,
    "set_role": _is_labelled("serviceaccounts"),
    "set_certificate": _is_labelled("ingresses", "networking.k8s.io"),
    "set_service_type": _is_labelled("services"),
    "set_remote_key": _is_read,
    "set_creation_policy": _is_read,
    "disown_secret": _is_read,
    "delete_derived_secret": _is_read,
    "attach_role_policy": _is_role,
    "change_resource_record_sets": _is_name,
    "delete_certificate": _is_marked,
    "delete_role_policy": _is_role,
    "detach_role_policy": _is_role,
    "import_certificate": _is_marked,
    "put_role_policy": _is_role,
    "update_assume_role_policy": _is_role,
    "update_nodegroup_config": _is_node_group,
    "modify_volume": _is_volume,
    "spoil_secret_value": _is_source,
    "restore_secret_version": _is_source,
    "restore_auth_token": _is_source,
}
"""How each write is held against what belongs to the lab; calls to AWS that are not here are found by cluster."""


def _how(profile: Profile) -> str:
    if profile.is_local:
        return "hallmark twin reset --to deployed"
    return f"kubectl label namespace {profile.namespace} {LABEL}=<lab>"
