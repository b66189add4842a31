"""Known sharp edges happen here by cause, and the documented fix takes them away.

The mistake is made as a person makes it and the symptom is the documented one. The numbers are those of the
documentation's list of sharp edges.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("sharp-edges")]
Wait = Callable[..., Any]
HOST = "langsmith.hallmark.example"
INGRESS = "langsmith-ingress"
ALB = "alb.ingress.kubernetes.io/"
CLICKHOUSE = "statefulset/langsmith-clickhouse"
ROLE_LABEL = "kubernetes.io/role/elb"


def _edge(person: Any, name: str) -> str:
    """An annotation of the Ingress by its short name."""
    annotations: dict[str, str] = person.get("ingress", INGRESS)["metadata"]["annotations"]
    return annotations[f"{ALB}{name}"]


def _set_edge(person: Any, **settings: str | None) -> None:
    """Annotate the Ingress; None takes an annotation away."""
    named = {f"{ALB}{name.replace('_', '-')}": value for name, value in settings.items()}
    words = [f"{name}-" if value is None else f"{name}={value}" for name, value in named.items()]
    person.kubectl("annotate", "--overwrite", f"ingress/{INGRESS}", *words)


def _terraforms_balancer(person: Any) -> dict[str, Any]:
    """Make the load balancer that the vendor's Terraform makes: nothing stands behind it but a fixed 404."""
    elb = person.aws("elbv2")
    present = elb.describe_load_balancers()["LoadBalancers"][0]
    subnets = [zone["SubnetId"] for zone in present["AvailabilityZones"]]
    made: dict[str, Any] = elb.create_load_balancer(Name="terraform", Subnets=subnets, Scheme="internet-facing")[
        "LoadBalancers"
    ][0]
    answer = {"ContentType": "text/plain", "MessageBody": "Not Found", "StatusCode": "404"}
    action = {"Type": "fixed-response", "FixedResponseConfig": answer}
    elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[action])
    return made


def _records(person: Any) -> dict[tuple[str, str], dict[str, Any]]:
    dns = person.aws("route53")
    zone = dns.list_hosted_zones()["HostedZones"][0]["Id"]
    found = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {(each["Name"].rstrip("."), each["Type"]): each for each in found}


def _alias(person: Any) -> str:
    target: str = _records(person)[HOST, "A"]["AliasTarget"]["DNSName"]
    return target.rstrip(".").removeprefix("dualstack.").lower()


def _point(person: Any, balancer: str) -> None:
    """Point the host's record at a load balancer, as Terraform would: nobody else owns it any more."""
    dns, records = person.aws("route53"), _records(person)
    record = records[HOST, "A"]
    record["AliasTarget"]["DNSName"] = f"{balancer}."
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
    if note := records.get((f"cname-{HOST}", "TXT")):
        changes.append({"Action": "DELETE", "ResourceRecordSet": note})
    zone = dns.list_hosted_zones()["HostedZones"][0]["Id"]
    dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def _web_acl(person: Any, balancer: str) -> str:
    found = person.aws("wafv2").get_web_acl_for_resource(ResourceArn=balancer)
    return str(found.get("WebACL", {}).get("ARN", ""))


def _listeners(person: Any) -> dict[int, dict[str, Any]]:
    found = person.aws("elbv2").describe_listeners(LoadBalancerArn=person.balancer)["Listeners"]
    return {each["Port"]: each for each in found}


