"""One change at a time to the solved system, and what only looks like one."""

import copy
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status

FRONTEND = "langsmith-frontend"
CLASSIC = "a0123456789abcdef0123456789abcde"
"""What the load balancer of the Service with uid 01234567-89ab-cdef-0123-456789abcdef is called."""
AFTER = ["nodes_are_closed", "entrance_serves", "entrance_is_guarded", "release_agrees", "application_runs"]
OPENED = ["services_are_internal", *AFTER]


def _service(edit: Edit, name: str = FRONTEND) -> dict[str, Any]:
    return next(edit.objects("services", name))


def _ingress(edit: Edit) -> dict[str, Any]:
    return next(edit.objects("ingresses"))


def _balancer(edit: Edit) -> dict[str, Any]:
    address = _ingress(edit)["status"]["loadBalancer"]["ingress"][0]["hostname"].lower()
    balancers = edit.each("elbv2", "describe_load_balancers", "LoadBalancers")
    return next(one for one in balancers if one["DNSName"].lower() == address)


def _add_classic(edit: Edit, service: str) -> None:
    """Add a Classic Load Balancer as the cloud provider makes it for a Service."""
    raw = {
        "LoadBalancerName": CLASSIC,
        "DNSName": f"{CLASSIC}-1.us-east-1.elb.amazonaws.com",
        "Scheme": "internet-facing",
        "AvailabilityZones": ["us-east-1a"],
        "ListenerDescriptions": [{"Listener": {"LoadBalancerPort": 80, "Protocol": "TCP"}}],
    }
    labels = {"kubernetes.io/service-name": service, **_owned(edit)}
    described = {"LoadBalancerName": CLASSIC, "Tags": [{"Key": key, "Value": value} for key, value in labels.items()]}
    for answer in edit.answers("elb", "describe_load_balancers"):
        answer["LoadBalancerDescriptions"].append(raw)
    edit.put(Call.of("elb", "describe_tags", LoadBalancerNames=[CLASSIC]), {"TagDescriptions": [described]})


def _add_group(edit: Edit, name: str, tags: dict[str, str]) -> None:
    """Add a security group that is open to the world."""
    raw = {
        "GroupId": "sg-0123456789abcdef0",
        "GroupName": name,
        "Description": "x",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
        "IpPermissionsEgress": [],
    }
    for answer in edit.answers("ec2", "describe_security_groups"):
        answer["SecurityGroups"].append(raw)


def _owned(edit: Edit) -> dict[str, str]:
    return {f"kubernetes.io/cluster/{edit.snapshot.scope['cluster']}": "owned"}


def _open_nodes(edit: Edit, source: str) -> None:
    """Let *source* in to the node ports."""
    instances = edit.each("ec2", "describe_instances", "Reservations.Instances")
    groups = {group["GroupId"] for one in instances for group in one["SecurityGroups"]}
    rule = {"IpProtocol": "tcp", "FromPort": 30000, "ToPort": 32767, "IpRanges": [{"CidrIp": source}]}
    for group in edit.each("ec2", "describe_security_groups", "SecurityGroups"):
        if group["GroupId"] in groups:
            group["IpPermissions"].append(rule)


@mutant(breaks=["entrance_is_guarded"])
def another_ingress_is_not_guarded(edit: Edit) -> None:
    """The second way in has become a second Ingress, with a load balancer that has no firewall."""
    first, ingress = _balancer(edit), copy.deepcopy(_ingress(edit))
    arn, name = f"{first['LoadBalancerArn']}2", "second-1.us-east-1.elb.amazonaws.com"
    ingress["metadata"]["name"] = "second"
    ingress["status"]["loadBalancer"]["ingress"] = [{"hostname": name}]
    for listed in edit.answers("kubernetes", "list", resource="ingresses"):
        listed["items"].append(ingress)
    balancers = edit.answers("elbv2", "describe_load_balancers")[0]["LoadBalancers"]
    balancers.append(copy.deepcopy(first) | {"LoadBalancerArn": arn, "LoadBalancerName": "second", "DNSName": name})
    tagged = edit.answers("elbv2", "describe_tags")[0]["TagDescriptions"]
    own = next(one for one in tagged if one["ResourceArn"] == first["LoadBalancerArn"])
    described = {"TagDescriptions": [*tagged, own | {"ResourceArn": arn}]}
    edit.put(Call.of("elbv2", "describe_tags", ResourceArns=[one["LoadBalancerArn"] for one in balancers]), described)
    listeners = edit.answers("elbv2", "describe_listeners", LoadBalancerArn=first["LoadBalancerArn"])[0]
    edit.put(Call.of("elbv2", "describe_listeners", LoadBalancerArn=arn), copy.deepcopy(listeners))
    edit.put(Call.of("wafv2", "get_web_acl_for_resource", ResourceArn=arn), {})


