"""What can be wrong with the way in, and what only looks wrong."""

import copy
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call


def _ingress(edit: Edit) -> dict[str, Any]:
    return next(edit.objects("ingresses"))


def _balancer(edit: Edit) -> dict[str, Any]:
    address = _ingress(edit)["status"]["loadBalancer"]["ingress"][0]["hostname"].lower()
    balancers = edit.each("elbv2", "describe_load_balancers", "LoadBalancers")
    return next(one for one in balancers if one["DNSName"].lower() == address)


@mutant(breaks=["ingress_routes"])
def no_ingress(edit: Edit) -> None:
    """The chart makes none unless told to."""
    edit.remove("ingresses")


@mutant(breaks=["ingress_routes", "no_other_entrance"])
def ingress_of_another_class(edit: Edit) -> None:
    """Another controller serves it: in front of it is whatever that makes."""
    _ingress(edit)["spec"]["ingressClassName"] = "nginx"


@mutant(breaks=["ingress_routes"])
def ingress_without_class(edit: Edit) -> None:
    """Nobody feels responsible."""
    del _ingress(edit)["spec"]["ingressClassName"]


@mutant(breaks=["ingress_routes", "no_other_entrance"])
def class_alb_is_somebody_elses(edit: Edit) -> None:
    """A class called alb belongs to another controller."""
    for one in edit.objects("ingressclasses", "alb"):
        one["spec"]["controller"] = "example.com/other"