def test_se_01_frontend_service_makes_a_second_load_balancer(person: Any, wait_for: Wait) -> None:
    """The chart's default type opens plain HTTP to the world, past the firewall; ClusterIP takes it away again."""
    elb, ec2 = person.aws("elb"), person.aws("ec2")
    person.upgrade("frontend.service.type=LoadBalancer")
    wait_for(lambda: "elb.amazonaws.com" in person.kubectl("get", "svc", "langsmith-frontend"))
    (made,) = elb.describe_load_balancers()["LoadBalancerDescriptions"]
    tags = elb.describe_tags(LoadBalancerNames=[made["LoadBalancerName"]])["TagDescriptions"][0]["Tags"]
    (group,) = made["SecurityGroups"]
    rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    plain = next(
        each["Listener"] for each in made["ListenerDescriptions"] if each["Listener"]["LoadBalancerPort"] == 80
    )

    assert {"Key": "kubernetes.io/service-name", "Value": "langsmith/langsmith-frontend"} in tags
    assert (made["Scheme"], plain["Protocol"]) == ("internet-facing", "TCP")
    assert {"0.0.0.0/0"} == {each["CidrIp"] for rule in rules for each in rule["IpRanges"]}
    assert "EnsuredLoadBalancer" in [reason for reason, _ in person.events("langsmith-frontend")]

    person.upgrade("frontend.service.type=ClusterIP")
    wait_for(lambda: not elb.describe_load_balancers()["LoadBalancerDescriptions"])
    wait_for(lambda: "<none>" in person.kubectl("get", "svc", "langsmith-frontend"))
    assert group not in [each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]]


def test_se_02_web_acl_protects_a_load_balancer_nobody_uses(person: Any, wait_for: Wait) -> None:
    """The ACL is on Terraform's load balancer, and the Ingress's own has none.

    What needs traffic, a count of allowed requests that stays zero, is not shown here: the association is its cause.
    """
    wanted, unused = _edge(person, "wafv2-acl-arn"), _terraforms_balancer(person)["LoadBalancerArn"]
    person.aws("wafv2").associate_web_acl(WebACLArn=wanted, ResourceArn=unused)
    _set_edge(person, wafv2_acl_arn=None)
    person.again("ingress", INGRESS)
    wait_for(lambda: person.hostname)

    assert _web_acl(person, unused) == wanted
    assert _web_acl(person, person.balancer) == ""

    _set_edge(person, wafv2_acl_arn=wanted)
    assert wait_for(lambda: _web_acl(person, person.balancer)) == wanted