@mutant(breaks=OPENED)
def service_has_a_balancer(edit: Edit) -> None:
    """The type is LoadBalancer again."""
    _service(edit)["spec"]["type"] = "LoadBalancer"


@mutant(breaks=OPENED)
def service_has_a_node_port(edit: Edit) -> None:
    """Every node listens."""
    _service(edit)["spec"]["type"] = "NodePort"


@mutant(breaks=OPENED)
def service_has_an_external_address(edit: Edit) -> None:
    """Whoever routes that address to a node gets in."""
    _service(edit)["spec"]["externalIPs"] = ["198.51.100.7"]


@mutant(breaks=OPENED)
def another_service_has_a_balancer(edit: Edit) -> None:
    """Not the frontend, but the API behind it."""
    _service(edit, "langsmith-backend")["spec"]["type"] = "LoadBalancer"


@mutant(breaks=[*OPENED, "balancer_is_gone"])
def frontend_has_no_service(edit: Edit) -> None:
    """Deleted, and the Ingress leads nowhere."""
    edit.remove("services", FRONTEND)


@mutant(breaks=[])
def service_is_headless(edit: Edit) -> None:
    """A ClusterIP without an address."""
    _service(edit, "langsmith-clickhouse")["spec"]["clusterIP"] = "None"


@mutant(breaks=[])
def a_service_is_a_name_for_something_outside(edit: Edit) -> None:
    """A database of the company, under a name of the cluster's."""
    about = {"name": "directory", "namespace": edit.snapshot.scope["namespace"], "uid": "0"}
    for answer in edit.answers("kubernetes", "list", resource="services"):
        spec = {"type": "ExternalName", "externalName": "directory.example"}
        answer["items"].append({"metadata": about, "spec": spec})


@mutant(breaks=[])
def another_application_has_a_balancer(edit: Edit) -> None:
    """In a namespace of its own, and its owner's business."""
    service = _service(edit)
    about = {"name": "web", "namespace": "shop", "uid": "01234567-89ab-cdef-0123-456789abcdef"}
    other = {"metadata": about, "spec": {**service["spec"], "type": "LoadBalancer"}}
    for answer in edit.answers("kubernetes", "list", resource="services"):
        answer["items"].append(other)
    _add_classic(edit, "shop/web")
    _add_group(edit, f"k8s-elb-{CLASSIC}", _owned(edit))


@mutant(breaks=[])
def another_cluster_of_the_vpc_has_a_group(edit: Edit) -> None:
    """Its Services are not seen from here."""
    _add_group(edit, f"k8s-elb-{CLASSIC}", {"kubernetes.io/cluster/other": "owned"})


@mutant(breaks=["balancer_is_gone"])
def balancer_is_left_over(edit: Edit) -> None:
    """The Service changed while nobody was there to delete its load balancer."""
    _add_classic(edit, f"{edit.snapshot.scope['namespace']}/{FRONTEND}")


@mutant(breaks=["security_group_is_gone"])
def group_is_left_over(edit: Edit) -> None:
    """The load balancer is deleted, its security group is not."""
    _add_group(edit, f"k8s-elb-{CLASSIC}", _owned(edit))


@mutant(breaks=["security_group_is_gone"])
def group_of_the_load_balancer_controller_is_left_over(edit: Edit) -> None:
    """It names the Service in a tag."""
    where = f"{edit.snapshot.scope['namespace']}/{FRONTEND}"
    _add_group(edit, "[k8s] Managed SecurityGroup for LoadBalancer", {"service.k8s.aws/stack": where})


@mutant(breaks=["nodes_are_closed"])
def nodes_admit_the_internet(edit: Edit) -> None:
    """Node ports are open to everybody."""
    _open_nodes(edit, "0.0.0.0/0")


@mutant(breaks=["nodes_are_closed"])
def nodes_admit_an_office(edit: Edit) -> None:
    """Node ports are open to one address outside: past the firewall all the same."""
    _open_nodes(edit, "198.51.100.7/32")


@mutant(breaks=[])
def nodes_admit_the_vpc(edit: Edit) -> None:
    """Wide, but inside."""
    _open_nodes(edit, "10.0.0.0/16")


