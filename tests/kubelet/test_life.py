"""Pods from start to end: states, restarts, probes, memory, termination."""

import json
from collections.abc import Callable
from typing import Any

from hallmark.waiting import until

Json = dict[str, Any]
Spec = Callable[..., Json]


def state(pod: Json, number: int = 0) -> Json:
    """The state of a container."""
    statuses = pod["status"].get("containerStatuses") or [{}]
    found: Json = statuses[number].get("state") or {}
    return found


def waiting(pod: Json) -> str:
    """What a pod's first container waits for."""
    return str(state(pod).get("waiting", {}).get("reason", ""))


def is_ready(pod: Json) -> bool:
    """Whether a pod is ready."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))


def test_a_pod_runs(cluster: Any, shell: Spec) -> None:
    """A pod gets an address of its node's subnet, runs, and says so in every condition."""
    path = cluster.pod("plain", shell("echo hello; sleep 600"))
    pod = cluster.when(path, is_ready)
    status = pod["status"]

    assert status["phase"] == "Running"
    assert status["podIP"].startswith("10.244.0.")
    assert status["hostIP"] == "10.0.1.5"
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    assert status["qosClass"] == "BestEffort"
    container = status["containerStatuses"][0]
    assert (container["started"], container["restartCount"]) == (True, 0)
    assert container["image"] == "docker.io/library/busybox:1.36"
    assert cluster.logged("plain", "hello\n") == "hello\n"
    assert cluster.happened("plain", "Started", "Started container c")
    assert {"Pulled", "Created", "Started"} <= {reason for reason, _ in cluster.events("plain")}


def test_addresses_differ(cluster: Any, shell: Spec) -> None:
    """Every pod has an address of its own, from its own node's subnet."""
    paths = [cluster.pod(f"own-{number}", shell("sleep 600")) for number in range(2)]
    paths.append(cluster.pod("own-2", {**shell("sleep 600"), "nodeName": "n2"}))
    addresses = [cluster.when(path, is_ready)["status"]["podIP"] for path in paths]

    assert len(set(addresses)) == 3
    assert addresses[2].startswith("10.244.1.")


def test_host_network(cluster: Any, shell: Spec) -> None:
    """A pod of the host's network has its node's address."""
    path = cluster.pod("hosted", {**shell("sleep 600"), "hostNetwork": True})

    assert cluster.when(path, is_ready)["status"]["podIP"] == "10.0.1.5"


def test_a_crash_loop(cluster: Any, shell: Spec) -> None:
    """A container that keeps failing is restarted after growing pauses, and keeps its last end and last log."""
    path = cluster.pod("crash", shell("echo dying; exit 3"))
    pod = cluster.when(path, lambda pod: waiting(pod) == "CrashLoopBackOff" and restarts(pod) >= 2)
    status = pod["status"]["containerStatuses"][0]
    uid = pod["metadata"]["uid"]

    assert status["state"]["waiting"]["message"] == (
        f"back-off 20s restarting failed container=c pod=crash_default({uid})"
    )
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert status["lastState"]["terminated"]["reason"] == "Error"
    assert pod["status"]["phase"] == "Running"
    assert cluster.log("crash", "previous=true") == "dying\n"
    assert cluster.happened("crash", "BackOff", f"Back-off restarting failed container c in pod crash_default({uid})")


def restarts(pod: Json) -> int:
    """How often a pod's first container was restarted."""
    return int((pod["status"].get("containerStatuses") or [{}])[0].get("restartCount", 0))


def test_a_job_that_succeeds(cluster: Any, shell: Spec) -> None:
    """A pod that never restarts succeeds with exit code 0."""
    path = cluster.pod("good", shell("echo done", restartPolicy="Never"))
    pod = cluster.when(path, lambda pod: pod["status"]["phase"] == "Succeeded")

    assert state(pod)["terminated"]["reason"] == "Completed"
    assert [each["reason"] for each in pod["status"]["conditions"] if each["type"] == "Ready"] == ["PodCompleted"]


