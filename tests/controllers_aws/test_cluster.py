"""What EKS and its add-ons do, seen with kubectl and boto3: nodes, add-ons, volumes, growth, metrics, logs."""

import json
from datetime import UTC, datetime
from typing import Any

import yaml

DRIVER = "ebs-csi-controller"


def claim(name: str, size: str = "20Gi", class_: str | None = "fast") -> dict[str, Any]:
    """A PersistentVolumeClaim."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    named = {} if class_ is None else {"storageClassName": class_}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec | named,
    }


def user(name: str, *claims: str, cpu: str = "10m") -> dict[str, Any]:
    """A pod, with these claims mounted."""
    container = {
        "name": "main",
        "image": "busybox:1.36",
        "resources": {"requests": {"cpu": cpu}},
        "volumeMounts": [{"name": each, "mountPath": f"/{each}"} for each in claims],
    }
    volumes = [{"name": each, "persistentVolumeClaim": {"claimName": each}} for each in claims]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 0},
    }


def storage_class(name: str, mode: str = "WaitForFirstConsumer", **parameters: str) -> dict[str, Any]:
    """A StorageClass of the EBS driver."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "ebs.csi.aws.com",
        "parameters": parameters,
        "volumeBindingMode": mode,
        "allowVolumeExpansion": True,
    }


def is_bound(world: Any, name: str) -> Any:
    """The claim, once it is bound."""
    found = world.get("pvc", name)
    return found if found["status"].get("phase") == "Bound" else None


def ebs(world: Any, claim_: dict[str, Any]) -> dict[str, Any]:
    """The EBS volume behind a claim, as AWS describes it."""
    volume = world.get("pv", claim_["spec"]["volumeName"])
    found: list[dict[str, Any]] = world.aws("ec2").describe_volumes(VolumeIds=[volume["spec"]["csi"]["volumeHandle"]])[
        "Volumes"
    ]
    return found[0]


def driver_is_up(world: Any) -> Any:
    """Whether the EBS driver runs."""
    found = world.get("deployment", DRIVER, "kube-system")
    return found and found["status"].get("readyReplicas")


def test_every_instance_of_a_node_group_is_a_node(world: Any) -> None:
    """With the group's labels and taints; instances of nobody are none."""

    def pools_of(nodes: list[Any]) -> dict[str, Any]:
        return {each["metadata"]["labels"]["eks.amazonaws.com/nodegroup"]: each for each in nodes if _is_ready(each)}

    assert world.soon(lambda: pools_of(world.all("nodes")).keys() >= {"db", "general"})
    nodes = world.all("nodes")
    pools = pools_of(nodes)
    assert pools["db"]["spec"]["taints"] == [{"key": "pool", "value": "db", "effect": "NoSchedule"}]
    assert pools["general"]["metadata"]["labels"]["pool"] == "general"
    reservations = world.aws("ec2").describe_instances()["Reservations"]
    machines = {each["InstanceId"] for reservation in reservations for each in reservation["Instances"]}
    assert {each["spec"]["providerID"].rpartition("/")[2] for each in nodes} <= machines
    assert pools["general"]["status"]["capacity"]["pods"] == "58"


def test_a_node_that_was_deleted_comes_back_and_one_whose_instance_is_gone_goes(world: Any) -> None:
    """The instance decides, as it registers itself."""
    db = next(
        each for each in world.all("nodes") if each["metadata"]["labels"].get("eks.amazonaws.com/nodegroup") == "db"
    )
    name, uid = db["metadata"]["name"], db["metadata"]["uid"]

    world.kubectl("delete", "node", name, "--wait=false")
    assert world.soon(lambda: (found := world.get("node", name)) and found["metadata"]["uid"] != uid)
    instance = db["spec"]["providerID"].rpartition("/")[2]
    world.aws("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=instance, ShouldDecrementDesiredCapacity=False
    )
    assert world.soon(lambda: world.get("node", name) is None)


def test_addons_leave_their_objects_and_a_persons_edit_stays(world: Any) -> None:
    """Those the account has; no others."""
    assert world.soon(lambda: driver_is_up(world)) == 2
    account = world.get("serviceaccount", "ebs-csi-controller-sa", "kube-system")
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].endswith(":role/ebs")
    assert world.get("deployment", "coredns", "kube-system") is None
    assert world.get("storageclass", "gp2")["metadata"].get("annotations", {}) == {}

    world.kubectl("scale", "deployment", "metrics-server", "-n", "kube-system", "--replicas=1")
    world.aws("eks").create_addon(clusterName="lab", addonName="coredns")
    assert world.soon(lambda: world.get("service", "kube-dns", "kube-system"))["spec"]["clusterIP"] == "172.20.0.10"
    assert world.get("deployment", "metrics-server", "kube-system")["spec"]["replicas"] == 1
    world.aws("eks").delete_addon(clusterName="lab", addonName="coredns")
    assert world.soon(lambda: world.get("deployment", "coredns", "kube-system") is None)


