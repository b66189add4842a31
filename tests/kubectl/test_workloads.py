"""Workloads at work: set, scale, expose, rollouts, autoscaling, logs, exec and usage."""

import json
from typing import Any

import pytest
import yaml

from hallmark.waiting import until


def test_set(web: Any) -> None:
    """Image, variables and resources of a running workload."""
    web.follow(
        [
            ("set image deploy/web web=nginx:1.28", 0, "deployment.apps/web image updated"),
            ("set image deploy/web api=nginx:1.28", 1, 'unable to find container named "api"'),
            ("set env deploy/web COLOR=blue SIZE=9", 0, "deployment.apps/web env updated"),
            ("set env deploy/web SIZE-", 0, "deployment.apps/web env updated"),
            ("set env deploy/web --list", 0, "COLOR=blue"),
            ("set resources deploy/web --limits=cpu=200m --requests=cpu=100m", 0, "resource requirements updated"),
            ("set resources deploy/web --requests=cpu=1", 1, "must be less than or equal to cpu limit of 200m"),
            ("rollout status deploy/web --timeout=30s", 0, "successfully rolled out"),
        ]
    )
    container = json.loads(web.get("deploy web", ".spec.template.spec.containers[0]"))
    assert (container["image"], container["env"]) == ("nginx:1.28", [{"name": "COLOR", "value": "blue"}])
    assert container["resources"] == {"limits": {"cpu": "200m"}, "requests": {"cpu": "100m"}}


def test_scale(web: Any) -> None:
    """Up and down, under a condition, by the subresource."""
    web.follow(
        [
            ("scale deploy/web --replicas=3", 0, "deployment.apps/web scaled"),
            ("wait deploy/web --for=jsonpath={.status.readyReplicas}=3 --timeout=20s", 0, "condition met"),
            ("scale deploy/web --replicas=1 --current-replicas=2", 1, "Expected replicas to be 2, was 3"),
            ('patch deploy web --subresource=scale --type=merge -p \'{"spec":{"replicas":1}}\'', 0, "web patched"),
            ("rollout status deploy/web --timeout=20s", 0, "successfully rolled out"),
            ("scale deploy/web --replicas=0", 0, "deployment.apps/web scaled"),
            ("wait pod -l app=web --for=delete --timeout=20s", 0, ""),
            ("get deploy web", 0, "web    0/0     0            0"),
        ]
    )


def test_autoscale(web: Any) -> None:
    """An autoscaler is made; without requests and metrics it says what it lacks."""
    web.follow(
        [
            (
                "autoscale deploy web --min=1 --max=3 --cpu-percent=80",
                0,
                "horizontalpodautoscaler.autoscaling/web autoscaled",
            ),
            ("get hpa web", 0, "Deployment/web"),
            ("wait hpa/web --for=condition=ScalingActive=false --timeout=20s", 0, "condition met"),
            ("describe hpa web", 0, "FailedGetResourceMetric"),
        ]
    )


def test_expose(web: Any) -> None:
    """A service with the workload's selector, which finds its pods."""
    web.follow(
        [
            ("expose deploy web --name=front --port=8080 --target-port=80", 0, "service/front exposed"),
            ("get svc front -o jsonpath={.spec.selector}", 0, '{"app":"web"}'),
            (
                "wait endpointslice -l kubernetes.io/service-name=front --for=jsonpath={.endpoints[1]} --timeout=20s",
                0,
                "",
            ),
            ("get endpoints front", 0, "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
        ]
    )


def test_rollouts(web: Any) -> None:
    """A good one, a bad one that keeps the old pods, the way back, a restart, a pause."""
    web.follow(
        [
            ("set image deploy/web web=nginx:1.28", 0, "image updated"),
            ("annotate deploy web kubernetes.io/change-cause=newer", 0, "annotated"),
            ("rollout status deploy/web --timeout=30s", 0, 'deployment "web" successfully rolled out'),
            ("rollout history deploy/web", 0, "1         <none>\n2         newer\n"),
            ("rollout history deploy/web --revision=1", 0, "nginx:1.27"),
            ("set image deploy/web web=ghcr.io/broken:9", 0, "image updated"),
            ("rollout status deploy/web --timeout=1s", 1, "timed out waiting for the condition"),
            ("get deploy web -o jsonpath={.status.availableReplicas}", 0, "2"),
            ("rollout undo deploy/web", 0, "deployment.apps/web rolled back"),
            ("rollout status deploy/web --timeout=30s", 0, "successfully rolled out"),
            ("get deploy web -o jsonpath={.spec.template.spec.containers[0].image}", 0, "nginx:1.28"),
            ("rollout undo deploy/web --to-revision=1", 0, "rolled back"),
            ("get deploy web -o jsonpath={.spec.template.spec.containers[0].image}", 0, "nginx:1.27"),
            ("rollout undo deploy/web --to-revision=77", 1, "unable to find specified revision 77 in history"),
            ("rollout pause deploy/web", 0, "deployment.apps/web paused"),
            ("rollout restart deploy/web", 1, "can't restart paused deployment"),
            ("rollout resume deploy/web", 0, "deployment.apps/web resumed"),
            ("rollout restart deploy/web", 0, "deployment.apps/web restarted"),
            ("rollout status deploy/web --timeout=30s", 0, "successfully rolled out"),
            ("rollout history deploy/web", 0, "4         newer\n5         <none>\n6         <none>\n"),
        ]
    )


@pytest.fixture
def talker(cluster: Any) -> Any:
    """A cluster with a pod of two containers; one of them talks, ends, and is started again."""
    script = "echo one; echo two >&2; sleep 0.5; echo three; exit 3"
    pod = {
        "containers": [
            {"name": "talks", "image": "busybox:1.36", "command": ["sh", "-c", script]},
            {"name": "waits", "image": "nginx:1.27"},
        ],
        "terminationGracePeriodSeconds": 1,
    }
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "talker"}, "spec": pod})
    restarts = '--for=jsonpath={.status.containerStatuses[?(@.name=="talks")].restartCount}'
    cluster.kubectl("wait", "pod/talker", f"{restarts}=1", "--timeout=20s")
    assert until(lambda: cluster.kubectl("logs", "talker", "-c", "talks"), 20, pause=0.2)
    return cluster