def test_a_job_that_fails(cluster: Any, shell: Spec) -> None:
    """A pod that never restarts fails with any other exit code."""
    path = cluster.pod("poor", shell("exit 7", restartPolicy="Never"))
    pod = cluster.when(path, lambda pod: pod["status"]["phase"] == "Failed")

    assert state(pod)["terminated"]["exitCode"] == 7
    assert restarts(pod) == 0


def test_on_failure_restarts_until_it_succeeds(cluster: Any, shell: Spec) -> None:
    """The policy OnFailure restarts a failure and leaves a success."""
    script = "if [ -f /data/second ]; then exit 0; fi; echo x > /data/second; exit 1"
    volumes = [{"name": "data", "emptyDir": {}}]
    mounts = [{"name": "data", "mountPath": "/data"}]
    path = cluster.pod("twice", shell(script, restartPolicy="OnFailure", volumes=volumes, volumeMounts=mounts))

    assert restarts(cluster.when(path, lambda pod: pod["status"]["phase"] == "Succeeded")) == 1


def test_init_containers_run_first(cluster: Any, shell: Spec) -> None:
    """Init containers run one after the other, before the rest, and share its volumes."""
    mounts = [{"name": "data", "mountPath": "/data"}]
    inits = [
        {
            "name": one,
            "image": "busybox:1.36",
            "command": ["sh", "-c", f"echo {one} >> /data/order"],
            "volumeMounts": mounts,
        }
        for one in ("first", "second")
    ]
    spec = shell("cat /data/order; sleep 600", volumes=[{"name": "data", "emptyDir": {}}], volumeMounts=mounts)
    path = cluster.pod("ordered", {**spec, "initContainers": inits})
    pod = cluster.when(path, is_ready)

    assert cluster.logged("ordered", "second") == "first\nsecond\n"
    assert [each["state"]["terminated"]["exitCode"] for each in pod["status"]["initContainerStatuses"]] == [0, 0]
    assert [each["ready"] for each in pod["status"]["initContainerStatuses"]] == [True, True]


def test_a_failing_init_container_holds_the_pod(cluster: Any, shell: Spec) -> None:
    """While an init container fails, the pod is pending and not initialized."""
    init = {"name": "gate", "image": "busybox:1.36", "command": ["false"]}
    path = cluster.pod("held", {**shell("sleep 600"), "initContainers": [init]})
    pod = cluster.when(
        path, lambda pod: pod["status"].get("initContainerStatuses", [{}])[0].get("restartCount", 0) >= 1
    )

    assert pod["status"]["phase"] == "Pending"
    assert waiting(pod) == "PodInitializing"
    condition = next(each for each in pod["status"]["conditions"] if each["type"] == "Initialized")
    assert (condition["status"], condition["message"]) == ("False", "containers with incomplete status: [gate]")


def test_sidecars_start_before_and_stay(cluster: Any, shell: Spec) -> None:
    """An init container that restarts always runs beside the others and ends with them."""
    init = {"name": "side", "image": "busybox:1.36", "command": ["sleep", "600"], "restartPolicy": "Always"}
    path = cluster.pod("sided", {**shell("sleep 0.5", restartPolicy="Never"), "initContainers": [init]})
    pod = cluster.when(path, lambda pod: pod["status"]["phase"] == "Succeeded")

    assert "terminated" in pod["status"]["initContainerStatuses"][0]["state"]


def test_a_command_that_is_no_file(cluster: Any) -> None:
    """A command that does not exist is a StartError with exit code 128, and nothing was executed."""
    spec = {"containers": [{"name": "c", "image": "busybox:1.36", "command": ["rm", "-rf", "/"]}]}
    path = cluster.pod("wrong", spec)
    pod = cluster.when(path, lambda pod: restarts(pod) >= 1)
    last = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]

    assert (last["exitCode"], last["reason"]) == (128, "StartError")
    assert 'exec: "rm": executable file not found in $PATH: unknown' in last["message"]