def test_a_release_is_installed_for_whoever_is_trusted(world: Any) -> None:
    """The role of the autoscaler is found by its trust policy; roles that are not there install nothing."""
    account = world.soon(lambda: world.get("serviceaccount", "cluster-autoscaler", "kube-system"))

    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].endswith(":role/scaler")
    assert world.get("deployment", "aws-load-balancer-controller", "kube-system") is None


def test_a_claim_becomes_a_volume_where_its_pod_runs(world: Any) -> None:
    """Made, tagged, attached, grown, detached and deleted in AWS."""
    world.apply(storage_class("fast", type="gp3", iops="7000", throughput="1000", encrypted="true"), claim("data"))
    assert world.soon(lambda: world.events("data")) == [
        "WaitForFirstConsumer: waiting for first consumer to be created before binding"
    ]
    world.apply(user("writer", "data"))
    bound = world.soon(lambda: is_bound(world, "data"))

    made = ebs(world, bound)
    assert (made["VolumeType"], made["Iops"], made["Throughput"], made["Encrypted"]) == ("gp3", 7000, 1000, True)
    tags = {each["Key"]: each["Value"] for each in made["Tags"]}
    assert tags["kubernetes.io/created-for/pvc/name"] == "data"
    assert tags["owner"] == "tests"
    assert world.soon(lambda: ebs(world, bound)["State"] == "in-use")
    node = world.get("node", world.get("pod", "writer")["spec"]["nodeName"])
    assert ebs(world, bound)["Attachments"][0]["InstanceId"] == node["spec"]["providerID"].rpartition("/")[2]
    assert made["AvailabilityZone"] == node["metadata"]["labels"]["topology.kubernetes.io/zone"]

    world.apply(claim("data", "30Gi"))
    assert world.soon(lambda: world.get("pvc", "data")["status"]["capacity"]["storage"] == "30Gi")
    assert ebs(world, bound)["Size"] == 30
    world.kubectl("delete", "pvc", "data", "--wait=false")
    assert world.get("pvc", "data")["status"]["phase"] == "Bound"
    world.kubectl("delete", "pod", "writer", "--grace-period=0")
    volume = bound["spec"]["volumeName"]
    assert world.soon(lambda: world.get("pvc", "data") is None and world.get("pv", volume) is None)
    assert made["VolumeId"] not in {each["VolumeId"] for each in world.aws("ec2").describe_volumes()["Volumes"]}


def test_what_aws_refuses_is_told_in_events(world: Any) -> None:
    """7,000 IOPS on 5 GiB; and a class that is not there; and no class at all."""
    world.apply(
        storage_class("now", mode="Immediate", type="gp3", iops="7000"),
        claim("tiny", "5Gi", class_="now"),
        claim("lost", class_="nowhere"),
        claim("bare", class_=None),
    )

    refused = world.soon(lambda: [each for each in world.events("tiny") if each.startswith("ProvisioningFailed")])
    assert refused[0].startswith(
        'ProvisioningFailed: failed to provision volume with StorageClass "now": rpc error: code = Internal desc = '
        'Could not create volume "pvc-'
    )
    assert refused[0].endswith(
        "could not create volume in EC2: operation error EC2: CreateVolume, https response error StatusCode: 400, "
        "api error InvalidParameterValue: Iops to volume size ratio of 1400.000000 is too high; maximum is 500"
    )
    assert world.soon(lambda: world.events("lost")) == [
        'ProvisioningFailed: storageclass.storage.k8s.io "nowhere" not found'
    ]
    assert world.soon(lambda: world.events("bare")) == [
        "FailedBinding: no persistent volumes available for this claim and no storage class is set"
    ]
    world.kubectl("delete", "pvc", "tiny", "lost", "bare")


def test_a_driver_without_pods_or_permission_makes_no_volume(world: Any) -> None:
    """Scaled to zero it is silent; without its permission it says so; with it the claim is bound."""
    assert world.soon(lambda: driver_is_up(world))
    world.allow("ebs", {"Action": "ec2:Describe*", "Resource": "*"})
    world.kubectl("scale", "deployment", DRIVER, "-n", "kube-system", "--replicas=0")
    assert world.soon(lambda: not driver_is_up(world))
    world.apply(storage_class("at-once", mode="Immediate"), claim("patient", class_="at-once"))
    assert world.soon(lambda: world.events("patient"))[0].startswith("ExternalProvisioning: Waiting for a volume")

    world.kubectl("scale", "deployment", DRIVER, "-n", "kube-system", "--replicas=1")
    denied = "not authorized to perform: ec2:CreateVolume"
    assert world.soon(lambda: any(denied in each for each in world.events("patient")))
    world.allow("ebs", {"Action": "ec2:*", "Resource": "*"})
    assert world.soon(lambda: is_bound(world, "patient"))
    world.kubectl("delete", "pvc", "patient")