def test_se_03_alias_points_to_the_unused_load_balancer(person: Any) -> None:
    """The name leads to a load balancer that answers everything with a fixed 404; nothing else notices.

    The 404 itself needs traffic; what it comes from is read from the listener.
    """
    unused = _terraforms_balancer(person)
    _point(person, unused["DNSName"])
    (listener,) = person.aws("elbv2").describe_listeners(LoadBalancerArn=unused["LoadBalancerArn"])["Listeners"]

    assert _alias(person) == unused["DNSName"].lower() != person.hostname
    assert listener["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "404"

    _point(person, person.hostname)
    assert _alias(person) == person.hostname.lower()


def test_se_04_load_balancer_never_appears(person: Any, wait_for: Wait) -> None:
    """Subnets without the role tag are not found: no address, and an event that says so; tags mend it."""
    ec2 = person.aws("ec2")
    tagged = ec2.describe_subnets(Filters=[{"Name": "tag-key", "Values": [ROLE_LABEL]}])["Subnets"]
    subnets = [each["SubnetId"] for each in tagged]
    ec2.delete_tags(Resources=subnets, Tags=[{"Key": ROLE_LABEL}])
    person.again("ingress", INGRESS)
    wait_for(lambda: "FailedBuildModel" in dict(person.events(INGRESS)))

    assert "couldn't auto-discover subnets" in dict(person.events(INGRESS))["FailedBuildModel"]
    assert person.hostname == ""
    log = ("logs", "-n", "kube-system", "-l", "app.kubernetes.io/name=aws-load-balancer-controller")
    wait_for(lambda: "couldn't auto-discover subnets" in person.kubectl(*log))

    ec2.create_tags(Resources=subnets, Tags=[{"Key": ROLE_LABEL, "Value": "1"}])
    assert wait_for(lambda: person.hostname)


def test_se_07_hostname_changes_with_the_ingress(person: Any, wait_for: Wait) -> None:
    """A new Ingress has a new load balancer; a record that nobody follows up names one that is gone."""
    old = person.hostname
    _point(person, old)
    person.again("ingress", INGRESS)
    new = wait_for(lambda: person.hostname)

    assert new != old
    assert _alias(person) == old.lower()
    assert old not in [each["DNSName"] for each in person.aws("elbv2").describe_load_balancers()["LoadBalancers"]]

    _point(person, new)
    assert _alias(person) == new.lower()


def test_se_08_host_header_mismatch(person: Any, wait_for: Wait) -> None:
    """The rule carries the host of the values: any other name, the old one too, falls to the default 404.

    The answer needs traffic; the rule, the default action, the certificate and the record are what it comes from.
    """
    elb = person.aws("elbv2")

    def hosts() -> list[str]:
        rules = elb.describe_rules(ListenerArn=_listeners(person)[443]["ListenerArn"])["Rules"]
        return [name for rule in rules for each in rule["Conditions"] for name in _host_names(each)]

    person.upgrade("config.hostname=https://traces.other.example")
    wait_for(lambda: hosts() == ["traces.other.example"])
    default = _listeners(person)[443]["DefaultActions"][0]
    certificate = person.aws("acm").describe_certificate(CertificateArn=_edge(person, "certificate-arn"))

    assert default["FixedResponseConfig"]["StatusCode"] == "404"
    assert certificate["Certificate"]["DomainName"] == HOST
    assert (("traces.other.example", "A") in _records(person), (HOST, "A") in _records(person)) == (False, True)

    person.upgrade(f"config.hostname=https://{HOST}")
    wait_for(lambda: hosts() == [HOST])


def _host_names(condition: dict[str, Any]) -> list[str]:
    return list(condition.get("HostHeaderConfig", {}).get("Values", []))


def test_se_10_without_tls(person: Any, wait_for: Wait) -> None:
    """Without a certificate there is one listener, plain, and it serves; with one, plain only redirects."""
    names = ("certificate-arn", "ssl-policy", "ssl-redirect", "listen-ports")
    before = {name.replace("-", "_"): _edge(person, name) for name in names}
    _set_edge(person, **dict.fromkeys(before))
    wait_for(lambda: list(_listeners(person)) == [80])
    rules = person.aws("elbv2").describe_rules(ListenerArn=_listeners(person)[80]["ListenerArn"])["Rules"]

    assert _listeners(person)[80]["Protocol"] == "HTTP"
    assert "forward" in [rule["Actions"][0]["Type"] for rule in rules]

    _set_edge(person, **before)
    wait_for(lambda: set(_listeners(person)) == {80, 443})
    assert _listeners(person)[80]["DefaultActions"][0]["RedirectConfig"]["Port"] == "443"
    assert _listeners(person)[443]["Certificates"][0]["CertificateArn"] == before["certificate_arn"]


def _clickhouse_volume(person: Any) -> dict[str, Any]:
    claim = person.get("pvc", "data-langsmith-clickhouse-0")
    volume = person.get("pv", claim["spec"]["volumeName"])
    handle = volume["spec"]["csi"]["volumeHandle"]
    found: dict[str, Any] = person.aws("ec2").describe_volumes(VolumeIds=[handle])["Volumes"][0]
    return found


def test_se_22_gp3_as_it_comes(person: Any, wait_for: Wait) -> None:
    """A class that says no more than its type gives 3,000 IOPS and 125 MiB/s; the volume is changed in place."""
    class_ = person.get("storageclass", "langsmith-clickhouse")
    kept = {key: class_[key] for key in ("apiVersion", "kind", "provisioner", "volumeBindingMode")}
    plain = kept | {"metadata": {"name": "langsmith-clickhouse"}, "parameters": {"type": "gp3"}}
    person.kubectl("scale", CLICKHOUSE, "--replicas=0")
    person.kubectl("delete", "storageclass/langsmith-clickhouse", "pvc/data-langsmith-clickhouse-0")
    person.kubectl("create", "-f", "-", stdin=json.dumps(plain))
    person.kubectl("scale", CLICKHOUSE, "--replicas=1")
    person.kubectl("rollout", "status", CLICKHOUSE, "--timeout=60s")
    volume = _clickhouse_volume(person)

    assert person.get("pvc", "data-langsmith-clickhouse-0")["status"]["phase"] == "Bound"
    assert (volume["VolumeType"], volume["Iops"], volume["Throughput"]) == ("gp3", 3000, 125)

    person.aws("ec2").modify_volume(VolumeId=volume["VolumeId"], Iops=7000, Throughput=1000)
    wait_for(lambda: (_clickhouse_volume(person)["Iops"], _clickhouse_volume(person)["Throughput"]) == (7000, 1000))


def test_se_24_production_sizing_halves_clickhouse(person: Any, wait_for: Wait) -> None:
    """The profile called production gives ClickHouse 4 CPUs and 16 GiB; far less is OOMKilled once it is asked.

    What 16 GiB are too little for needs traffic; what a limit below the working set does is shown with 2 GiB.
    """
    limits = "clickhouse.statefulSet.resources.limits"
    person.upgrade(f"{limits}.cpu=4000m", f"{limits}.memory=16Gi")
    wait_for(lambda: _limits(person) == {"cpu": "4", "memory": "16Gi"})

    person.kubectl("set", "resources", CLICKHOUSE, "--limits=memory=2Gi", "--requests=memory=1Gi")
    ended = wait_for(lambda: _last_end(person))
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)

    person.kubectl("set", "resources", CLICKHOUSE, "--limits=cpu=8000m,memory=32Gi", "--requests=memory=12Gi")
    person.kubectl("rollout", "status", CLICKHOUSE, "--timeout=60s")
    assert _limits(person) == {"cpu": "8", "memory": "32Gi"}