def test_an_image_that_is_not_there(cluster: Any) -> None:
    """An unknown tag is ErrImagePull and then ImagePullBackOff; another image mends it."""
    path = cluster.pod("unpulled", {"containers": [{"name": "c", "image": "nginx:9.99"}]})
    cluster.when(path, lambda pod: waiting(pod) == "ErrImagePull")
    pod = cluster.when(path, lambda pod: waiting(pod) == "ImagePullBackOff")
    assert state(pod)["waiting"]["message"].startswith('Back-off pulling image "nginx:9.99": ErrImagePull: rpc error')
    assert cluster.happened("unpulled", "Failed", "Error: ImagePullBackOff")

    change = [{"op": "replace", "path": "/spec/containers/0/image", "value": "nginx:1.27"}]
    cluster.call("PATCH", path, change, "application/json-patch+json")
    cluster.when(path, is_ready)


def test_another_image_restarts_the_container(cluster: Any, shell: Spec) -> None:
    """A changed image ends the running container and starts another."""
    path = cluster.pod("changed", shell("sleep 600"))
    cluster.when(path, is_ready)
    change = [{"op": "replace", "path": "/spec/containers/0/image", "value": "busybox:1.37"}]
    cluster.call("PATCH", path, change, "application/json-patch+json")
    pod = cluster.when(path, lambda pod: restarts(pod) == 1 and is_ready(pod))

    assert pod["status"]["containerStatuses"][0]["image"] == "docker.io/library/busybox:1.37"
    assert cluster.happened("changed", "Killing", "Container c definition changed, will be restarted")


def test_a_missing_secret_is_a_config_error(cluster: Any, shell: Spec) -> None:
    """A container waits for its Secret, then for the key in it, and runs as soon as both are there."""
    reference = {"secretKeyRef": {"name": "late", "key": "url"}}
    path = cluster.pod("keyless", shell("sleep 600", env=[{"name": "URL", "valueFrom": reference}]))
    pod = cluster.when(path, lambda pod: waiting(pod) == "CreateContainerConfigError")
    assert state(pod)["waiting"]["message"] == 'secret "late" not found'
    assert cluster.happened("keyless", "Failed", 'Error: secret "late" not found')

    secrets = "/api/v1/namespaces/default/secrets"
    cluster.create(
        secrets, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "late"}, "stringData": {"x": "y"}}
    )
    cluster.when(path, lambda pod: "couldn't find key url in Secret default/late" in json.dumps(state(pod)))
    cluster.merge(f"{secrets}/late", {"stringData": {"url": "there"}})
    cluster.when(path, is_ready)


def test_a_missing_volume_holds_the_pod(cluster: Any, shell: Spec) -> None:
    """A pod whose volume cannot be made waits in ContainerCreating with an event, and goes on when it can."""
    volumes = [{"name": "conf", "configMap": {"name": "late-conf"}}]
    spec = shell("cat /conf/a; sleep 600", volumes=volumes, volumeMounts=[{"name": "conf", "mountPath": "/conf"}])
    path = cluster.pod("mountless", spec)
    words = 'MountVolume.SetUp failed for volume "conf" : configmap "late-conf" not found'
    assert cluster.happened("mountless", "FailedMount", words)
    assert waiting(cluster.get(path)) == "ContainerCreating"
    assert "podIP" not in cluster.get(path)["status"]

    maps = "/api/v1/namespaces/default/configmaps"
    cluster.create(
        maps, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late-conf"}, "data": {"a": "b\n"}}
    )
    cluster.when(path, is_ready)
    assert cluster.logged("mountless", "b") == "b\n"


def test_readiness_follows_its_probe(cluster: Any, shell: Spec) -> None:
    """A pod is ready while its readiness probe finds what it looks for."""
    probe = {"exec": {"command": ["test", "-f", "/run-ready"]}, "periodSeconds": 1, "failureThreshold": 1}
    path = cluster.pod("moody", shell("sleep 600", readinessProbe=probe))
    cluster.when(path, lambda pod: "running" in state(pod))
    assert cluster.happened("moody", "Unhealthy", "Readiness probe failed")
    assert not is_ready(cluster.get(path))

    assert cluster.exec("moody", "sh", "-c", "echo > /run-ready")[0] == 0
    cluster.when(path, is_ready)


