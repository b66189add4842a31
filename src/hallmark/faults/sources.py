"""Where a variable of the release's pods comes from: a Secret, the ExternalSecret that makes it, Secrets Manager.

Versions of a secret are told apart by their ids. No value is read here, and none is in a step: a wrong value is made
where it is written, and the way back is the version that was current before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hallmark.errors import Absent, GuardRefused
from hallmark.faults import changes, release
from hallmark.faults.journal import Step
from hallmark.faults.reader import Reader
from hallmark.faults.release import Object, name
from hallmark.model import Call
from hallmark.targets.stores import current_version, wrong_version

_OWNER = "Owner"


@dataclass(frozen=True)
class Source:
    """Where a variable comes from.

    Attributes:
        variable: Its name.
        secret: Name of the Secret.
        key: Key in it.
        external: The ExternalSecret that makes the Secret.
        remote: Name of the secret in Secrets Manager.
        version: Id of its current version.
        is_wrong: Whether that is the wrong one which a fault made.
    """

    variable: str
    secret: str
    key: str
    external: Object
    remote: str
    version: str
    is_wrong: bool

    def pinned(self) -> Step:
        """Do nothing but see that all can be read; the inverse has the operator make the Secret again.

        It is the first step of a fault that changes the source: so its inverse comes after the source's own.
        """
        return Step(
            what="see that the recorded version is the current one",
            back="let the operator make it again from what is current then",
            resource=f"Secret/{self.secret}",
            do=self._restored,
            undo=self._remade,
        )

    def spoiled(self, part: str) -> list[Step]:
        """Put a wrong value in and have the operator bring it; the inverse is the recorded version."""
        return [
            self.pinned(),
            Step(
                what="make a version with a wrong value the current one",
                back=f"make version {self.version} the current one",
                resource=f"secretsmanager/{self.remote}",
                do=Call.of(
                    "secretsmanager", "spoil_secret_value", secret=self.remote, recorded=self.version, part=part
                ),
                undo=self._restored,
            ),
            Step(
                what="let the operator make it again",
                back=f"make version {self.version} the current one",
                resource=f"Secret/{self.secret}",
                do=self._remade,
                undo=self._restored,
            ),
        ]

    @property
    def _restored(self) -> Call:
        return Call.of("secretsmanager", "restore_secret_version", secret=self.remote, recorded=self.version)

    @property
    def _remade(self) -> Call:
        which = {"namespace": self.external["metadata"]["namespace"], "name": self.secret}
        return Call.of("kubernetes", "delete_derived_secret", **which)


def source(read: Reader, component: str, variable: str) -> Source:
    """Return where a variable of a component comes from.

    Raises:
        Absent: Not from Secrets Manager by way of External Secrets.
        GuardRefused: It is a part of a value that others get, too.
    """
    secret, key = _reference(release.workload(read, component), variable)
    for external in release.external_secrets(read)[1]:
        entry = _entry(external, key)
        if release.target_of(external) == secret and _policy(external) == _OWNER and entry:
            return _described(read, Source(variable, secret, key, external, "", "", is_wrong=False), entry)
    raise Absent(f"no ExternalSecret makes {key} of {secret} for {component}")


def readers(read: Reader, one: Source) -> list[Object]:
    """Return the workloads whose pods get a variable from the same key."""
    return [each for each in release.workloads(read) if (one.secret, one.key) in set(_references(each))]


def remotes(read: Reader) -> set[str]:
    """Return the names in the store of all that makes Secrets which the release reads."""
    wanted = {secret for one in release.workloads(read) for secret in release.secrets_of(one)}
    makers = [one for one in release.external_secrets(read)[1] if release.target_of(one) in wanted]
    return {str(each["remoteRef"]["key"]) for one in makers for each in one["spec"].get("data", [])}


def surroundings(read: Reader, one: Source, *changed: str) -> dict[str, Any]:
    """Return what must stay as it is: objects of the namespace, the keys of the Secret, and every other source."""
    others = {each: _version(read, each) for each in sorted(remotes(read) - {one.remote})}
    return changes.surroundings(read, *changed, f"Secret {one.secret}") | {"the other sources": others}


def is_settled(read: Reader, one: Source, workloads: Iterable[Object]) -> bool:
    """Whether the Secret is there and all pods that are to be are there, and none that is about to go."""
    whole = one.key in release.secret_keys(read).get(one.secret, [])
    return whole and all(_is_renewed(read, each) for each in workloads)


def _is_renewed(read: Reader, one: Object) -> bool:
    found = release.pods(read, one)
    leaving = any(pod["metadata"].get("deletionTimestamp") for pod in found)
    return not leaving and len(found) == one["spec"].get("replicas", 1)


def _described(read: Reader, found: Source, entry: Mapping[str, Any]) -> Source:
    remote = str(entry["remoteRef"]["key"])
    if entry["remoteRef"].get("property"):
        hint = "Give the value a secret of its own."
        raise GuardRefused(f"{found.key} is one property of several in {remote}.", hint)
    stages = _about(read, remote).get("VersionIdsToStages") or {}
    current = current_version(stages)
    is_wrong = any(wrong_version(each) == current for each in stages)
    return Source(found.variable, found.secret, found.key, found.external, remote, current, is_wrong)


def _about(read: Reader, remote: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = read.ask("secretsmanager", "describe_secret", SecretId=remote)
    return found


def _version(read: Reader, remote: str) -> str:
    """Return the current version of another source; empty: it is kept elsewhere, in Parameter Store perhaps."""
    about = read.ask_or({}, "secretsmanager", "describe_secret", SecretId=remote)
    return current_version(about.get("VersionIdsToStages") or {})


def _reference(one: Object, variable: str) -> tuple[str, str]:
    for container in one["spec"]["template"]["spec"]["containers"]:
        for entry in container.get("env", []):
            reference = (entry.get("valueFrom") or {}).get("secretKeyRef")
            if entry["name"] == variable and reference:
                return str(reference["name"]), str(reference["key"])
    raise Absent(f"{name(one)} gets no {variable} from a Secret")


def _references(one: Object) -> Iterable[tuple[str, str]]:
    for container in one["spec"]["template"]["spec"]["containers"]:
        for entry in container.get("env", []):
            if reference := (entry.get("valueFrom") or {}).get("secretKeyRef"):
                yield str(reference["name"]), str(reference["key"])


def _entry(external: Object, key: str) -> Mapping[str, Any]:
    return next((each for each in external["spec"].get("data", []) if each["secretKey"] == key), {})


def _policy(external: Object) -> str:
    return str((external["spec"].get("target") or {}).get("creationPolicy", _OWNER))