def _limits(person: Any) -> Any:
    return next((pod["spec"]["containers"][0]["resources"]["limits"] for pod in person.pods("clickhouse")), None)


def _last_end(person: Any) -> Any:
    statuses = [each for pod in person.pods("clickhouse") for each in pod["status"].get("containerStatuses") or []]
    ends = [
        state["terminated"]
        for each in statuses
        for state in (each["state"], each["lastState"])
        if "terminated" in state
    ]
    return next((each for each in ends if each["reason"] == "OOMKilled"), None)


def _is_ready(person: Any, component: str) -> bool:
    pods = person.pods(component)
    statuses = [each for pod in pods for each in pod["status"].get("containerStatuses") or [{"ready": False}]]
    return bool(pods) and all(each["ready"] for each in statuses)


def test_se_27_volume_is_pinned_to_one_zone(person: Any, wait_for: Wait) -> None:
    """Its node is lost and the only other one of the pool is in another zone: Pending, until the zone has one."""
    eks, pod = person.aws("eks"), person.pods("clickhouse")[0]
    node = person.get("node", pod["spec"]["nodeName"])
    labels = node["metadata"]["labels"]
    cluster = eks.list_clusters()["clusters"][0]
    group = eks.describe_nodegroup(clusterName=cluster, nodegroupName=labels["eks.amazonaws.com/nodegroup"])[
        "nodegroup"
    ]
    full = {"clusterName": cluster, "nodegroupName": group["nodegroupName"]}
    eks.update_nodegroup_config(**full, scalingConfig={**group["scalingConfig"], "maxSize": 1})  # it would grow
    elsewhere = _subnets_elsewhere(person, labels["topology.kubernetes.io/zone"], cluster)
    eks.create_nodegroup(
        clusterName=cluster, nodegroupName="elsewhere", subnets=elsewhere, nodeRole=group["nodeRole"],
        scalingConfig={"minSize": 1, "maxSize": 1, "desiredSize": 1}, instanceTypes=["m6in.4xlarge"],
        labels=group["labels"], taints=group["taints"],
    )  # fmt: skip
    selector = ("-l", "eks.amazonaws.com/nodegroup=elsewhere")
    wait_for(lambda: person.kubectl("get", "nodes", *selector, "-o", "name"))
    person.kubectl("wait", "--for=condition=Ready", "node", *selector, "--timeout=60s")
    person.kubectl("cordon", node["metadata"]["name"])
    person.kubectl("delete", "pod", "langsmith-clickhouse-0")
    said = wait_for(lambda: dict(person.events("langsmith-clickhouse-0")).get("FailedScheduling"))

    assert "1 node(s) didn't match PersistentVolume's node affinity" in said
    assert person.pods("clickhouse")[0]["status"]["phase"] == "Pending"

    person.kubectl("uncordon", node["metadata"]["name"])
    wait_for(lambda: _is_ready(person, "clickhouse"))
    assert person.pods("clickhouse")[0]["spec"]["nodeName"] == node["metadata"]["name"]
    eks.update_nodegroup_config(**full, scalingConfig=group["scalingConfig"])