def test_a_group_grows_for_pods_that_fit_nowhere_and_shrinks_again(world: Any) -> None:
    """Until its highest size; the words name each group's reason; the report follows."""
    status = world.soon(lambda: world.get("configmap", "cluster-autoscaler-status", "kube-system"))
    assert len(yaml.safe_load(status["data"]["status"])["nodeGroups"]) == 2
    world.apply(*(user(f"big-{number}", cpu="3") for number in range(4)))

    assert world.soon(lambda: len(_nodes(world, "general")) == 3)
    told = [each for number in range(4) for each in world.events(f"big-{number}")]
    grown = [each for each in told if each.startswith("TriggeredScaleUp: pod triggered scale-up: [{eks-general-")]
    # At once or one by one: the autoscaler may look while the pods are still being made.
    assert any(each.endswith(("1->3 (max: 3)}]", "2->3 (max: 3)}]")) for each in grown), told
    reasons = "1 max node group size reached, 1 node(s) had untolerated taint(s)"
    told_so = f"NotTriggerScaleUp: pod didn't trigger scale-up: {reasons}"
    assert world.soon(lambda: any(told_so in world.events(f"big-{number}") for number in range(4)))
    world.kubectl("delete", "pod", *(f"big-{number}" for number in range(4)), "--grace-period=0", "--wait=false")

    flags = world.get("deployment", "cluster-autoscaler", "kube-system")["spec"]["template"]["spec"]["containers"][0]
    quick = [each.replace("=2m", "=1s") for each in flags["command"]]
    change = [{"op": "replace", "path": "/spec/template/spec/containers/0/command", "value": quick}]
    world.kubectl(
        "patch", "deployment", "cluster-autoscaler", "-n", "kube-system", "--type=json", "-p", json.dumps(change)
    )
    assert world.soon(lambda: len(_nodes(world, "general")) < 3)


def test_metrics_are_served_while_the_server_runs(world: Any) -> None:
    """And the API says when they are not."""
    world.kubectl("scale", "deployment", "metrics-server", "-n", "kube-system", "--replicas=1")
    assert world.soon(lambda: _available(world)["status"] == "True")
    found = world.soon(lambda: _pod_metrics(world))
    assert found[0]["containers"] == [{"name": "main", "usage": {"cpu": "250000000n", "memory": "3072Ki"}}]
    world.kubectl("scale", "deployment", "metrics-server", "-n", "kube-system", "--replicas=0")
    assert world.soon(lambda: _available(world)["reason"] == "MissingEndpoints")
    world.kubectl("scale", "deployment", "metrics-server", "-n", "kube-system", "--replicas=1")


def test_application_logs_reach_cloudwatch(world: Any) -> None:
    """From the end of a file on, while Fluent Bit runs on the node and its role permits it."""
    world.apply(user("talker"))
    pod = world.soon(lambda: (found := world.get("pod", "talker")) and found["spec"].get("nodeName") and found)
    node = pod["spec"]["nodeName"]
    assert world.soon(lambda: node in _shipping(world))
    folder = world.state / "logs" / f"default_talker_{pod['metadata']['uid']}" / "main"
    folder.mkdir(parents=True)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    (folder / "0.log").write_text(f"{now} stdout F hello\n")

    assert world.soon(lambda: _shipped(world)) == ["hello"]
    world.allow("agent", {"Action": "logs:Describe*", "Resource": "*"})
    with (folder / "0.log").open("a") as log:
        log.write(f"{now} stdout F kept back\n")
    shipper = world.state / "addons" / "fluent-bit.log"
    assert world.soon(lambda: "not authorized to perform: logs:PutLogEvents" in shipper.read_text())
    world.allow("agent", {"Action": "logs:*", "Resource": "*"})
    assert world.soon(lambda: _shipped(world) == ["hello", "kept back"])


def _is_ready(node: dict[str, Any]) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"].get("conditions", []))


def _nodes(world: Any, group: str) -> list[Any]:
    found: list[Any] = world.all("nodes", "-l", f"eks.amazonaws.com/nodegroup={group}")
    return found


def _available(world: Any) -> dict[str, str]:
    conditions = world.get("apiservice", "v1beta1.metrics.k8s.io")["status"].get("conditions") or [{"status": ""}]
    condition: dict[str, str] = conditions[0]
    return condition


def _pod_metrics(world: Any) -> list[Any]:
    path = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods"
    found: list[Any] = json.loads(world.kubectl("get", "--raw", path))["items"]
    return found


def _shipping(world: Any) -> set[str]:
    pods = world.all("pods", "-l", "k8s-app=fluent-bit")
    return {each["spec"].get("nodeName", "") for each in pods if each["status"].get("phase") == "Running"}


def _shipped(world: Any) -> list[str]:
    logs, group = world.aws("logs"), "/aws/containerinsights/lab/application"
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return []
    names = [each["logStreamName"] for each in logs.describe_log_streams(logGroupName=group)["logStreams"]]
    events = [
        json.loads(event["message"])
        for name in names
        for event in logs.get_log_events(logGroupName=group, logStreamName=name)["events"]
    ]
    return [each["log"] for each in events if each["kubernetes"]["pod_name"] == "talker"]