def test_logs(talker: Any) -> None:
    """Of a container now and before, the last lines, with times, of all that match."""
    talker.follow(
        [
            ("logs talker -c talks -p", 0, "one\ntwo\nthree\n"),
            ("logs talker -c talks -p --tail=1", 0, "three\n"),
            ("logs talker -c talks -p --timestamps --tail=1", 0, "Z three\n"),
            ("logs talker -c talks -p --limit-bytes=4", 0, "one\n"),
            ("logs talker", 0, 'Defaulted container "talks" out of: talks, waits'),
            ("logs talker --all-containers --prefix --since=1h", 0, "[pod/talker/talks] one"),
            ("logs talker -c waits -p", 1, 'previous terminated container "waits" in pod "talker" not found'),
            ("logs talker -c nobody", 1, "container nobody is not valid for pod talker"),
            ("logs nobody", 1, 'pods "nobody" not found'),
        ]
    )
    said = talker.run("kubectl", "-n", talker.namespace, "logs", "-f", "talker", "-c", "talks", "--tail=3")
    assert (said.code, said.out.splitlines()[-1]) == (0, "three")


def test_exec(web: Any) -> None:
    """A command in a pod: its output, its input, its exit code; what the image lacks is not found."""
    web.follow(
        [
            ("exec deploy/web -- sh -c 'echo color=$COLOR; exit 4'", 4, "color=red\n"),
            ("exec deploy/web -- hostname", 0, "web-"),
            ("exec deploy/web -- cat /nothing", 1, "No such file or directory"),
            ("exec deploy/web -- nonsense", 127, ""),
            ("exec deploy/api -- true", 1, 'deployments.apps "api" not found'),
        ]
    )
    said = web.run("kubectl", "-n", web.namespace, "exec", "-i", "deploy/web", "--", "cat", stdin="through\n")
    assert (said.code, said.out) == (0, "through\n")


def test_run(cluster: Any) -> None:
    """A pod from the command line that ends by itself, and is deleted at once."""
    cluster.follow(
        [
            ("run once --image=busybox:1.36 --restart=Never -- sh -c 'echo done; exit 2'", 0, "pod/once created"),
            ("wait pod/once --for=jsonpath={.status.phase}=Failed --timeout=20s", 0, "condition met"),
            ("logs once", 0, "done"),
            ("get pod once", 0, "Error"),
            ("delete pod once --now", 0, 'pod "once" deleted'),
        ]
    )


def test_top(web: Any) -> None:
    """What nodes, pods and containers use, once somebody serves metrics."""
    web.follow([("top pods", 1, "Metrics API not available")])
    with web.metrics():
        web.follow(
            [
                ("top nodes", 0, "node-a"),
                ("top pods --no-headers", 0, "1m    10Mi"),
                ("top pods --containers -l app=web --sum", 0, "web "),
                ("top pod nobody", 1, "not found"),
            ]
        )
    web.follow([("top pods", 1, "Metrics API not available")])


def test_claims_keep_what_was_written(cluster: Any) -> None:
    """A StatefulSet's pod finds its files again; its claims were bound without a complaint of the scheduler."""
    script = "test -f /data/seen && echo again || echo first; echo x > /data/seen; sleep infinity"
    mount = {"name": "data", "mountPath": "/data"}
    container = {"name": "db", "image": "busybox:1.36", "command": ["sh", "-c", script], "volumeMounts": [mount]}
    storage = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    spec = {
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
        },
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": storage}],
    }
    cluster.apply({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec})
    cluster.follow(
        [
            ("rollout status sts/db --timeout=30s", 0, "partitioned roll out complete"),
            ("get pvc data-db-0", 0, "Bound"),
            ("logs db-0", 0, "first\n"),
            ("delete pod db-0 --now", 0, "deleted"),
            ("rollout status sts/db --timeout=30s", 0, ""),
            ("wait pod/db-0 --for=condition=Ready --timeout=20s", 0, "condition met"),
            ("logs db-0", 0, "again\n"),
            ("delete sts db", 0, "deleted"),
            ("get pvc -o name", 0, "persistentvolumeclaim/data-db-0"),
        ]
    )
    assert yaml.safe_load(cluster.get("pvc data-db-0", ".spec.storageClassName")) == "gp3"