def _subnets_elsewhere(person: Any, zone: str, cluster: str) -> list[str]:
    """Private subnets of the cluster in other zones."""
    used = person.aws("eks").describe_cluster(name=cluster)["cluster"]["resourcesVpcConfig"]["subnetIds"]
    found = person.aws("ec2").describe_subnets(SubnetIds=used)["Subnets"]
    return [each["SubnetId"] for each in found if each["AvailabilityZone"] != zone]


def _environment(person: Any, component: str) -> set[str]:
    return {
        each["name"]
        for pod in person.pods(component)
        for each in pod["spec"]["containers"][0].get("env", [])
        if not pod["metadata"].get("deletionTimestamp")
    }


def test_se_44_one_component_without_its_role(person: Any) -> None:
    """A pod gets its role when it is created and at no other time: annotate, then restart. The others are fine."""
    account, workload = "serviceaccount/langsmith-ingest-queue", "deployment/langsmith-ingest-queue"
    role = person.get("serviceaccount", "langsmith-ingest-queue")["metadata"]["annotations"][
        "eks.amazonaws.com/role-arn"
    ]
    person.kubectl("annotate", account, "eks.amazonaws.com/role-arn-")
    person.restart(workload)

    assert "AWS_ROLE_ARN" not in _environment(person, "ingest-queue")
    assert "AWS_ROLE_ARN" in _environment(person, "queue")
    assert "no EC2 IMDS role found" in person.kubectl("logs", workload)
    assert "blob storage error" not in person.kubectl("logs", "deployment/langsmith-queue")

    person.kubectl("annotate", account, f"eks.amazonaws.com/role-arn={role}")
    assert "AWS_ROLE_ARN" not in _environment(person, "ingest-queue"), "an annotation changes no running pod"
    person.restart(workload)
    assert {"AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"} <= _environment(person, "ingest-queue")
    assert "blob storage error" not in person.kubectl("logs", workload)


def test_se_45_trust_policy_names_another_namespace(person: Any) -> None:
    """STS refuses the pod's token, and the log says so; the right subject and a restart mend it."""
    iam, workload = person.aws("iam"), "deployment/langsmith-queue"
    accounts = person.get("serviceaccount", "langsmith-queue")["metadata"]["annotations"]
    role = accounts["eks.amazonaws.com/role-arn"].rpartition("/")[2]
    trust = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    assert "system:serviceaccount:langsmith:" in trust
    wrong = trust.replace("system:serviceaccount:langsmith:", "system:serviceaccount:langsmith-prod:")
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=wrong)
    person.restart(workload)

    said = person.kubectl("logs", workload)
    assert "AccessDenied" in said
    assert "Not authorized to perform sts:AssumeRoleWithWebIdentity" in said

    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
    person.restart(workload)
    assert "blob storage error" not in person.kubectl("logs", workload)