@mutant(breaks=["nodes_are_closed"])
def nodes_are_gone(edit: Edit) -> None:
    """There is nothing to look at."""
    for answer in edit.answers("ec2", "describe_instances"):
        answer["Reservations"] = []


@mutant(breaks=["entrance_serves", "entrance_is_guarded", "balancer_is_gone"])
def ingress_is_gone(edit: Edit) -> None:
    """The wrong door was closed."""
    edit.remove("ingresses")


@mutant(breaks=["entrance_serves", "entrance_is_guarded", "balancer_is_gone"])
def ingress_balancer_is_gone(edit: Edit) -> None:
    """Deleted by hand; the status still names it."""
    gone = _balancer(edit)["LoadBalancerArn"]
    for answer in edit.answers("elbv2", "describe_load_balancers"):
        answer["LoadBalancers"] = [one for one in answer["LoadBalancers"] if one["LoadBalancerArn"] != gone]


@mutant(breaks=["entrance_serves", "entrance_is_guarded"])
def name_leads_to_the_second_balancer(edit: Edit) -> None:
    """The record points past the firewall."""
    for record in edit.each("route53", "list_resource_record_sets", "ResourceRecordSets"):
        if "AliasTarget" in record:
            record["AliasTarget"]["DNSName"] = f"{CLASSIC}-1.us-east-1.elb.amazonaws.com."


@mutant(breaks=["entrance_serves", "entrance_is_guarded"])
def https_is_gone(edit: Edit) -> None:
    """Only port 80 is left."""
    for answer in edit.answers("elbv2", "describe_listeners"):
        answer["Listeners"] = [one for one in answer["Listeners"] if one["Port"] == 80]


@mutant(breaks=["entrance_serves", "entrance_is_guarded"])
def frontend_does_not_answer(edit: Edit) -> None:
    """The Service was made anew by hand, for a port on which nobody listens."""
    for one in edit.each("elbv2", "describe_target_health", "TargetHealthDescriptions"):
        one["TargetHealth"] = {"State": "unhealthy", "Reason": "Target.Timeout"}


@mutant(breaks=["entrance_is_guarded"])
def port_80_serves(edit: Edit) -> None:
    """The redirect was taken away."""
    for listener in edit.each("elbv2", "describe_listeners", "Listeners"):
        if listener["Port"] == 80:
            listener["DefaultActions"] = [{"Type": "forward", "TargetGroupArn": "arn:x"}]


@mutant(breaks=["entrance_is_guarded"])
def firewall_is_gone(edit: Edit) -> None:
    """The web ACL is not on this load balancer."""
    for answer in edit.answers("wafv2", "get_web_acl_for_resource"):
        answer.pop("WebACL")


@mutant(breaks=["release_agrees"])
def values_say_load_balancer(edit: Edit) -> None:
    """Mended by hand, and the next upgrade undoes it."""
    next(edit.each("kubernetes", "release"))["values"]["frontend"]["service"]["type"] = "LoadBalancer"


@mutant(breaks=["release_agrees"])
def values_say_nothing(edit: Edit) -> None:
    """The chart's default is LoadBalancer."""
    del next(edit.each("kubernetes", "release"))["values"]["frontend"]["service"]


@mutant(breaks=["release_agrees"])
def release_failed(edit: Edit) -> None:
    """The upgrade met a conflict and was left like that."""
    next(edit.each("kubernetes", "release"))["status"] = "failed"


@mutant(breaks=["release_agrees"])
def release_is_gone(edit: Edit) -> None:
    """Nobody can upgrade it any more."""
    edit.status("kubernetes", "release", Status.ABSENT, "NotFound")


@mutant(breaks=["application_runs"])
def frontend_is_scaled_to_zero(edit: Edit) -> None:
    """Nothing answers, neither here nor there."""
    frontend = next(edit.objects("deployments", FRONTEND))
    frontend["spec"]["replicas"] = 0
    frontend["status"] = {"observedGeneration": frontend["metadata"]["generation"]}


@mutant(breaks=["application_runs"])
def backend_is_not_ready(edit: Edit) -> None:
    """One pod of two."""
    next(edit.objects("deployments", "langsmith-backend"))["status"]["readyReplicas"] = 1


@mutant(breaks=["application_runs"])
def queue_is_deleted(edit: Edit) -> None:
    """One workload is missing."""
    edit.remove("deployments", "langsmith-queue")
