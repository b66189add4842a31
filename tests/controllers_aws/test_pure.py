"""Decisions that need no cluster: sizes, addresses, parameters of volumes, binding, growth, reports, log records."""

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError, EndpointConnectionError

from hallmark.errors import EnvironmentFault
from hallmark.twin.controllers.aws import api_services, logs, metrics, words
from hallmark.twin.controllers.aws.addons import catalogue
from hallmark.twin.controllers.aws.autoscaler import groups, plan, report
from hallmark.twin.controllers.aws.autoscaler.groups import Group
from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.controllers.aws.gate import FLUENT_BIT
from hallmark.twin.controllers.aws.nodes import addresses, objects, sizes
from hallmark.twin.controllers.aws.nodes.objects import Machine
from hallmark.twin.controllers.aws.volumes import binding, parameters
from hallmark.twin.controllers.aws.volumes.parameters import Refused
from hallmark.twin.controllers.workloads.scheduling.places import Place
from hallmark.twin.controllers.workloads.scheduling.volumes import Volumes
from hallmark.twin.kube.kinds import PODS

MIB = 1024
TYPE = {
    "VCpuInfo": {"DefaultVCpus": 8},
    "MemoryInfo": {"SizeInMiB": 32 * MIB},
    "NetworkInfo": {"MaximumNetworkInterfaces": 4, "Ipv4AddressesPerInterface": 15},
}
"""m6i.2xlarge."""


def machine(**changes: Any) -> Machine:
    """An instance of a node group."""
    instance = {
        "InstanceId": "i-1",
        "InstanceType": "m6i.2xlarge",
        "ImageId": "ami-1",
        "PrivateDnsName": "ip-10-0-0-4.ec2.internal",
        "PrivateIpAddress": "10.0.0.4",
        "State": {"Name": "running"},
    }
    group = {"nodegroupName": "general", "labels": {"pool": "a"}, "taints": [], "rootGib": 50}
    subnet = {"AvailabilityZone": "us-east-1a", "AvailabilityZoneId": "use1-az1", "CidrBlock": "10.0.0.0/19"}
    return Machine(instance | changes.pop("instance", {}), TYPE, group | changes, subnet, "us-east-1")


def test_a_node_offers_what_eks_leaves_of_the_instance() -> None:
    """Pods by interfaces; CPU and memory less what the image reserves."""
    assert sizes.pods(TYPE) == 58
    assert sizes.capacity(TYPE, 50)["cpu"] == "8"
    assert sizes.allocatable(TYPE, 50)["cpu"] == "7910m"
    offered = int(sizes.allocatable(TYPE, 50)["memory"].removesuffix("Ki"))
    seen = int(sizes.capacity(TYPE, 50)["memory"].removesuffix("Ki"))
    assert seen - offered == (255 + 11 * 58 + 100) * 1024
    assert seen < 32 * MIB * 1024


@pytest.mark.parametrize(("type_", "cores", "left"), [("2", 2, "1930m"), ("4", 4, "3920m"), ("16", 16, "15890m")])
def test_cpu_is_reserved_by_core(type_: str, cores: int, left: str) -> None:
    """60 of the first, 10 of the second, 5 of two more, 2.5 of the rest."""
    described = TYPE | {"VCpuInfo": {"DefaultVCpus": cores}}

    assert sizes.capacity(described, 50)["cpu"] == type_
    assert sizes.allocatable(described, 50)["cpu"] == left


def test_blocks_of_pod_addresses_lie_at_the_end_of_the_subnet_and_do_not_overlap() -> None:
    """And a full subnet gives none."""
    first = addresses.block("10.0.0.0/24", [], 58)
    second = addresses.block("10.0.0.0/24", [first], 58)

    assert (first, second) == ("10.0.0.192/26", "10.0.0.128/26")
    assert addresses.block("10.0.0.0/24", [first, second], 58) == ""


