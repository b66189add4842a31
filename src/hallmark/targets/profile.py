"""The target of a command: `hallmark.toml`, overridden by environment, overridden by flags."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from hallmark.errors import UsageError

SETTINGS_FILE = "hallmark.toml"
KINDS = ("twin", "aws", "localstack")
LOCALSTACK_ENDPOINT = "http://localhost:4566"
_PREFIX = "HALLMARK_"
_REGION = re.compile(r"^[a-z]{2}(-[a-z]+)+-\d$")
_SHAPES = {
    "url": (
        re.compile(r"(https://[^\s/@?#:]+(:\d{1,5})?(/[^\s?#]*)?)?"),
        'For example: url = "https://langsmith.example.com"',
    ),
    "proxy": (re.compile(r"(http://[^\s/@?#:]+:\d{1,5}/?)?"), 'For example: proxy = "http://127.0.0.1:3128"'),
}
"""What addresses look like. A user name and a password have no place in one: it is shown and written down."""


@dataclass(frozen=True)
class Profile:
    """Which system is meant and how it is reached.

    Attributes:
        target: ``twin`` (default), ``aws`` or ``localstack``.
        region: AWS region, for example ``us-east-1``.
        cluster: Name of the EKS cluster the grade is about; everything else is found from it.
        host: Public host name of the deployment, without scheme.
        namespace: Kubernetes namespace of the release.
        release: Helm release name; the chart derives service account names from it.
        account: Account id; for a local endpoint it is the access key.
        profile: AWS CLI profile (``aws`` only).
        role_arn: Role to assume for grading (``aws`` only).
        endpoint: Endpoint of an emulator; empty for AWS.
        kubeconfig: File that says how the cluster is reached; empty: EKS says it.
        context: Context of that file; empty: its current one.
        url: Public address of the platform, for example ``https://langsmith.example.com``; empty: the host's.
        proxy: Proxy that leads to it, ``http://HOST:PORT``; empty: it is reached directly.
        ca: File with certificates of a private authority that vouches for it; empty: the public ones do.
        terraform: Folder of the learner's Terraform root.
        postgres: Identifier of the database, when several share the VPC; empty: all of them are graded.
        redis: The same for the cache.
        bucket: The same for the bucket; empty: the buckets the application role reaches.
        deadline: Seconds after which unanswered questions count as timed out.
        lab_accounts: Accounts a fault may touch, comma separated; the twin's own is always one.
        learner: Name of the learner; must equal the owner tag for faults outside the twin.
    """

    target: str = "twin"
    region: str = "us-east-1"
    cluster: str = "hallmark-twin-eks"
    host: str = "langsmith.hallmark.example"
    namespace: str = "langsmith"
    release: str = "langsmith"
    account: str = "111122223333"
    profile: str = ""
    role_arn: str = ""
    endpoint: str = ""
    kubeconfig: str = ""
    context: str = ""
    url: str = ""
    proxy: str = ""
    ca: str = ""
    terraform: str = "terraform/baseline"
    postgres: str = ""
    redis: str = ""
    bucket: str = ""
    deadline: int = 90
    lab_accounts: str = ""
    learner: str = "learner"

    @property
    def is_local(self) -> bool:
        """Whether an emulator on this machine answers instead of AWS."""
        return self.target != "aws"

    def scope(self) -> dict[str, str]:
        """What the evidence and the scorecard say about the target: never how it is reached."""
        return {name: str(getattr(self, name)) for name in _SCOPE}


_SCOPE = (
    "target", "region", "cluster", "host", "namespace", "release", "terraform", "postgres", "redis", "bucket",
)  # fmt: skip


def load(root: Path, environment: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None) -> Profile:
    """Read the profile of the project in *root*.

    Args:
        root: Folder that may hold ``hallmark.toml`` (keys under ``[target]``).
        environment: Variables ``HALLMARK_<SETTING>`` override the file; default: the process environment.
        flags: Command-line values; None means not given. They override everything.

    Raises:
        UsageError: Malformed file, unknown setting, or a value of the wrong shape.
    """
    environment = os.environ if environment is None else environment
    names = {field.name for field in fields(Profile)}
    settings: dict[str, Any] = dict(_from_file(root / SETTINGS_FILE, names))
    settings |= {n: environment[_PREFIX + n.upper()] for n in names if environment.get(_PREFIX + n.upper())}
    settings |= {name: value for name, value in (flags or {}).items() if value is not None}
    return _checked(settings)


def _from_file(path: Path, names: set[str]) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("target", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} is not valid TOML: {error}", "Mend the file, or remove it.") from error
    if not isinstance(table, dict):
        raise UsageError(f"{path.name}: write settings under a [target] table.", 'target = "twin"')
    if "kind" in table:
        table = {**table, "target": table["kind"]}
        del table["kind"]
    if unknown := sorted(set(table) - names):
        known = ", ".join(sorted(names))
        raise UsageError(f"{path.name}: unknown setting {unknown[0]!r} in [target].", f"Known settings: {known}.")
    return table


def _checked(settings: Mapping[str, Any]) -> Profile:
    try:
        deadline = int(settings.get("deadline", Profile.deadline))
    except (TypeError, ValueError) as error:
        raise UsageError("deadline must be a number of seconds.", "For example: deadline = 90") from error
    text = {name: value for name, value in settings.items() if name != "deadline"}
    for name, value in text.items():
        if not isinstance(value, str):
            raise UsageError(f"{name} must be text, not {type(value).__name__}.", f'{name} = "{value}"')
    profile = Profile(**text, deadline=deadline)
    if profile.target not in KINDS:
        raise UsageError(f"unknown target {profile.target!r}.", f"Choose one of: {', '.join(KINDS)}.")
    if not _REGION.match(profile.region):
        raise UsageError(f"{profile.region!r} is not the name of an AWS region.", "For example: us-east-1")
    for name, (shape, example) in _SHAPES.items():
        if not shape.fullmatch(getattr(profile, name)):
            raise UsageError(f"{name} is not an address of the right kind.", example)
    if profile.target == "localstack" and not profile.endpoint:
        return replace(profile, endpoint=LOCALSTACK_ENDPOINT)
    return profile
