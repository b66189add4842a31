"""What is there: kubectl's explain, get in all its forms, watches, events and waits."""

import json
import subprocess
from typing import Any

import pytest

from hallmark.waiting import until


@pytest.mark.parametrize(
    ("what", "piece"),
    [
        ("pod", "KIND:       Pod\nVERSION:    v1"),
        ("deployment.spec.replicas", "FIELD: replicas <integer>"),
        ("ingress.spec.rules --recursive", "\tservice\t<IngressServiceBackend>".strip()),
        ("hpa.spec --api-version=autoscaling/v2", "metrics\t<[]MetricSpec>"),
        ("deployment.spec.replicas --output=plaintext-openapiv2", "FIELD:    replicas <integer>"),
    ],
)
def test_explain(cluster: Any, what: str, piece: str) -> None:
    """Kinds and fields are explained, from OpenAPI v3 and from v2."""
    assert piece in cluster.kubectl("explain", *what.split())


def test_what_is_served(cluster: Any) -> None:
    """Versions, resources and where the cluster is."""
    cluster.follow(
        [
            ("version", 0, "Server Version: v1.35.2"),
            ("cluster-info", 0, "Kubernetes control plane"),
            ("api-versions", 0, "apps/v1\n"),
            ("api-resources --namespaced=false", 0, "persistentvolumes"),
            ("api-resources --api-group=apps -o name", 0, "statefulsets.apps"),
            ("get --raw /readyz", 0, "ok"),
            ("auth whoami", 0, "kubernetes-admin"),
            ("auth can-i --list", 0, "*.*"),
            ("get nothings", 1, 'the server doesn\'t have a resource type "nothings"'),
        ]
    )


def test_get_in_all_forms(web: Any) -> None:
    """Tables, documents, templates, columns; sorted, labelled, selected."""
    web.follow(
        [
            ("get deploy web", 0, "NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    2/2     2            2"),
            ("get deploy web -o wide", 0, "CONTAINERS   IMAGES       SELECTOR"),
            ("get deploy,svc -o name", 0, "deployment.apps/web\nservice/web\n"),
            ("get deploy web -o yaml", 0, "\nkind: Deployment\n"),
            ("get deploy web -o json", 0, '"kind": "Deployment"'),
            ("get deploy web -o jsonpath={.spec.template.spec.containers[*].image}", 0, "nginx:1.27"),
            ("get deploy web -o jsonpath-as-json={.spec.replicas}", 0, "[\n    2\n]"),
            ("get deploy web -o go-template={{.spec.replicas}}", 0, "2"),
            ("get deploy -o custom-columns=N:.metadata.name,R:.spec.replicas", 0, "N     R\nweb   2\n"),
            ("get deploy web --no-headers", 0, "web   2/2"),
            ("get pods --show-labels", 0, "app=web,pod-template-hash="),
            ("get pods -L app", 0, "APP\n"),
            ("get pods -l app=web --sort-by=.metadata.name -o name", 0, "pod/web-"),
            ("get pods -l app!=web", 0, "No resources found"),
            ("get pods -l 'app in (web,api)' -o name", 0, "pod/web-"),
            ("get pods --field-selector=status.phase=Running -o name", 0, "pod/web-"),
            ("get pods --field-selector=status.phase=Failed", 0, "No resources found"),
            ("get pods -A --chunk-size=1 -o name", 0, "pod/web-"),
            ("get all", 0, "replicaset.apps/web-"),
            ("get deploy web --show-managed-fields -o yaml", 0, "manager: kubectl-client-side-apply"),
            ("get deploy web --subresource=status -o name", 0, "deployment.apps/web"),
            ("get deploy web --subresource=scale -o jsonpath={.kind}", 0, "Scale"),
            ("get deploy api", 1, 'Error from server (NotFound): deployments.apps "api" not found'),
            ("get deploy api --ignore-not-found", 0, ""),
        ]
    )


def test_a_watch_tells_what_happens(web: Any) -> None:
    """What is there first, then each change; the watch goes on until it is told to stop."""
    command = [*web.program("kubectl"), "-n", web.namespace, "get", "deploy", "web", "-w", "--output-watch-events"]
    with subprocess.Popen(command, env=web.environment, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout
        lines = iter(watching.stdout.readline, "")
        head, first = next(lines), next(lines)
        web.kubectl("annotate", "deploy", "web", "note=1")
        second = next(lines)
        web.kubectl("delete", "deploy", "web", "--wait=false")
        last = next(line for line in lines if line.startswith("DELETED"))
        assert watching.poll() is None
        watching.terminate()

    assert head.split() == ["EVENT", "NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert [line.split()[:3] for line in (first, second, last)] == [
        ["ADDED", "web", "2/2"],
        ["MODIFIED", "web", "2/2"],
        ["DELETED", "web", "2/2"],
    ]


def test_events(web: Any) -> None:
    """Both commands tell what happened, and of one object alone."""
    web.follow(
        [
            ("get events", 0, "Scaled up replica set web-"),
            ("get events --field-selector=reason=Started", 0, "Started container web"),
            ("get events --field-selector=type=Warning,reason=Started", 0, "No resources found"),
            ("events --for=deployment/web", 0, "ScalingReplicaSet"),
            ("events --types=Normal", 0, "Successfully assigned"),
            ("get events -o wide --sort-by=.lastTimestamp", 0, "deployment-controller"),
        ]
    )
    told = {each["reason"] for each in json.loads(web.kubectl("get", "events", "-o", "json"))["items"]}
    expected = {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Pulled", "Created", "Started"}
    assert expected <= told


def test_waits_end_by_what_happens(web: Any) -> None:
    """A condition, a field, a deletion, a creation; or by their deadline, with exit code 1."""
    web.follow(
        [
            ("wait deploy/web --for=condition=Available --timeout=10s", 0, "deployment.apps/web condition met"),
            ("wait pod -l app=web --for=condition=Ready --timeout=10s", 0, "condition met"),
            ("wait deploy/web --for=jsonpath={.status.readyReplicas}=2 --timeout=10s", 0, "condition met"),
            ("wait deploy/web --for=condition=Nonsense --timeout=100ms", 1, "timed out waiting for the condition"),
            ("wait deploy/web --for=delete --timeout=100ms", 1, "timed out waiting for the condition"),
            ("wait deploy/api --for=condition=Available", 1, 'deployments.apps "api" not found'),
            ("delete deploy web --wait=false", 0, 'deployment.apps "web" deleted'),
            ("wait pod -l app=web --for=delete --timeout=20s", 0, ""),
        ]
    )
    command = [*web.program("kubectl"), "-n", web.namespace, "wait", "cm/late", "--for=create", "--timeout=20s"]
    with subprocess.Popen(command, env=web.environment, stdout=subprocess.PIPE, text=True) as waiting:
        web.kubectl("create", "configmap", "late")
        assert until(lambda: waiting.poll() is not None, 20)
        assert (waiting.returncode, waiting.communicate()[0]) == (0, "configmap/late condition met\n")