def test_http_probes_and_named_ports(cluster: Any) -> None:
    """An HTTP probe reaches the program by the port's name; a wrong path is told with its status code."""
    ports = [{"name": "http", "containerPort": 80}]

    def nginx(path: str) -> Json:
        probe = {"httpGet": {"path": path, "port": "http"}, "periodSeconds": 1}
        return {"containers": [{"name": "c", "image": "nginx:1.27", "ports": ports, "readinessProbe": probe}]}

    cluster.when(cluster.pod("served", nginx("/")), is_ready)
    cluster.pod("astray", nginx("/nope"))
    assert cluster.happened("astray", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")


def test_tcp_probes(cluster: Any) -> None:
    """A TCP probe finds an open port, and a closed one refuses."""

    def nginx(port: int) -> Json:
        probe = {"tcpSocket": {"port": port}, "periodSeconds": 1}
        return {"containers": [{"name": "c", "image": "nginx:1.27", "readinessProbe": probe}]}

    cluster.when(cluster.pod("open", nginx(80)), is_ready)
    path = cluster.pod("closed", nginx(81))
    assert cluster.happened("closed", "Unhealthy", ":81: connect: connection refused")
    assert not is_ready(cluster.get(path))


def test_liveness_restarts(cluster: Any, shell: Spec) -> None:
    """A container whose liveness probe keeps failing is started again."""
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2}
    path = cluster.pod("dead", shell("sleep 600", livenessProbe=probe))
    pod = cluster.when(path, lambda pod: restarts(pod) >= 1)

    assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 143
    assert cluster.happened("dead", "Killing", "Container c failed liveness probe, will be restarted")


def test_startup_holds_the_other_probes(cluster: Any, shell: Spec) -> None:
    """Until the startup probe has succeeded a container is neither started nor ready; if it never does, it restarts."""
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2}
    path = cluster.pod("slow", shell("sleep 600", startupProbe=probe, livenessProbe={"exec": {"command": ["false"]}}))
    pod = cluster.when(path, lambda pod: restarts(pod) >= 1)

    assert not is_ready(pod)
    assert cluster.happened("slow", "Killing", "Container c failed startup probe, will be restarted")
    assert not any("Liveness" in words for _, words in cluster.events("slow"))


def test_memory_above_the_limit(cluster: Any) -> None:
    """A working set above the memory limit is an OOM kill with exit code 137."""
    limits = {"limits": {"memory": "5Mi"}}
    path = cluster.pod("hungry", {"containers": [{"name": "c", "image": "nginx:1.27", "resources": limits}]})
    pod = cluster.when(path, lambda pod: restarts(pod) >= 1)
    last = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]

    assert (last["reason"], last["exitCode"]) == ("OOMKilled", 137)


def test_deletion_is_graceful(cluster: Any, shell: Spec) -> None:
    """A deleted pod is asked to end, is gone from the API, and leaves no folder."""
    path = cluster.pod("leaving", shell("sleep 600"))
    uid = cluster.when(path, is_ready)["metadata"]["uid"]
    assert (cluster.state / "pods" / uid).is_dir()
    cluster.call("DELETE", path)

    assert cluster.gone(path)
    assert cluster.happened("leaving", "Killing", "Stopping container c")
    assert not (cluster.state / "pods" / uid).exists()


def test_deletion_of_what_waits(cluster: Any) -> None:
    """A pod that never ran can be deleted as well."""
    path = cluster.pod("unborn", {"containers": [{"name": "c", "image": "no/such:1"}]})
    cluster.when(path, lambda pod: waiting(pod) == "ImagePullBackOff")
    cluster.call("DELETE", path)

    assert cluster.gone(path)


