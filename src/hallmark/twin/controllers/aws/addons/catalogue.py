"""Which add-ons there are and whose role they act with."""

import json
from dataclasses import dataclass
from string import Template
from typing import Any

import yaml

from hallmark.twin.controllers.aws.session import ROLE
from hallmark.twin.kube.kinds import Object

REGISTRY = "602401143452.dkr.ecr.us-east-1.amazonaws.com"
"""EKS' own registry in us-east-1 (EKS user guide, "View Amazon container image registries")."""


@dataclass(frozen=True)
class Release:
    """A Helm release that the guides have people install.

    Attributes:
        name: Of the release and of its manifest.
        account: Namespace and name of the service account whose role makes it work.
    """

    name: str
    account: tuple[str, str]

    @property
    def subject(self) -> str:
        """The account as trust policies name it."""
        return "system:serviceaccount:" + ":".join(self.account)


RELEASES = (
    Release("cluster-autoscaler", ("kube-system", "cluster-autoscaler")),
    Release("aws-load-balancer-controller", ("kube-system", "aws-load-balancer-controller")),
    Release("external-secrets", ("external-secrets", "external-secrets")),
    Release("external-dns", ("external-dns", "external-dns")),
)
ADDONS = (
    *("vpc-cni", "kube-proxy", "coredns", "aws-ebs-csi-driver", "metrics-server"),
    *("amazon-cloudwatch-observability", "eks-pod-identity-agent"),
)
"""EKS add-ons with a manifest; others are in the account only."""
WITH_CLUSTER = "storage-classes"
"""What a new cluster has without any add-on."""


def render(text: str, values: dict[str, str]) -> list[Object]:
    """Fill in a manifest.

    Args:
        text: Objects as YAML, with ``${name}`` where a value goes; names that are not given stay as they are.
        values: Values by name; an empty ``role`` leaves the annotation out.

    Returns:
        The objects, in the order of the file.
    """
    content = Template(text).safe_substitute(values)
    return [_without_empty_role(each) for each in yaml.safe_load_all(content) if each]


def extra_tags(configuration: str | None) -> str:
    """Tags for volumes in an add-on's configuration, as the EBS driver's command line takes them."""
    try:
        given = json.loads(configuration or "{}")
        tags = (given.get("controller") or {}).get("extraVolumeTags") or {}
    except (ValueError, AttributeError):
        return ""
    return ",".join(f"{key}={value}" for key, value in tags.items())


def _without_empty_role(thing: dict[str, Any]) -> Object:
    annotations = thing["metadata"].get("annotations") or {}
    if annotations.get(ROLE) == "":
        kept = {name: value for name, value in annotations.items() if name != ROLE}
        metadata = {name: value for name, value in thing["metadata"].items() if name != "annotations"}
        return {**thing, "metadata": {**metadata, **({"annotations": kept} if kept else {})}}
    return thing


def version_values(version: str) -> dict[str, str]:
    """Values of an add-on's version, for example of ``v1.35.0-eksbuild.2``: the whole, and its two halves."""
    release, _, build = version.partition("-")
    return {"version": version, "release": release, "build": build}


def roles_by_subject(roles: list[dict[str, Any]], issuer: str, trusted: Any) -> dict[str, str]:
    """Which service account may act as which role, as the trust policies say: subject to ARN.

    Args:
        roles: As ListRoles gives them.
        issuer: The cluster's identity provider.
        trusted: Finds the subjects that a trust policy lets in, see :func:`hallmark.policy.trusted_subjects`.
    """
    found: dict[str, str] = {}
    for role in roles:
        for subject in trusted(role["AssumeRolePolicyDocument"], issuer):
            found.setdefault(subject, role["Arn"])
    return found