def test_a_node_is_labelled_and_tainted_as_its_group() -> None:
    """EKS's labels, the group's own, and its taints in Kubernetes' spelling."""
    made = objects.node(machine(taints=[{"key": "pool", "value": "db", "effect": "NO_SCHEDULE"}]), [])

    assert made["spec"]["taints"] == [{"key": "pool", "value": "db", "effect": "NoSchedule"}]
    assert made["spec"]["providerID"] == "aws:///us-east-1a/i-1"
    wanted = {
        "eks.amazonaws.com/nodegroup": "general",
        "node.kubernetes.io/instance-type": "m6i.2xlarge",
        "topology.kubernetes.io/zone": "us-east-1a",
        "topology.kubernetes.io/region": "us-east-1",
        "kubernetes.io/hostname": "ip-10-0-0-4.ec2.internal",
        "kubernetes.io/arch": "amd64",
        "pool": "a",
    }
    assert wanted.items() <= made["metadata"]["labels"].items()
    assert made["metadata"]["annotations"]["hallmark.dev/kubelet"] == "twin"


def test_a_public_address_is_told() -> None:
    """Workers in public subnets are seen in the cluster, too."""
    told = objects.status(machine(instance={"PublicIpAddress": "198.51.100.7"}))["addresses"]

    assert {"type": "ExternalIP", "address": "198.51.100.7"} in told


def test_only_what_differs_is_changed() -> None:
    """A person's labels, taints and cordon stay; a switched-off instance loses its kubelet and gets a taint."""
    known = objects.node(machine(), [])
    known["metadata"]["labels"]["mine"] = "x"
    known["spec"] |= {"unschedulable": True, "taints": [{"key": "mine", "effect": "NoSchedule"}]}

    assert objects.changes(known, machine()) == {}
    off = objects.changes(known, machine(instance={"State": {"Name": "stopped"}}))
    assert off["metadata"] == {"annotations": {"hallmark.dev/kubelet": None}}
    assert off["spec"]["taints"] == [{"key": "mine", "effect": "NoSchedule"}, objects.SHUTDOWN]
    assert objects.changes(known, machine(labels={"pool": "b"}))["metadata"] == {"labels": {"pool": "b"}}


CLAIM: dict[str, Any] = {
    "metadata": {"name": "data", "namespace": "default", "uid": "u1", "resourceVersion": "1"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}, "storageClassName": "s"},
}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {"VolumeType": "gp3"}),
        ({"type": "gp2", "fsType": "xfs"}, {"VolumeType": "gp2"}),
        (
            {"type": "gp3", "iops": "7000", "throughput": "1000", "encrypted": "true", "kmsKeyId": "k"},
            {"VolumeType": "gp3", "Iops": 7000, "Throughput": 1000, "Encrypted": True, "KmsKeyId": "k"},
        ),
        ({"type": "io2", "iopsPerGB": "50"}, {"VolumeType": "io2", "Iops": 500}),
    ],
)
def test_a_storage_class_becomes_parameters_of_a_volume(given: dict[str, str], wanted: dict[str, Any]) -> None:
    """Each parameter the driver knows."""
    made = parameters.volume({"parameters": given}, "9.5Gi", "us-east-1a")

    assert made == {"AvailabilityZone": "us-east-1a", "Size": 10, **wanted}


@pytest.mark.parametrize(
    ("given", "words_"),
    [
        ({"colour": "red"}, "code = InvalidArgument desc = Invalid parameter key colour for CreateVolume"),
        ({"iops": "many"}, "Could not parse invalid iops: many"),
        ({"encrypted": "maybe"}, "Could not parse encrypted: maybe"),
    ],
)
def test_the_driver_refuses_what_it_does_not_understand(given: dict[str, str], words_: str) -> None:
    """Before AWS is asked."""
    with pytest.raises(Refused, match=words_):
        parameters.volume({"parameters": given}, "10Gi", "us-east-1a")


