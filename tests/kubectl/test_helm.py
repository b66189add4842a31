"""Helm against the whole cluster: a release from its first installation to its end, with pods that really get ready."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

Helm = Callable[..., str]
BROKEN = ("--set", "tag=0.0")


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A chart of a web server, its service, and a Job that runs before an upgrade."""
    folder = tmp_path_factory.mktemp("charts") / "shop"
    for name, content in CHART.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return str(folder)


@pytest.fixture
def helm(cluster: Any) -> Helm:
    """Runs a command that succeeds; returns what it printed."""

    def run(*words: str) -> str:
        said = cluster.helm(*words)
        assert said.code == 0, (words, said)
        return str(said.out)

    return run


@pytest.fixture
def shop(cluster: Any, helm: Helm, chart: str) -> Any:
    """A cluster with the release ``shop``, whose pods are ready."""
    helm("install", "shop", chart, "--wait", "--timeout", "60s")
    assert cluster.get("deploy shop", ".status.readyReplicas") == "2"
    return cluster


def revisions(helm: Helm) -> list[tuple[int, str, str]]:
    """The history of the release: revision, status and the beginning of what happened."""
    told = json.loads(helm("history", "shop", "-o", "json"))
    return [(each["revision"], each["status"], each["description"].partition(":")[0]) for each in told]


def test_a_chart_without_a_cluster(cluster: Any, helm: Helm, chart: str) -> None:
    """It is rendered and looked over; a value that is required is asked for."""
    rendered = [each for each in yaml.safe_load_all(helm("template", "shop", chart, "--set", "replicas=3")) if each]
    missing = cluster.helm("template", "shop", chart, "--set", "tag=")

    assert [each["kind"] for each in rendered] == ["Service", "Deployment", "Job"]
    assert rendered[1]["spec"]["replicas"] == 3
    assert "1 chart(s) linted, 0 chart(s) failed" in helm("lint", chart)
    assert (missing.code, "a tag is required" in missing.err) == (1, True)


def test_the_life_of_a_release(shop: Any, helm: Helm, chart: str) -> None:
    """Install, upgrade with a hook, a failed upgrade that keeps the old pods, one that is undone, back, and away."""
    assert helm("upgrade", "shop", chart, "--wait", "--set", "tag=1.28").startswith('Release "shop" has been upgraded.')
    assert shop.get("pods -l app=shop", ".items[*].spec.containers[0].image") == "nginx:1.28 nginx:1.28"
    assert shop.kubectl("logs", "job/shop-prepare") == "prepared"

    failed = shop.helm("upgrade", "shop", chart, "--wait", "--timeout", "4s", *BROKEN)
    assert (failed.code, "Error: UPGRADE FAILED:" in failed.err) == (1, True)
    assert shop.get("deploy shop", ".status.availableReplicas") == "2"

    undone = shop.helm("upgrade", "shop", chart, "--rollback-on-failure", "--timeout", "4s", *BROKEN)
    assert (undone.code, "Error: UPGRADE FAILED:" in undone.err) == (1, True)
    assert shop.get("deploy shop", ".spec.template.spec.containers[0].image") == "nginx:1.28"

    assert helm("rollback", "shop", "1", "--wait") == "Rollback was a success! Happy Helming!\n"
    assert shop.get("pods -l app=shop", ".items[0].spec.containers[0].image") == "nginx:1.27"
    assert revisions(helm) == [
        (1, "superseded", "Install complete"),
        (2, "superseded", "Upgrade complete"),
        (3, "failed", 'Upgrade "shop" failed'),
        (4, "failed", 'Upgrade "shop" failed'),
        (5, "superseded", "Rollback to 2"),
        (6, "deployed", "Rollback to 1"),
    ]
    assert helm("uninstall", "shop", "--wait") == 'release "shop" uninstalled\n'
    assert shop.kubectl("get", "deploy,svc,secrets", "-o", "name") == ""
    assert shop.kubectl("get", "jobs", "-o", "name") == "job.batch/shop-prepare"  # what hooks made is nobody's


def test_values_are_kept_for_each_revision(shop: Any, helm: Helm, chart: str) -> None:
    """The person's own, and all of them."""
    helm("upgrade", "shop", chart, "--set", "replicas=1")

    assert helm("get", "values", "shop") == "USER-SUPPLIED VALUES:\nreplicas: 1\n"
    assert helm("get", "values", "shop", "--revision", "1") == "USER-SUPPLIED VALUES:\nnull\n"
    assert json.loads(helm("get", "values", "shop", "--all", "-o", "json")) == {"replicas": 1, "tag": "1.27"}
    assert shop.get("deploy shop", ".spec.replicas") == "1"


def test_a_release_is_a_secret_in_helms_format(shop: Any) -> None:
    """JSON, gzip, base64, and base64 once more as every Secret's data; found by its labels."""
    name = "sh.helm.release.v1.shop.v1"
    secret = json.loads(shop.kubectl("get", "secret", "-l", "owner=helm,name=shop", "-o", "json"))["items"][0]
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))

    labels = secret["metadata"]["labels"]
    assert (secret["metadata"]["name"], secret["type"]) == (name, "helm.sh/release.v1")
    assert labels.pop("modifiedAt", "").isdigit() or "createdAt" in labels
    assert labels.items() >= {"name": "shop", "owner": "helm", "status": "deployed", "version": "1"}.items()
    assert (release["name"], release["namespace"], release["version"]) == ("shop", shop.namespace, 1)
    assert release["info"]["status"] == "deployed"
    assert release["chart"]["metadata"]["name"] == "shop"
    assert [each["kind"] for each in yaml.safe_load_all(release["manifest"]) if each] == ["Service", "Deployment"]
    assert [each["name"] for each in release["hooks"]] == ["shop-prepare"]


def test_a_change_behind_helms_back_is_a_conflict(shop: Any, chart: str) -> None:
    """Helm applies by the server: a field that somebody else has set since is not Helm's to change."""
    shop.kubectl("set", "image", "deploy/shop", "shop=nginx:1.26")

    said = shop.helm("upgrade", "shop", chart, "--set", "tag=1.28")

    assert said.code == 1
    assert 'conflict with "kubectl-set"' in said.err
    assert '.spec.template.spec.containers[name="shop"].image' in said.err
    assert shop.get("deploy shop", ".spec.template.spec.containers[0].image") == "nginx:1.26"


CHART = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.2.3\nappVersion: '9'\n",
    "values.yaml": "tag: '1.27'\nreplicas: 2\n",
    "templates/shop.yaml": """
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: shop
          image: "nginx:{{ required "a tag is required" .Values.tag }}"
          readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-prepare
  annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: before-hook-creation}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: prepare, image: "busybox:1.36", command: [echo, prepared]}]}
""",
}