def test_termination_messages(cluster: Any, shell: Spec) -> None:
    """What a container writes to its termination log is in its status; with the fallback, the end of its log."""
    first = cluster.pod("said", shell("echo why > /dev/termination-log; exit 1", restartPolicy="Never"))
    policy = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    second = cluster.pod("logged", shell("echo because; exit 1", restartPolicy="Never", **policy))

    def ended(pod: Json) -> bool:
        return "terminated" in state(pod)

    assert state(cluster.when(first, ended))["terminated"]["message"] == "why\n"
    assert state(cluster.when(second, ended))["terminated"]["message"] == "because\n"


def test_a_deadline(cluster: Any, shell: Spec) -> None:
    """A pod that is active for too long fails."""
    path = cluster.pod("late", {**shell("sleep 600", restartPolicy="Never"), "activeDeadlineSeconds": 5})
    pod = cluster.when(path, lambda pod: pod["status"]["phase"] == "Failed")

    assert pod["status"]["reason"] == "DeadlineExceeded"


def test_readiness_gates(cluster: Any, shell: Spec) -> None:
    """A pod with a readiness gate is ready only when somebody has set the gate's condition."""
    path = cluster.pod("gated", {**shell("sleep 600"), "readinessGates": [{"conditionType": "lb/ready"}]})
    cluster.when(path, lambda pod: "running" in state(pod))
    condition = {"type": "lb/ready", "status": "True"}
    cluster.call(
        "PATCH", f"{path}/status", {"status": {"conditions": [condition]}}, "application/strategic-merge-patch+json"
    )
    pod = cluster.when(path, is_ready)

    assert "lb/ready" in {each["type"] for each in pod["status"]["conditions"]}


def test_a_node_that_is_gone_takes_its_pods_along(cluster: Any, shell: Spec) -> None:
    """When a node is deleted, the processes of its pods end."""
    cluster.node("n3", "10.0.3.5")
    path = cluster.pod("stranded", {**shell("sleep 600"), "nodeName": "n3"})
    uid = cluster.when(path, is_ready)["metadata"]["uid"]
    cluster.call("DELETE", "/api/v1/nodes/n3")
    folder = cluster.state / "pods" / uid

    assert until(lambda: not folder.exists(), 10)


def test_nodes_of_others_are_left_alone(cluster: Any, shell: Spec) -> None:
    """A node without the annotation belongs to somebody else: its pods are not run."""
    cluster.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "foreign"}})
    path = cluster.pod("elsewhere", {**shell("sleep 600"), "nodeName": "foreign"})
    cluster.when(cluster.pod("witness", shell("sleep 600")), is_ready)

    assert "startTime" not in cluster.get(path)["status"]
    assert "conditions" not in cluster.get("/api/v1/nodes/foreign").get("status", {})


def test_the_node_is_ready(cluster: Any) -> None:
    """A node of ours is ready, says what it runs, and its Lease beats."""
    node = cluster.when("/api/v1/nodes/n1", lambda node: node["status"].get("conditions"))
    lease = cluster.get("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1")

    conditions = {each["type"]: each["status"] for each in node["status"]["conditions"]}
    assert conditions == {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}
    assert node["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.35.2-eks-")
    assert node["status"]["nodeInfo"]["osImage"].startswith("Amazon Linux 2023")
    assert node["status"]["capacity"]["pods"] == "58"
    assert lease["spec"]["holderIdentity"] == "n1"


def test_the_kubelet_knows_better_than_a_restored_cluster(cluster: Any, shell: Spec) -> None:
    """A status that somebody else wrote, as a snapshot does, is put right: the pod is where it is."""
    path = cluster.pod("placed", shell("sleep 600"))
    address = cluster.when(path, lambda pod: pod["status"].get("podIP"))["status"]["podIP"]
    cluster.when(path, is_ready)

    cluster.merge(f"{path}/status", {"status": {"podIP": "10.9.9.9", "phase": "Pending"}})
    assert cluster.when(path, lambda pod: pod["status"]["podIP"] == address)
    assert cluster.when(path, lambda pod: pod["status"]["phase"] == "Running")