def test_volumes_are_tagged_as_the_driver_tags_them() -> None:
    """For the policy's conditions, for people, and with the operator's own tags."""
    class_ = {"parameters": {"tagSpecification_1": "team=data"}}
    tags = parameters.tags(class_, CLAIM, "lab", parameters.extra_tags(["--extra-tags=a=1,b=2", "--v=2"]))

    assert tags["CSIVolumeName"] == "pvc-u1"
    assert tags["ebs.csi.aws.com/cluster"] == "true"
    assert tags["kubernetes.io/created-for/pvc/name"] == "data"
    assert tags["kubernetes.io/cluster/lab"] == "owned"
    assert (tags["team"], tags["a"], tags["b"]) == ("data", "1", "2")


def volume(name: str, size: str, **spec: Any) -> dict[str, Any]:
    """A PersistentVolume."""
    base = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "s"}
    return {"metadata": {"name": name}, "spec": base | spec}


@pytest.mark.parametrize(
    ("volumes", "chosen"),
    [
        ([], None),
        ([volume("small", "5Gi")], None),
        ([volume("large", "50Gi"), volume("fits", "10Gi")], "fits"),
        ([volume("other", "10Gi", storageClassName="x")], None),
        ([volume("taken", "10Gi", claimRef={"namespace": "default", "name": "b", "uid": "u2"})], None),
        ([volume("fits", "10Gi"), volume("kept", "10Gi", claimRef={"namespace": "default", "name": "data"})], "kept"),
        ([volume("old", "10Gi", claimRef={"namespace": "default", "name": "data", "uid": "u0"})], None),
    ],
)
def test_a_claim_gets_its_own_volume_or_the_smallest_that_fits(
    volumes: list[dict[str, Any]], chosen: str | None
) -> None:
    """And never one that was another's: a released volume keeps the uid of its claim."""
    found = binding.choose(CLAIM, volumes)

    assert (found["metadata"]["name"] if found else None) == chosen


def zoned(name: str, zone: str) -> dict[str, Any]:
    """A node in a zone."""
    return {"metadata": {"name": name, "labels": {binding.ZONE: zone}}, "spec": {}}


def test_a_volume_is_made_where_its_pod_will_run() -> None:
    """In the zone of the selected node; without one, in a zone that has nodes and that the class allows."""
    nodes = [zoned("a", "z-a"), zoned("b", "z-b")]
    selected = {**CLAIM, "metadata": CLAIM["metadata"] | {"annotations": {binding.SELECTED: "b"}}}
    allowed = {"allowedTopologies": [{"matchLabelExpressions": [{"key": binding.DRIVER_ZONE, "values": ["z-a"]}]}]}

    assert binding.zone({}, selected, nodes) == "z-b"
    assert binding.zone(allowed, CLAIM, nodes) == "z-a"
    assert binding.zone({}, CLAIM, []) == ""


