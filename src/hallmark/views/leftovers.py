"""What a lab left behind in an account: everything marked as a lab, and what its cluster's controllers made.

Reads lists by name only; the tag ``hallmark:lab`` marks what our Terraform made, the cluster's own tags mark
volumes and load balancers that outlive a destroy (sharp edges SE-34 and SE-73).
"""

from collections.abc import Iterator
from typing import Any

from hallmark.model import Call
from hallmark.views.base import View, cached_property, tags

MARK = "hallmark:lab"
_LISTED = (
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("ec2", "describe_addresses", "Addresses", "AllocationId"),
    ("ec2", "describe_volumes", "Volumes", "VolumeId"),
    ("ec2", "describe_instances", "Reservations.Instances", "InstanceId"),
    ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    ("rds", "describe_db_instances", "DBInstances", "DBInstanceArn"),
)
_GONE = frozenset({"deleted", "deleting", "terminated", "shutting-down"})


class Leftovers(View):
    """What is still there."""

    @cached_property
    def found(self) -> list[str]:
        """One line a resource: kind and identifier."""
        calls = [Call.of(service, operation) for service, operation, _, _ in _LISTED]
        self.evidence.need([*calls, *_OTHERS])
        found = [
            f"{service} {item[name]}"
            for (service, operation, path, name), call in zip(_LISTED, calls, strict=True)
            for item in _at(self.evidence.ask(call), path)
            if self._is_ours(item) and not _is_gone(item)
        ]
        return [*found, *self._clusters(), *self._caches(), *self._load_balancers(), *self._buckets(), *self._secrets()]

    def _is_ours(self, item: dict[str, Any]) -> bool:
        found = tags(item)
        return MARK in found or f"kubernetes.io/cluster/{self.scope('cluster')}" in found

    def _clusters(self) -> Iterator[str]:
        for name in self.ask("eks", "list_clusters")["clusters"]:
            if name == self.scope("cluster"):
                yield f"eks {name}"

    def _caches(self) -> Iterator[str]:
        groups = self.ask("elasticache", "describe_replication_groups")["ReplicationGroups"]
        arns = [group["ARN"] for group in groups if group["Status"] not in _GONE]
        calls = [Call.of("elasticache", "list_tags_for_resource", ResourceName=arn) for arn in arns]
        for arn, answer in zip(arns, self.ask_all_or({}, calls), strict=True):
            if MARK in tags(answer):
                yield f"elasticache {arn}"

    def _load_balancers(self) -> Iterator[str]:
        balancers = self.ask("elbv2", "describe_load_balancers")["LoadBalancers"]
        arns = [balancer["LoadBalancerArn"] for balancer in balancers]
        calls = [Call.of("elbv2", "describe_tags", ResourceArns=[arn]) for arn in arns]
        for arn, answer in zip(arns, self.ask_all_or({}, calls), strict=True):
            described = [tags(item) for item in answer.get("TagDescriptions", [])]
            if any(MARK in t or t.get("elbv2.k8s.aws/cluster") == self.scope("cluster") for t in described):
                yield f"elbv2 {arn}"

    def _buckets(self) -> Iterator[str]:
        names = [bucket["Name"] for bucket in self.ask("s3", "list_buckets")["Buckets"]]
        calls = [Call.of("s3", "get_bucket_tagging", Bucket=name) for name in names]
        for name, answer in zip(names, self.ask_all_or({}, calls), strict=True):
            if MARK in {tag["Key"] for tag in answer.get("TagSet", [])}:
                yield f"s3 {name}"

    def _secrets(self) -> Iterator[str]:
        for secret in self.ask("secretsmanager", "list_secrets")["SecretList"]:
            if MARK in tags(secret) and "DeletedDate" not in secret:
                yield f"secretsmanager {secret['ARN']}"


_OTHERS = (
    Call.of("eks", "list_clusters"),
    Call.of("elasticache", "describe_replication_groups"),
    Call.of("elbv2", "describe_load_balancers"),
    Call.of("s3", "list_buckets"),
    Call.of("secretsmanager", "list_secrets"),
)


def _at(value: Any, path: str) -> list[dict[str, Any]]:
    items = [value]
    for name in path.split("."):
        items = [child for item in items for child in item.get(name, [])]
    return items


def _is_gone(item: dict[str, Any]) -> bool:
    state = item.get("State") or item.get("DBInstanceStatus") or ""
    return (state.get("Name") if isinstance(state, dict) else state) in _GONE
