"""What the AWS Load Balancer Controller and external-dns leave in AWS for the chart's Ingress.

The twin has no Kubernetes yet, so this file plays the two controllers; it goes when they come. Names, tags and
defaults are the controllers' own:

- load balancer, target group and their names: ``pkg/ingress/model_build_*.go`` of aws-load-balancer-controller;
- tags: its tracking provider (``elbv2.k8s.aws/cluster``, ``ingress.k8s.aws/stack``, ``ingress.k8s.aws/resource``);
- records: external-dns's TXT registry, which marks an alias with a ``cname-`` record.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from hallmark.twin.clients import Clients

NAMESPACE, INGRESS, SERVICE = "langsmith", "langsmith-ingress", "langsmith-frontend"
STACK = f"{NAMESPACE}/{INGRESS}"
PORT = 8080
"""Container port of the chart's frontend."""
HTTP, HTTPS = 80, 443
SCHEME = "internet-facing"
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
ATTRIBUTES = {
    "idle_timeout.timeout_seconds": "300",
    "routing.http.drop_invalid_header_fields.enabled": "true",
    "routing.http2.enabled": "true",
}
PODS = 2
"""Pods of the frontend."""


class Ingress:
    """The Ingress `langsmith/langsmith-ingress` of one cluster.

    Args:
        clients: Clients of the twin.
        outputs: Terraform's outputs: cluster, network, certificate, web ACL, zone and host.
    """

    def __init__(self, clients: Clients, outputs: Mapping[str, Any]) -> None:
        self._elb = clients("elbv2")
        self._ec2 = clients("ec2")
        self._waf = clients("wafv2")
        self._dns = clients("route53")
        self._outputs = outputs
        self._cluster: str = outputs["cluster_name"]
        self.name = f"k8s-{_short(NAMESPACE)}-{_short(INGRESS)}-{_hash(self._cluster, STACK, SCHEME)}"

    def make(self) -> str:
        """Make what is missing and leave the rest; returns the load balancer's DNS name."""
        balancer = self._balancer() or self._create_balancer()
        arn: str = balancer["LoadBalancerArn"]
        attributes = [{"Key": key, "Value": value} for key, value in ATTRIBUTES.items()]
        self._elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
        group = self._target_group() or self._create_target_group()
        self._register(group)
        self._listen(arn, group)
        self._waf.associate_web_acl(WebACLArn=self._outputs["web_acl_arn"], ResourceArn=arn)
        self._change_records("UPSERT", balancer)
        dns_name: str = balancer["DNSName"]
        return dns_name

    def remove(self) -> None:
        """Remove everything `make` made; what is gone already is left so."""
        balancer = self._balancer()
        if balancer:
            self._change_records("DELETE", balancer)
            self._waf.disassociate_web_acl(ResourceArn=balancer["LoadBalancerArn"])
            self._elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        group = self._target_group()
        if group:
            self._elb.delete_target_group(TargetGroupArn=group)

    def _balancer(self) -> dict[str, Any] | None:
        everything = self._elb.describe_load_balancers()["LoadBalancers"]
        return next((one for one in everything if one["LoadBalancerName"] == self.name), None)

    def _create_balancer(self) -> dict[str, Any]:
        created: dict[str, Any] = self._elb.create_load_balancer(
            Name=self.name,
            Subnets=self._outputs["public_subnet_ids"],
            SecurityGroups=[self._outputs["alb_security_group_id"]],
            Scheme=SCHEME,
            Type="application",
            IpAddressType="ipv4",
            Tags=self._tags("LoadBalancer"),
        )["LoadBalancers"][0]
        return created

    @property
    def _group_name(self) -> str:
        identity = _hash(self._cluster, STACK, SERVICE, "80", str(PORT), "ip", "HTTP", "HTTP1")
        return f"k8s-{_short(NAMESPACE)}-{_short(SERVICE)}-{identity}"

    def _target_group(self) -> str | None:
        everything = self._elb.describe_target_groups()["TargetGroups"]
        return next((one["TargetGroupArn"] for one in everything if one["TargetGroupName"] == self._group_name), None)

    def _create_target_group(self) -> str:
        created: str = self._elb.create_target_group(
            Name=self._group_name,
            Protocol="HTTP",
            ProtocolVersion="HTTP1",
            Port=PORT,
            VpcId=self._outputs["vpc_id"],
            TargetType="ip",
            HealthCheckProtocol="HTTP",
            HealthCheckPort="traffic-port",
            HealthCheckPath="/health",
            HealthCheckIntervalSeconds=15,
            HealthCheckTimeoutSeconds=5,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
            Matcher={"HttpCode": "200"},
            Tags=self._tags(f"{STACK}-{SERVICE}:80"),
        )["TargetGroups"][0]["TargetGroupArn"]
        return created

    def _register(self, group: str) -> None:
        # The frontend's pods have addresses of the nodes' subnets, as the VPC CNI gives them.
        wanted = [{"Name": "tag:eks:cluster-name", "Values": [self._cluster]}]
        running = [*wanted, {"Name": "instance-state-name", "Values": ["running"]}]
        reservations = self._ec2.describe_instances(Filters=running)["Reservations"]
        nodes = [instance for reservation in reservations for instance in reservation["Instances"]]
        registered = self._elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        pods = [{"Id": _pod_address(node["PrivateIpAddress"]), "Port": PORT} for node in nodes[:PODS]]
        if pods and not registered:
            self._elb.register_targets(TargetGroupArn=group, Targets=pods)

    def _listen(self, balancer: str, group: str) -> None:
        listeners = self._elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
        there = {listener["Port"]: listener["ListenerArn"] for listener in listeners}
        if HTTP not in there:
            self._create_redirect(balancer)
        secure = there.get(HTTPS) or self._create_secure(balancer)
        rules = self._elb.describe_rules(ListenerArn=secure)["Rules"]
        if all(rule["IsDefault"] for rule in rules):
            self._create_rule(secure, group)

    def _create_redirect(self, balancer: str) -> None:
        target = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        self._elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTP",
            Port=HTTP,
            DefaultActions=[{"Type": "redirect", "RedirectConfig": target}],
            Tags=self._tags("80"),
        )

    def _create_secure(self, balancer: str) -> str:
        nothing_here = {"ContentType": "text/plain", "StatusCode": "404"}
        created: str = self._elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTPS",
            Port=HTTPS,
            SslPolicy=TLS_POLICY,
            Certificates=[{"CertificateArn": self._outputs["certificate_arn"]}],
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": nothing_here}],
            Tags=self._tags("443"),
        )["Listeners"][0]["ListenerArn"]
        return created

    def _create_rule(self, listener: str, group: str) -> None:
        self._elb.create_rule(
            ListenerArn=listener,
            Priority=1,
            Conditions=[
                {"Field": "host-header", "HostHeaderConfig": {"Values": [self._outputs["host"]]}},
                {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}},
            ],
            Actions=[{"Type": "forward", "TargetGroupArn": group}],
            Tags=self._tags("443:1"),
        )

    def _tags(self, resource: str) -> list[dict[str, str]]:
        tags = {
            "elbv2.k8s.aws/cluster": self._cluster,
            "ingress.k8s.aws/stack": STACK,
            "ingress.k8s.aws/resource": resource,
        }
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def _change_records(self, action: str, balancer: dict[str, Any]) -> None:
        host, zone = self._outputs["host"], self._outputs["zone_id"]
        owner = f'"heritage=external-dns,external-dns/owner={self._cluster},external-dns/resource=ingress/{STACK}"'
        alias = {
            "HostedZoneId": balancer["CanonicalHostedZoneId"],
            "DNSName": f"dualstack.{balancer['DNSName']}.",
            "EvaluateTargetHealth": True,
        }
        wanted: list[dict[str, Any]] = [
            {"Name": f"{host}.", "Type": "A", "AliasTarget": alias},
            {"Name": f"cname-{host}.", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": owner}]},
        ]
        if action == "DELETE":
            present = self._dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
            names = {(record["Name"], record["Type"]) for record in wanted}
            wanted = [record for record in present if (record["Name"], record["Type"]) in names]
        changes = [{"Action": action, "ResourceRecordSet": record} for record in wanted]
        if changes:
            self._dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def _short(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", name)[:8]


def _hash(*parts: str) -> str:
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:10]


def _pod_address(node: str) -> str:
    first, second, third, fourth = (int(part) for part in node.split("."))
    return f"{first}.{second}.{third + 1}.{fourth}"