@mutant(breaks=["ingress_routes"])
def ingress_leads_elsewhere(edit: Edit) -> None:
    """It leads to the backend, past the frontend's routing."""
    for rule in _ingress(edit)["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            path["backend"]["service"]["name"] = "langsmith-backend"


@mutant(breaks=["ingress_routes"])
def ingress_takes_one_path(edit: Edit) -> None:
    """Only the API is routed."""
    for rule in _ingress(edit)["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            path["path"] = "/api"


@mutant(breaks=["ingress_routes"])
def ingress_takes_the_first_page(edit: Edit) -> None:
    """A path that is a pattern of the load balancer's takes what it says and nothing below."""
    for rule in _ingress(edit)["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            path["pathType"] = "ImplementationSpecific"


@mutant(breaks=[])
def path_is_a_pattern(edit: Edit) -> None:
    """The same with a pattern for everything."""
    for rule in _ingress(edit)["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            path |= {"path": "/*", "pathType": "ImplementationSpecific"}


@mutant(breaks=["ingress_takes_host"])
def host_is_led_elsewhere(edit: Edit) -> None:
    """The host belongs to another Service; the frontend gets what is left."""
    spec = _ingress(edit)["spec"]
    (rule,) = spec["rules"]
    (path,) = rule["http"]["paths"]
    spec["defaultBackend"] = copy.deepcopy(path["backend"])
    path["backend"]["service"]["name"] = "langsmith-backend"


@mutant(breaks=[])
def class_is_an_annotation(edit: Edit) -> None:
    """The old way of naming the class, which the controller still takes."""
    ingress = _ingress(edit)
    name = ingress["spec"].pop("ingressClassName")
    ingress["metadata"].setdefault("annotations", {})["kubernetes.io/ingress.class"] = name


@mutant(breaks=[])
def class_has_another_name(edit: Edit) -> None:
    """The controller's class may be called anything."""
    _ingress(edit)["spec"]["ingressClassName"] = "public"
    for one in edit.objects("ingressclasses", "alb"):
        one["metadata"]["name"] = "public"


@mutant(breaks=[])
def a_second_ingress(edit: Edit) -> None:
    """Another application of the namespace has an Ingress of its own."""
    for answer in edit.answers("kubernetes", "list", resource="ingresses"):
        other = {"metadata": {"name": "other", "namespace": "langsmith"}, "spec": {"ingressClassName": "nginx"}}
        answer["items"].insert(0, other)


@mutant(breaks=["ingress_takes_host"])
def ingress_takes_another_host(edit: Edit) -> None:
    """The rule and the certificate are for different names."""
    for rule in _ingress(edit)["spec"]["rules"]:
        rule["host"] = "www.example.com"


@mutant(breaks=[])
def ingress_takes_any_host(edit: Edit) -> None:
    """Without a host it answers everything: a remark."""
    for rule in _ingress(edit)["spec"]["rules"]:
        del rule["host"]


@mutant(breaks=[])
def ingress_takes_a_wildcard(edit: Edit) -> None:
    """A wildcard one label above the host."""
    for rule in _ingress(edit)["spec"]["rules"]:
        rule["host"] = "*." + rule["host"].partition(".")[2]


@mutant(breaks=["ingress_takes_host"])
def ingress_takes_too_wide_a_wildcard(edit: Edit) -> None:
    """A wildcard stands for one label only."""
    for rule in _ingress(edit)["spec"]["rules"]:
        rule["host"] = "*." + rule["host"].rpartition(".")[2]


@mutant(breaks=["ingress_has_balancer"])
def ingress_has_no_address(edit: Edit) -> None:
    """The controller found no subnets, or may not make a load balancer."""
    _ingress(edit)["status"] = {"loadBalancer": {}}


@mutant(breaks=["ingress_has_balancer"])
def balancer_is_gone(edit: Edit) -> None:
    """Somebody deleted the load balancer by hand; the status still names it."""
    gone = _balancer(edit)["LoadBalancerArn"]
    for answer in edit.answers("elbv2", "describe_load_balancers"):
        answer["LoadBalancers"] = [one for one in answer["LoadBalancers"] if one["LoadBalancerArn"] != gone]


@mutant(breaks=["ingress_has_balancer"])
def balancer_is_being_made(edit: Edit) -> None:
    """It is not active yet."""
    _balancer(edit)["State"] = {"Code": "provisioning"}


@mutant(breaks=["ingress_has_balancer"])
def balancer_is_a_network_one(edit: Edit) -> None:
    """A Network Load Balancer knows no host, no path and no web ACL."""
    _balancer(edit)["Type"] = "network"


@mutant(breaks=["name_leads_to_ingress"])
def name_leads_to_another_balancer(edit: Edit) -> None:
    """The record points to a load balancer that Terraform made."""
    for record in edit.each("route53", "list_resource_record_sets", "ResourceRecordSets"):
        if "AliasTarget" in record:
            record["AliasTarget"]["DNSName"] = "dualstack.unused-1.us-east-1.elb.amazonaws.com."


@mutant(breaks=["name_leads_to_ingress"])
def name_leads_nowhere(edit: Edit) -> None:
    """There is no record."""
    for answer in edit.answers("route53", "list_resource_record_sets"):
        answer["ResourceRecordSets"] = []


@mutant(breaks=["firewall_in_path"])
def firewall_protects_another_balancer(edit: Edit) -> None:
    """The web ACL exists, and is not on this load balancer."""
    for answer in edit.answers("wafv2", "get_web_acl_for_resource"):
        answer.pop("WebACL")


@mutant(breaks=["firewall_in_path"])
def another_ingress_has_no_firewall(edit: Edit) -> None:
    """A second Ingress, of a group of its own, leads to the same frontend past the firewall."""
    _another_ingress(edit, {})


@mutant(breaks=[])
def another_ingress_has_a_firewall(edit: Edit) -> None:
    """The same, with a web ACL."""
    _another_ingress(edit, {"WebACL": {"Name": "own"}})


@mutant(breaks=["entrance_encrypted"])
def port_80_serves(edit: Edit) -> None:
    """Without ssl-redirect port 80 forwards to the application."""
    for listener in edit.each("elbv2", "describe_listeners", "Listeners"):
        if listener["Port"] == 80:
            listener["DefaultActions"] = [{"Type": "forward", "TargetGroupArn": "arn:x"}]


@mutant(breaks=["entrance_encrypted"])
def no_https(edit: Edit) -> None:
    """The production profile ships without a certificate."""
    for answer in edit.answers("elbv2", "describe_listeners"):
        answer["Listeners"] = [one for one in answer["Listeners"] if one["Port"] == 80]


@mutant(breaks=["no_other_entrance"])
def frontend_has_a_balancer_of_its_own(edit: Edit) -> None:
    """The chart's default type of the frontend's Service: plain HTTP, past the firewall."""
    next(edit.objects("services", "langsmith-frontend"))["spec"]["type"] = "LoadBalancer"


@mutant(breaks=["no_other_entrance"])
def another_controller_leads_in(edit: Edit) -> None:
    """NGINX serves the host, too, behind a load balancer that nobody looks at."""
    second = copy.deepcopy(_ingress(edit))
    second["metadata"]["name"], second["spec"]["ingressClassName"] = "second", "nginx"
    for answer in edit.answers("kubernetes", "list", resource="ingresses"):
        answer["items"].append(second)


@mutant(breaks=["no_other_entrance", "ingress_routes"])
def frontend_has_no_service(edit: Edit) -> None:
    """Nothing selects the pods of the frontend."""
    edit.remove("services", "langsmith-frontend")


@mutant(breaks=["no_gateway"])
def a_gateway_route_beside(edit: Edit) -> None:
    """The official default: Envoy Gateway leads in, too."""
    _serve(edit, "gateway.networking.k8s.io/v1", "httproutes", "langsmith")


@mutant(breaks=["no_gateway"])
def a_route_for_connections_beside(edit: Edit) -> None:
    """A gateway that takes connections as they are knows no firewall."""
    _serve(edit, "gateway.networking.k8s.io/v1alpha2", "tcproutes", "langsmith")


@mutant(breaks=["no_gateway"])
def a_virtual_service_beside(edit: Edit) -> None:
    """Istio leads in, too."""
    _serve(edit, "networking.istio.io/v1", "virtualservices", "langsmith")


@mutant(breaks=[])
def a_gateway_class_of_somebody_else(edit: Edit) -> None:
    """Other applications of the cluster use gateways: a remark."""
    _serve(edit, "gateway.networking.k8s.io/v1", "gatewayclasses", "")


@mutant(breaks=["entrance_limited"])
def everybody_is_let_in(edit: Edit) -> None:
    """The load balancer's security group is open to the world."""
    groups = set(_balancer(edit)["SecurityGroups"])
    for group in edit.each("ec2", "describe_security_groups", "SecurityGroups"):
        if group["GroupId"] in groups:
            for rule in group["IpPermissions"]:
                rule["IpRanges"] = [{"CidrIp": "0.0.0.0/0"}]


@mutant(breaks=[])
def balancer_is_internal(edit: Edit) -> None:
    """Reached by VPN: as good as a public one, with a private record."""
    _balancer(edit)["Scheme"] = "internal"
    for zone in edit.each("route53", "list_hosted_zones", "HostedZones"):
        zone["Config"]["PrivateZone"] = True


def _another_ingress(edit: Edit, answer: dict[str, Any]) -> None:
    """Give the namespace a second Ingress with a load balancer of its own, of which AWS WAF says *answer*."""
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
    arns = [one["LoadBalancerArn"] for one in balancers]
    described = {"TagDescriptions": [*tagged, own | {"ResourceArn": arn}]}
    edit.put(Call.of("elbv2", "describe_tags", ResourceArns=arns), described)
    edit.put(Call.of("wafv2", "get_web_acl_for_resource", ResourceArn=arn), answer)
    listened = edit.answers("elbv2", "describe_listeners", LoadBalancerArn=first["LoadBalancerArn"])[0]
    edit.put(Call.of("elbv2", "describe_listeners", LoadBalancerArn=arn), copy.deepcopy(listened))


def _serve(edit: Edit, group_version: str, resource: str, namespace: str) -> None:
    """Let the API server serve one more custom resource, with one object of it."""
    next(edit.each("kubernetes", "discovery"))["resources"].setdefault(group_version, []).append(resource)
    group, _, version = group_version.partition("/")
    where = {"namespace": namespace} if namespace else {}
    call = Call.of("kubernetes", "list", group=group, version=version, resource=resource, **where)
    edit.put(call, {"items": [{"metadata": {"name": "x", **where}}]})