def test_a_new_volume_cannot_leave_its_zone() -> None:
    """As its node affinity says, under both keys."""
    made = binding.new_volume({"metadata": {"name": "s"}, "reclaimPolicy": "Retain"}, CLAIM, "vol-1", "z-a")

    terms = made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"]
    assert [(each["key"], each["values"]) for each in terms] == [
        ("topology.ebs.csi.aws.com/zone", ["z-a"]),
        ("topology.kubernetes.io/zone", ["z-a"]),
    ]
    assert made["spec"]["csi"] == {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1", "fsType": "ext4"}
    assert made["spec"]["persistentVolumeReclaimPolicy"] == "Retain"


def node(name: str, *taints: dict[str, str], cpu: str = "4") -> dict[str, Any]:
    """A node that is ready."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {"providerID": f"aws:///z/{name}", **({"taints": list(taints)} if taints else {})},
        "status": {
            "allocatable": {"cpu": cpu, "memory": "16Gi", "pods": "58"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def pod(name: str, cpu: str, on: str = "", owner: str = "") -> dict[str, Any]:
    """A pod."""
    owners = [{"kind": owner, "name": "x", "uid": "x", "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "namespace": "default", "uid": name, "ownerReferences": owners},
        "spec": {
            "containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}],
            **({"nodeName": on} if on else {}),
        },
        "status": {"phase": "Running" if on else "Pending"},
    }


def group(name: str, wanted: int, most: int, least: int = 1) -> Group:
    """A node group."""
    return Group(name, least, most, wanted, tuple(f"{name}-{number}" for number in range(wanted)), {}, {})


TAINT = {"key": "pool", "value": "db", "effect": "NoSchedule"}
TEMPLATES = {"general": Place(node("t1")), "db": Place(node("t2", TAINT))}


def test_a_group_grows_by_as_many_nodes_as_the_pods_need() -> None:
    """Three pods of three cores: one a node; not more than the group may have."""
    waiting = [(pod(f"p{number}", "3"), Volumes()) for number in range(3)]

    grown = plan.growth(waiting, [group("general", 1, 6), group("db", 1, 2)], TEMPLATES, [])
    assert (grown.group.name if grown.group else "", grown.size, len(grown.helped)) == ("general", 4, 3)
    limited = plan.growth(waiting, [group("general", 1, 3)], TEMPLATES, [])
    assert (limited.size, len(limited.helped)) == (3, 2)


def test_small_pods_share_a_new_node() -> None:
    """Four pods of one core need one node of four."""
    waiting = [(pod(f"p{number}", "1"), Volumes()) for number in range(4)]

    assert plan.growth(waiting, [group("general", 1, 6)], TEMPLATES, []).size == 2


def test_nodes_on_their_way_count() -> None:
    """Nothing grows for a pod that will fit on a node that is coming."""
    grown = plan.growth([(pod("p", "3"), Volumes())], [group("general", 2, 6)], TEMPLATES, [Place(node("coming"))])

    assert (grown.group, grown.reasons) == (None, [])


def test_the_reasons_are_the_autoscalers_words() -> None:
    """Each group is counted with what it says."""
    big, full = pod("big", "3"), [group("general", 3, 3), group("db", 1, 2)]
    grown = plan.growth([(big, Volumes())], full, TEMPLATES, [])

    assert grown.group is None
    assert plan.refusal_words(grown.reasons[0][1]) == (
        "pod didn't trigger scale-up: 1 max node group size reached, 1 node(s) had untolerated taint(s)"
    )
    huge = plan.growth([(pod("huge", "9"), Volumes())], [group("general", 1, 3)], TEMPLATES, [])
    assert plan.refusal_words(huge.reasons[0][1]) == "pod didn't trigger scale-up: 1 Insufficient cpu"
    assert plan.refusal_words(Counter()) == "pod didn't trigger scale-up: "


def test_nodes_without_work_may_go() -> None:
    """Pods of DaemonSets do not keep a node; others do; the lowest size and the annotation hold."""
    nodes = [node("general-0"), node("general-1"), node("general-2")]
    pods = [pod("work", "1", on="general-0"), pod("daemon", "1", on="general-1", owner="DaemonSet")]

    def names(found: list[Any]) -> list[str]:
        return [each["metadata"]["name"] for each in found]

    assert names(plan.unneeded(group("general", 3, 6), nodes, pods)) == ["general-1", "general-2"]
    assert names(plan.unneeded(group("general", 3, 6, least=2), nodes, pods)) == ["general-1"]
    assert plan.unneeded(group("general", 3, 6, least=3), nodes, pods) == []
    nodes[1]["metadata"]["annotations"] = {plan.DISABLED: "true"}
    assert names(plan.unneeded(group("general", 3, 6), nodes, pods)) == ["general-2"]


def test_groups_are_discovered_by_the_tags_of_the_command_line() -> None:
    """All of them have to be there; without the option nothing is found."""
    flag = groups.DISCOVERY + "k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/lab=owned"
    running = {"spec": {"containers": [{"command": ["./cluster-autoscaler", flag, "--scale-down-unneeded-time=30s"]}]}}

    def described(name: str, **tags: str) -> dict[str, Any]:
        sizes_ = {"MinSize": 1, "MaxSize": 3, "DesiredCapacity": 1, "Instances": []}
        listed = [{"Key": key.replace("_", "/"), "Value": value} for key, value in tags.items()]
        return {"AutoScalingGroupName": name, "Tags": listed, **sizes_}

    enabled = "k8s.io_cluster-autoscaler_enabled"
    both = described("both", **{enabled: "true", "k8s.io_cluster-autoscaler_lab": "owned"})
    other = described("other", **{enabled: "true", "k8s.io_cluster-autoscaler_lab": "shared"})
    asked = groups.wanted_tags(running)

    assert [each.name for each in groups.discovered([both, other, described("none")], asked)] == ["both"]
    assert groups.discovered([both], []) == []
    assert groups.duration(running, "scale-down-unneeded-time", 600) == 30
    assert groups.duration(running, "scale-down-delay-after-add", 600) == 600


def test_a_template_is_a_fresh_node() -> None:
    """Without the name, the cordon and the taints of the node it is like."""
    model = node("general-0", TAINT, {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})
    model["spec"]["unschedulable"] = True
    pods = [pod("work", "1", on="general-0"), pod("daemon", "1", on="general-0", owner="DaemonSet")]
    made = groups.template(model, pods)

    assert made.node["spec"] == {"providerID": "aws:///z/general-0", "taints": [TAINT]}
    assert made.node["metadata"]["labels"]["kubernetes.io/hostname"] == "template-node-for-general-0"
    assert [each["metadata"]["name"] for each in made.pods] == ["daemon"]


def test_the_status_report_has_the_autoscalers_form() -> None:
    """YAML under one key; a status keeps the moment since when it holds."""
    transitions, first = report.Transitions(), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    general = group("general", 3, 6)
    nodes = {"general": [node("general-0"), node("general-1")]}
    report.config_map([general], nodes, {}, transitions, first)
    made = report.config_map([general], nodes, {"general": 1}, transitions, first.replace(minute=5))
    status = yaml.safe_load(made["data"]["status"])

    assert status["autoscalerStatus"] == "Running"
    assert status["time"] == "2026-01-02 03:05:05.000000000 +0000 UTC"
    assert status["clusterWide"]["health"]["status"] == "Healthy"
    assert status["clusterWide"]["health"]["lastTransitionTime"] == "2026-01-02T03:04:05.000000000Z"
    about = status["nodeGroups"][0]
    assert (about["health"]["cloudProviderTarget"], about["health"]["minSize"], about["health"]["maxSize"]) == (3, 1, 6)
    assert about["health"]["nodeCounts"]["unregistered"] == 1
    assert about["scaleUp"]["status"] == "InProgress"
    assert about["scaleDown"] | {"candidates": 1, "status": "CandidatesPresent"} == about["scaleDown"]


CALL = "operation error EC2: CreateVolume, "
CREDENTIALS = "get identity: get credentials: failed to refresh cached credentials, "
OF_STS = "failed to retrieve credentials, operation error STS: AssumeRoleWithWebIdentity, "
DENIED = "https response error StatusCode: 403, api error AccessDenied: Not authorized"


def refusal(code: str, message: str, operation: str) -> ClientError:
    """An error as boto3 raises it."""
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    return ClientError(answer, operation)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            refusal("UnauthorizedOperation", "no", "CreateVolume"),
            f"{CALL}https response error StatusCode: 403, api error UnauthorizedOperation: no",
        ),
        (
            refusal("AccessDenied", "Not authorized", "AssumeRoleWithWebIdentity"),
            f"{CALL}{CREDENTIALS}{OF_STS}{DENIED}",
        ),
        (
            refusal("NoCredentialProviders", "no EC2 IMDS role found", "GetMetadata"),
            f"{CALL}{CREDENTIALS}no EC2 IMDS role found",
        ),
    ],
)
def test_errors_are_worded_as_the_go_sdk_words_them(error: ClientError, said: str) -> None:
    """Of the call itself, of the role, and of having none."""
    assert words.of(error, "EC2", "CreateVolume") == said


def test_manifests_take_their_values() -> None:
    """Names that are not given stay; a role that is not given leaves no annotation."""
    text = (
        "{kind: ServiceAccount, metadata: {name: a, annotations: {eks.amazonaws.com/role-arn: '${role}'}}}\n---\n"
        "{kind: ConfigMap, metadata: {name: b}, data: {x: '${OTHER} ${region}'}}"
    )

    with_role, config = catalogue.render(text, {"role": "arn:x", "region": "r"})
    assert with_role["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": "arn:x"}
    assert config["data"] == {"x": "${OTHER} r"}
    assert catalogue.render(text, {"role": ""})[0]["metadata"] == {"name": "a"}
    assert catalogue.version_values("v1.35.0-eksbuild.2") == {
        "version": "v1.35.0-eksbuild.2",
        "release": "v1.35.0",
        "build": "eksbuild.2",
    }


def test_every_manifest_is_whole() -> None:
    """Each add-on and release has one; workloads have images, selectors that fit, and no placeholder left."""
    values = {name: name for name in ("registry", "region", "cluster", "vpc", "role", "extra_tags")}
    values |= catalogue.version_values("v1.2.3-eksbuild.1")
    folder = Path(catalogue.__file__).parents[1] / "manifests"
    names = [*catalogue.ADDONS, *(each.name for each in catalogue.RELEASES), catalogue.WITH_CLUSTER]

    assert sorted(names) == sorted(file.stem for file in folder.glob("*.yaml"))
    for name in names:
        things = catalogue.render((folder / f"{name}.yaml").read_text(), values)
        assert things, name
        for thing in things:
            if thing["kind"] in {"Deployment", "DaemonSet"}:
                template = thing["spec"]["template"]
                assert thing["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
                images = [each["image"] for each in template["spec"]["containers"]]
                assert all(":" in image and "$" not in image for image in images), images


@pytest.mark.parametrize(
    ("configuration", "tags"),
    [
        (None, ""),
        ("{", ""),
        ('{"controller": {"extraVolumeTags": {"a": "1", "hallmark:owner": "x"}}}', "a=1,hallmark:owner=x"),
    ],
)
def test_tags_of_an_addon_reach_the_drivers_command_line(configuration: str | None, tags: str) -> None:
    """A configuration that is no JSON is left aside."""
    assert catalogue.extra_tags(configuration) == tags


def application(restarts: int = 0) -> dict[str, Any]:
    """A pod whose log is shipped."""
    made = pod("web-1", "1", on="node-a")
    made["metadata"]["uid"] = "uid-1"
    made["spec"]["containers"] = [{"name": "main", "image": "busybox:1"}]
    made["status"]["containerStatuses"] = [{"name": "main", "restartCount": restarts, "containerID": "twin://abc"}]
    return made


def test_a_line_becomes_a_record_with_kubernetes_metadata(tmp_path: Path) -> None:
    """JSON lines are merged, and the stream is named as the plugin names it."""
    source = logs.sources([application(restarts=2)], tmp_path)[0]
    source.file.parent.mkdir(parents=True)
    lines = [
        b"2026-01-02T03:04:05.123456000Z stdout F hello",
        b'2026-01-02T03:04:06Z stdout F {"level": "error"}',
        b"not whole",
    ]
    source.file.write_bytes(b"\n".join(lines))
    found, end = logs.read(source.file, 0)
    first, second = (logs.event(source, each) for each in found)

    assert source.file == tmp_path / "default_web-1_uid-1" / "main" / "2.log"
    assert source.stream == "node-a-application.var.log.containers.web-1_default_main-abc.log"
    assert end == len(lines[0]) + len(lines[1]) + 2
    assert first["timestamp"] == 1767323045123
    assert yaml.safe_load(first["message"])["log"] == "hello"
    assert yaml.safe_load(first["message"])["kubernetes"] == {
        "pod_name": "web-1",
        "namespace_name": "default",
        "pod_id": "uid-1",
        "host": "node-a",
        "container_name": "main",
        "container_image": "busybox:1",
    }
    assert yaml.safe_load(second["message"])["log_processed"] == {"level": "error"}


def test_an_aws_that_is_away_is_told_as_that() -> None:
    """Also when a session was about to be made: the controller tries again, and its log has a line and no traceback."""

    async def client(*_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    cloud: Any = SimpleNamespace(
        gate=SimpleNamespace(identity=lambda _: ("logs", "agent")),
        sessions=SimpleNamespace(client=client),
        cluster="lab",
    )
    with pytest.raises(EnvironmentFault, match="does not answer"):
        asyncio.run(Cloud.act(cloud, FLUENT_BIT, "logs", "put_log_events"))


def test_without_a_cluster_no_log_group_is_made(tmp_path: Path) -> None:
    """Its name is part of the group's: while the account's cluster is destroyed, lines wait."""
    pods = SimpleNamespace(all=lambda: [application()])
    gate = SimpleNamespace(nodes=lambda _: {"node-a"})
    acts: list[str] = []

    async def act(_: Any, __: str, operation: str, **___: Any) -> None:
        acts.append(operation)

    cloud: Any = SimpleNamespace(caches={PODS: pods}, gate=gate, act=act, cluster="", log=logging.getLogger)
    shipper = logs.Logs(cloud, tmp_path)
    source = logs.sources([application()], tmp_path)[0]
    source.file.parent.mkdir(parents=True)
    source.file.write_bytes(b"2026-01-02T03:04:05.1Z stdout F before\n2026-01-02T03:04:05.2Z stdout F hello\n")

    asyncio.run(shipper.reconcile(logs.ALL))
    assert acts == []
    cloud.cluster = "lab"
    asyncio.run(shipper.reconcile(logs.ALL))
    assert acts == ["create_log_group", "create_log_stream", "put_log_events"]


def test_logs_of_the_system_go_elsewhere(tmp_path: Path) -> None:
    """Pods of kube-system and the agents themselves are not the application's."""
    system, agent, waiting = application(), application(), pod("late", "1")
    system["metadata"] = system["metadata"] | {"namespace": "kube-system"}
    agent["metadata"] = agent["metadata"] | {"name": "fluent-bit-x1"}

    assert logs.sources([system, agent, waiting], tmp_path) == []


SERVICE = {"spec": {"ports": [{"name": "https"}]}}
API_SERVICE = {"spec": {"service": {"namespace": "kube-system", "name": "metrics-server"}}}


@pytest.mark.parametrize(
    ("service", "ready", "reason"),
    [(None, False, "ServiceNotFound"), (SERVICE, False, "MissingEndpoints"), (SERVICE, True, "Passed")],
)
def test_an_api_service_is_available_while_its_service_has_endpoints(
    service: dict[str, Any] | None, *, ready: bool, reason: str
) -> None:
    """In the aggregator's words."""
    slice_ = {
        "metadata": {"namespace": "kube-system", "labels": {"kubernetes.io/service-name": "metrics-server"}},
        "endpoints": [{"conditions": {"ready": ready}}],
    }

    assert api_services.availability(API_SERVICE, service, [slice_])["reason"] == reason


def test_usage_is_told_in_the_units_of_the_metrics_api() -> None:
    """Nanocores and KiB."""
    use = {"cpu": {"usageNanoCores": 2_500_000}, "memory": {"workingSetBytes": 4096}}
    told = metrics.pod_metrics(
        {"podRef": {"namespace": "a", "name": "b"}, "containers": [{"name": "c", **use}]}, "2026-01-02T03:04:05Z", None
    )

    assert told["containers"] == [{"name": "c", "usage": {"cpu": "2500000n", "memory": "4Ki"}}]


@pytest.mark.parametrize(
    ("content", "begin"),
    [("", 0), ("one\n", 4), ("one\ntwo\n", 4), ("one\ntwo\nthree\n", 8), ("a\n" + "x" * 5000 + "\n", 5003)],
)
def test_a_log_is_read_from_its_last_line_on(tmp_path: Path, content: str, begin: int) -> None:
    """Of a single line, or of one that is too long, nobody knows where it begins: from the end on."""
    file = tmp_path / "0.log"
    file.write_text(content)
    assert logs.last_line(file, len(content)) == begin
