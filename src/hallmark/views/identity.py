"""Who may do what: the roles of control plane, nodes and pods, found by reference from the cluster.

A pod gets a role in one of two ways: the role trusts the cluster's identity provider (IRSA), or an association
binds it to a service account (EKS Pod Identity). Both are read, neither is preferred.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hallmark.model import Call
from hallmark.policy import trusted_subjects, trusts_pod_identity, trusts_web_identity
from hallmark.views.base import View, cached_property
from hallmark.views.roles import Role, first_calls, read_roles

AUDIENCE = "sts.amazonaws.com"
COMPONENTS = ("backend", "platform-backend", "queue", "ingest-queue")
"""Chart components that read and write the bucket; each has a service account of its own (chart 0.16)."""


@dataclass(frozen=True)
class Association:
    """An EKS Pod Identity association: a service account gets a role."""

    namespace: str
    service_account: str
    role: str


@dataclass(frozen=True)
class Provider:
    """The cluster's token issuer and the IAM identity provider made for it.

    Attributes:
        issuer: Host and path of the issuer, without scheme; empty when the cluster has none.
        arn: What the provider's ARN is or would be.
        audiences: What it accepts tokens for; empty when there is no such provider.
    """

    issuer: str
    arn: str
    audiences: tuple[str, ...]


class Identity(View):
    """Roles of the cluster, trust and permissions."""

    @cached_property
    def account(self) -> str:
        """Account id of whoever collected the evidence."""
        return str(self.ask("sts", "get_caller_identity")["Account"])

    @cached_property
    def provider(self) -> Provider | None:
        """The identity provider of the cluster; None without a cluster."""
        cluster = self.views.compute.cluster
        if not cluster:
            return None
        arn = _provider_arn(cluster)
        (found,) = self.ask_all_or({}, [_provider(arn)])
        return Provider(_issuer(cluster), arn, tuple(found.get("ClientIDList", ())))

    @cached_property
    def associations(self) -> tuple[Association, ...]:
        """Pod Identity associations of the cluster."""
        name = self.scope("cluster")
        listed = self.ask_or({"associations": []}, "eks", "list_pod_identity_associations", clusterName=name)
        calls = [
            Call.of("eks", "describe_pod_identity_association", clusterName=name, associationId=each["associationId"])
            for each in listed["associations"]
        ]
        found = [answer["association"] for answer in self.ask_all(calls)]
        return tuple(Association(each["namespace"], each["serviceAccount"], _name(each["roleArn"])) for each in found)

    @cached_property
    def node_roles(self) -> tuple[Role, ...]:
        """Roles of the managed node groups."""
        return self._roles(self._node_role_names)

    @cached_property
    def pod_roles(self) -> tuple[Role, ...]:
        """Roles that any pod of the cluster can get."""
        return self._roles(self._pod_role_names)

    @cached_property
    def cluster_roles(self) -> tuple[Role, ...]:
        """All roles of the cluster: control plane, nodes, pods."""
        cluster = self.views.compute.cluster
        # The control plane's role is known first, and its policies are the longest way.
        own = self._roles({_name(cluster["roleArn"])} if cluster else set())
        found = {role.name: role for role in (*own, *self.node_roles, *self.pod_roles)}
        return tuple(found[name] for name in sorted(found))

    @cached_property
    def application_accounts(self) -> tuple[str, ...]:
        """Service accounts of the application that need the bucket."""
        release = self.scope("release")
        # The chart's name for everything: the release, unless it does not say langsmith.
        name = release if "langsmith" in release else f"{release}-langsmith"
        return tuple(f"{name}-{component}" for component in COMPONENTS)

    @cached_property
    def application_roles(self) -> tuple[Role, ...]:
        """Roles that one of those service accounts can get."""
        found = {r.name: r for account in self.application_accounts for r in self.roles_of(account)}
        return tuple(found[name] for name in sorted(found))

    def roles_of(self, service_account: str) -> tuple[Role, ...]:
        """Roles a service account in the target's namespace can get, by IRSA or by Pod Identity."""
        return self._roles_of(service_account)

    @cached_property
    def _roles_of(self) -> Callable[[str], tuple[Role, ...]]:
        """The same, remembered. The list of roles says which may be meant: only these are read, not every pod's."""
        meant_for = cache(lambda account: [role.name for role in self._listed if self._gets(role, account)])

        @cache
        def read(account: str) -> tuple[Role, ...]:
            meant = meant_for(account)
            self.evidence.need(self._first_calls(meant))
            return tuple(role for role in self._roles(self._usable(meant)) if self._gets(role, account))

        return read

    def subjects(self, role: Role) -> tuple[str, ...]:
        """Who can get a role, as patterns of token subjects: ``system:serviceaccount:<namespace>:<name>``."""
        bound = [
            f"system:serviceaccount:{a.namespace}:{a.service_account}" for a in self.associations if a.role == role.name
        ]
        trusted = trusted_subjects(role.trust, self.provider.issuer) if self.provider else ()
        return (*trusted, *bound)

    def can_be_assumed(self, role: Role) -> bool:
        """Whether any pod of the cluster really gets a role: its trust holds for one of those it is meant for."""
        subjects = trusted_subjects(role.trust, self.provider.issuer) if self.provider else ()
        # A pattern stands for service accounts nobody named: any text may stand in for its wildcards.
        by_token = any(self._trusts(role, re.sub(r"[*?]", "x", subject)) for subject in subjects)
        bound = [each for each in self.associations if each.role == role.name]
        return by_token or any(self._trusts_agent(role, each.namespace, each.service_account) for each in bound)

    def _gets(self, role: Role, service_account: str) -> bool:
        namespace = self.scope("namespace")
        if Association(namespace, service_account, role.name) in self.associations:
            return self._trusts_agent(role, namespace, service_account)
        return self._trusts(role, f"system:serviceaccount:{namespace}:{service_account}")

    def _trusts(self, role: Role, subject: str) -> bool:
        cluster = self.views.compute.cluster
        arn, issuer = _provider_arn(cluster), _issuer(cluster)
        return trusts_web_identity(role.trust, arn, issuer, subject, AUDIENCE).allowed

    def _trusts_agent(self, role: Role, namespace: str, service_account: str) -> bool:
        """What the Pod Identity agent says about the pod when it asks for the role (EKS User Guide, session tags)."""
        cluster = self.views.compute.cluster
        context = {
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": service_account,
            "aws:RequestTag/eks-cluster-arn": cluster["arn"],
            "aws:RequestTag/eks-cluster-name": cluster["name"],
            "aws:SourceArn": cluster["arn"],
            "aws:SourceAccount": role.arn.split(":")[4],
            "aws:SecureTransport": "true",
        }
        return trusts_pod_identity(role.trust, context).allowed

    @cached_property
    def _node_role_names(self) -> set[str]:
        return {_name(group.role_arn) for group in self.views.compute.node_groups}

    @cached_property
    def _pod_role_names(self) -> set[str]:
        names = [role.name for role in self._listed]
        # The provider and the roles are asked about together: neither answer is needed for the other question.
        self.evidence.need(self._first_calls(names))
        return self._usable(names)

    @cached_property
    def _listed(self) -> tuple[Role, ...]:
        """Roles a pod might get, as listed, which is without policies: the cluster's provider or a binding is named."""
        cluster = self.scope("cluster")
        bindings = Call.of("eks", "list_pod_identity_associations", clusterName=cluster)
        self.evidence.need([Call.of("eks", "describe_cluster", name=cluster), Call.of("iam", "list_roles"), bindings])
        if not self.views.compute.cluster:
            return ()
        roles = [
            Role(r["RoleName"], r["Arn"], r["AssumeRolePolicyDocument"]) for r in self.ask("iam", "list_roles")["Roles"]
        ]
        return tuple(role for role in roles if role.name in self._bound or self._is_named(role))

    @property
    def _bound(self) -> set[str]:
        return {association.role for association in self.associations}

    def _is_named(self, role: Role) -> bool:
        """Whether a trust policy mentions the provider anywhere; what it then means, the policy evaluator decides."""
        return _provider_arn(self.views.compute.cluster) in str(role.trust)

    def _first_calls(self, names: list[str]) -> list[Call]:
        provider = [_provider(_provider_arn(self.views.compute.cluster))] if names else []
        return [*provider, *(call for name in names for call in first_calls(name))]

    def _usable(self, names: list[str]) -> set[str]:
        """Those of *names* that are bound, or may be had with a token of the cluster."""
        # Without a provider for AWS's audience no token of the cluster is worth anything.
        trusted = self.provider is not None and AUDIENCE in self.provider.audiences
        return {name for name in names if trusted or name in self._bound}

    def _roles(self, names: set[str]) -> tuple[Role, ...]:
        return tuple(read_roles(self, names).values())


def _issuer(cluster: Mapping[str, Any]) -> str:
    return str(cluster["identity"]["oidc"]["issuer"]).removeprefix("https://")


def _provider_arn(cluster: Mapping[str, Any]) -> str:
    _, partition, _, _, account, _ = cluster["arn"].split(":", 5)
    return f"arn:{partition}:iam::{account}:oidc-provider/{_issuer(cluster)}"


def _provider(arn: str) -> Call:
    return Call.of("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
