"""One way in: the load balancer of the Ingress, with certificate and firewall, and nothing beside it."""

import pytest

from hallmark.errors import Miss
from hallmark.views.balancers import Balancer
from hallmark.views.cluster import name_of, namespace_of
from hallmark.views.compute import Compute
from hallmark.views.edge import Edge
from hallmark.views.ingresses import Ingresses
from hallmark.views.network import Network
from hallmark.views.recovery import Recovery
from hallmark.views.release import Release
from hallmark.views.workloads import APPLICATION, Workloads

INTERNAL = "ClusterIP"
A_NAME = "ExternalName"
"""A Service of this type is an entry in the cluster's DNS: it lets nobody in."""
VALUE = "frontend.service.type"


def _entrance(ingresses: Ingresses) -> Balancer:
    if ingresses.balancer is None:
        raise Miss(
            expected="an Ingress for the host, with a load balancer of its own",
            observed="none",
            where=ingresses.scope("namespace"),
            next=f"kubectl -n {ingresses.scope('namespace')} get ingress",
        )
    return ingresses.balancer


@pytest.mark.check(
    "SB-1",
    "ARCH-4",
    points=5,
    why="Plain HTTP, no firewall, no rate limit, no access log: a way in that nobody watches.",
)
def test_services_are_internal(ingresses: Ingresses) -> None:
    """Every Service of the namespace is for the cluster only, the frontend's too."""
    namespace = ingresses.scope("namespace")
    look = f"kubectl -n {namespace} get services"
    if not ingresses.frontends:
        raise Miss(
            expected="a Service that leads to the frontend", observed="none", where=f"namespace {namespace}", next=look
        )
    for service in ingresses.views.cluster.services:
        kind = service["spec"].get("type", INTERNAL)
        addresses = service["spec"].get("externalIPs") or []
        if namespace_of(service) == namespace and (kind not in {INTERNAL, A_NAME} or addresses):
            raise Miss(
                expected=f"type {INTERNAL}, no external address",
                observed=", ".join([kind, *addresses]),
                where=f"Service {namespace}/{name_of(service)}",
                next=look,
            )


@pytest.mark.check(
    "MODE-2",
    "SB-1",
    points=4,
    why="What is left in AWS goes on serving and costing, whatever Kubernetes says.",
)
def test_balancer_is_gone(ingresses: Ingresses) -> None:
    """In AWS there is no load balancer for a Service of the namespace."""
    entrance = _entrance(ingresses)
    for balancer in ingresses.service_balancers:
        raise Miss(
            expected=f"{entrance.name}, and no other",
            observed=f"{balancer.kind}, {balancer.scheme}, for {balancer.service}",
            where=f"load balancer {balancer.name}",
            next="aws elb describe-load-balancers; aws elbv2 describe-load-balancers",
        )


@pytest.mark.check(
    "MODE-2",
    points=2,
    why="A security group open to the world waits for whoever attaches it next.",
)
def test_security_group_is_gone(ingresses: Ingresses, network: Network) -> None:
    """In AWS there is no security group left of such a load balancer."""
    if not network.security_groups:
        raise Miss(expected="the VPC's security groups", observed="none", where=network.vpc_id)
    for group in ingresses.service_groups:
        raise Miss(
            expected="none that was made for a Service",
            observed=network.security_groups[group]["GroupName"],
            where=group,
            next=f"aws ec2 describe-security-groups --group-ids {group}",
        )


@pytest.mark.check(
    "SB-1",
    points=2,
    requires=["services_are_internal"],
    why="A node that admits the internet is a way in for every port that ever listens on it.",
)
def test_nodes_are_closed(compute: Compute, network: Network) -> None:
    """The nodes' security groups admit nobody from outside the VPC."""
    if not compute.nodes:
        raise Miss(expected="worker nodes", observed="none", where=compute.scope("cluster"), next="kubectl get nodes")
    for node in compute.nodes:
        for opening in network.from_outside(node.groups):
            raise Miss(
                expected="sources inside the VPC only",
                observed=str(opening),
                where=f"node {node.id}",
                next=f"aws ec2 describe-security-groups --group-ids {opening.group}",
            )


