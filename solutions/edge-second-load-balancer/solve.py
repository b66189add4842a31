"""Give the Service its type back, let Helm say the same, and wait until the load balancer is gone."""

from collections.abc import Mapping
from typing import Any

from hallmark.twin.release.locate import offline
from hallmark.waiting import until

FRONTEND = "langsmith-frontend"
VALUE = "frontend.service.type=ClusterIP"
INGRESS = "{.items[0].status.loadBalancer.ingress[0].hostname}"


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Mend the live object first: Helm's server-side apply refuses to take the field from somebody else.

    Args:
        client: ``client("elb")`` is a boto3 client; ``client.kubectl`` and ``client.helm`` are the commands.
        scope: The target: ``namespace``, ``release`` and others.
    """
    set_type(client, scope, "ClusterIP")
    upgrade(client, scope, VALUE)
    await_removal(client, scope)


def set_type(client: Any, scope: Mapping[str, str], kind: str) -> None:
    """Set the type of the frontend's Service by hand."""
    client.kubectl("-n", scope["namespace"], "patch", "service", FRONTEND, "-p", f'{{"spec":{{"type":"{kind}"}}}}')


def upgrade(client: Any, scope: Mapping[str, str], *values: str) -> None:
    """Upgrade the release to its own chart with *values* over those it has."""
    sets = [word for value in values for word in ("--set", value)]
    where = ("-n", scope["namespace"])
    client.helm(*where, "upgrade", scope["release"], offline().reference, "--reuse-values", *sets, "--wait")


def balancer(client: Any, scope: Mapping[str, str]) -> dict[str, Any]:
    """Return the Classic Load Balancer that the Service has at the start."""
    path = "jsonpath={.status.loadBalancer.ingress[0].hostname}"
    name = client.kubectl("-n", scope["namespace"], "get", "service", FRONTEND, "-o", path)
    found: list[dict[str, Any]] = client("elb").describe_load_balancers()["LoadBalancerDescriptions"]
    return next(one for one in found if one["DNSName"] == name)


def await_removal(client: Any, scope: Mapping[str, str]) -> None:
    """Wait until the cloud provider has let go of the Service: then load balancer and security group are gone."""
    look = ("-n", scope["namespace"], "get", "service", FRONTEND, "-o", "jsonpath={.metadata.finalizers}")
    if not until(lambda: not client.kubectl(*look), 60, pause=0.3):
        raise TimeoutError("the load balancer is still there after a minute")


def await_targets(client: Any, scope: Mapping[str, str]) -> None:
    """Wait until the load balancer of the Ingress has found its targets again."""
    elb = client("elbv2")
    address = client.kubectl("-n", scope["namespace"], "get", "ingress", "-o", f"jsonpath={INGRESS}")
    balancer = next(one for one in elb.describe_load_balancers()["LoadBalancers"] if one["DNSName"] == address)
    groups = elb.describe_target_groups(LoadBalancerArn=balancer["LoadBalancerArn"])["TargetGroups"]

    def are_healthy() -> bool:
        found = [elb.describe_target_health(TargetGroupArn=one["TargetGroupArn"]) for one in groups]
        states = [one["TargetHealth"]["State"] for each in found for one in each["TargetHealthDescriptions"]]
        return "healthy" in states and set(states) <= {"healthy", "draining"}

    if not until(are_healthy, 120, pause=1):
        raise TimeoutError("the targets are not healthy after two minutes")