def _condition(person: Any, name: str) -> tuple[str, str]:
    (found,) = person.get("externalsecret", name)["status"]["conditions"]
    return found["status"], found["reason"]


def test_se_51_one_missing_name_blocks_the_whole_secret(person: Any, wait_for: Wait) -> None:
    """The Secret is made as a whole or not at all, and pods that need it do not start; the right name mends it all."""
    external = "externalsecret/langsmith-config"
    before = person.get("externalsecret", "langsmith-config")["spec"]["data"]
    path = f"/spec/data/{len(before) - 1}/remoteRef/key"
    right = before[-1]["remoteRef"]["key"]
    person.patch(external, [{"op": "replace", "path": path, "value": f"{right}-of-nobody"}], "json")
    wait_for(lambda: _condition(person, "langsmith-config") == ("False", "SecretSyncedError"))
    person.kubectl("delete", "secret", "langsmith-config")
    person.kubectl("rollout", "restart", "deployment/langsmith-queue")
    reasons = wait_for(lambda: "CreateContainerConfigError" in _waiting(person, "queue"))

    assert reasons
    assert person.get("secret", "langsmith-config") is None

    person.patch(external, [{"op": "replace", "path": path, "value": right}], "json")
    wait_for(lambda: _condition(person, "langsmith-config") == ("True", "SecretSynced"))
    person.kubectl("rollout", "status", "deployment/langsmith-queue", "--timeout=60s")
    assert set(person.get("secret", "langsmith-config")["data"]) == {each["secretKey"] for each in before}


def _waiting(person: Any, component: str) -> set[str]:
    statuses = [each for pod in person.pods(component) for each in pod["status"].get("containerStatuses") or []]
    return {each["state"]["waiting"]["reason"] for each in statuses if "waiting" in each["state"]}


def test_se_54_new_value_old_pods(person: Any, wait_for: Wait) -> None:
    """A rotated value reaches the Secret and no running pod; a restart takes it there."""
    workload, key = "deployment/langsmith-queue", "langsmith_license_key"
    external = person.get("externalsecret", "langsmith-config")["spec"]["data"]
    name = next(each["remoteRef"]["key"] for each in external if each["secretKey"] == key)
    old = person.secret("langsmith-config", key)
    person.aws("secretsmanager").put_secret_value(SecretId=name, SecretString="lsv2-rotated")
    person.kubectl("annotate", "externalsecret/langsmith-config", "force-sync=1", "--overwrite")
    wait_for(lambda: person.secret("langsmith-config", key) == "lsv2-rotated")

    def inside() -> str:
        pod = next(each for each in person.pods("queue") if each["status"]["containerStatuses"][0]["ready"])
        told = person.kubectl("exec", pod["metadata"]["name"], "--", "printenv", "LANGSMITH_LICENSE_KEY")
        return str(told).strip()

    assert inside() == old != "lsv2-rotated"

    person.restart(workload)
    assert inside() == "lsv2-rotated"


def test_se_55_manual_patch_is_undone(person: Any, wait_for: Wait) -> None:
    """The operator owns the Secret: what a person edits there comes back as the source has it."""
    right = person.secret("langsmith-redis", "connection_url")
    person.patch("secret/langsmith-redis", {"stringData": {"connection_url": "rediss://nobody:6379"}})
    wait_for(lambda: person.secret("langsmith-redis", "connection_url") == right)

    assert "Updated" in [reason for reason, _ in person.events("langsmith-redis")]

    external = person.get("externalsecret", "langsmith-redis")["spec"]["data"][0]["remoteRef"]["key"]
    person.aws("secretsmanager").put_secret_value(SecretId=external, SecretString="rediss://:new@cache.internal:6379")
    person.kubectl("annotate", "externalsecret/langsmith-redis", "force-sync=1", "--overwrite")
    wait_for(lambda: person.secret("langsmith-redis", "connection_url") == "rediss://:new@cache.internal:6379")