@pytest.mark.check(
    "ARCH-2",
    "ARCH-3",
    "ARCH-5",
    points=3,
    requires=["services_are_internal"],
    why="Whoever closes the wrong door locks the users out.",
)
def test_entrance_serves(ingresses: Ingresses, edge: Edge, recovery: Recovery) -> None:
    """The name leads to the load balancer of the Ingress, and that leads to a frontend that answers."""
    balancer = _entrance(ingresses)
    answer, targets = recovery.targets()
    secure = [one for one in edge.listeners(balancer) if (one.protocol, one.port) == ("HTTPS", 443)]
    leads = {target for record in ingresses.records for target in record.targets}
    faults = {
        f"a load balancer that is {balancer.kind} and {balancer.state}": (balancer.kind, balancer.state)
        != ("application", "active"),
        f"a name that leads to {', '.join(sorted(leads)) or 'nothing'}": leads != {balancer.dns},
        "no HTTPS listener that leads to the frontend": not any(map(edge.forwards_host, secure)),
        f"targets of which are {targets}": not answer,
    }
    if found := [name for name, is_so in faults.items() if is_so]:
        raise Miss(
            expected=f"{edge.host} served by {balancer.name}",
            observed="; ".join(found),
            where=balancer.arn,
            next=f"aws elbv2 describe-load-balancers --load-balancer-arns {balancer.arn}",
        )


@pytest.mark.check(
    "SB-1",
    "ARCH-4",
    "NET-9",
    points=2,
    requires=["entrance_serves"],
    why="One way in is only better than two when it is the guarded one.",
)
def test_entrance_is_guarded(ingresses: Ingresses, edge: Edge) -> None:
    """Each load balancer of an Ingress has its firewall, and serves nothing without TLS."""
    for balancer in {one.arn: one for one in (_entrance(ingresses), *ingresses.balancers)}.values():
        ports = edge.listeners(balancer)
        plain = [f"{one.protocol} on {one.port}" for one in ports if edge.speaks_plainly(balancer, one)]
        answer = edge.ask_or({}, "wafv2", "get_web_acl_for_resource", ResourceArn=balancer.arn)
        if plain or not answer.get("WebACL"):
            raise Miss(
                expected="a web ACL, HTTPS, and a redirect to it",
                observed=", ".join(plain) or "no web ACL",
                where=balancer.arn,
                next=f"aws wafv2 get-web-acl-for-resource --resource-arn {balancer.arn}",
            )


@pytest.mark.check(
    "MODE-2",
    "ARCH-1",
    points=3,
    requires=["services_are_internal"],
    why="The chart's own default is LoadBalancer: the next upgrade would open the second way in again.",
)
def test_release_agrees(release: Release) -> None:
    """The release is deployed, and its values say ClusterIP."""
    status = release.record.status if release.record else "no such release"
    if status != "deployed":
        raise Miss(
            expected="a release that is deployed",
            observed=status,
            where=f"release {release.scope('release')}",
            next=f"helm -n {release.scope('namespace')} history {release.scope('release')}",
        )
    if release.value(VALUE) != INTERNAL:
        raise Miss(
            expected=f"{VALUE}: {INTERNAL}",
            observed=str(release.value(VALUE, "nothing, so the chart's default")),
            where=f"values of release {release.scope('release')}",
            next=f"helm -n {release.scope('namespace')} get values {release.scope('release')}",
        )


@pytest.mark.check(
    "ARCH-6",
    points=2,
    requires=["services_are_internal"],
    why="What does not run cannot be attacked, and cannot be used either.",
)
def test_application_runs(workloads: Workloads) -> None:
    """All seven application workloads run, each with all its pods ready."""
    for name in APPLICATION:
        one = workloads.application.get(name)
        if one is None or not one.is_ready:
            raise Miss(
                expected="every pod ready, one or more",
                observed=f"{one.ready} of {one.wanted} ready" if one else "no workload",
                where=one.where if one else f"{name} of release {workloads.scope('release')}",
                next=one.look if one else f"kubectl -n {workloads.scope('namespace')} get deployments",
            )
