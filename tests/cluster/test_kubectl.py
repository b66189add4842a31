"""The real kubectl at work: what a person types, and what they read."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from hallmark.twin.cluster.client import Client

Json = dict[str, Any]
Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(kubectl: Kubectl, namespace: str) -> Callable[..., str]:
    """Runs a kubectl command that succeeds, in the test's namespace; returns what it prints."""

    def command(*arguments: str, stdin: str = "") -> str:
        finished = kubectl("-n", namespace, *arguments, stdin=stdin)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()

    return command


def test_apply_twice_changes_nothing(run: Callable[..., str], deployment: Json) -> None:
    """By the client and by the server; without a warning."""
    manifest = yaml.safe_dump(deployment)

    assert run("apply", "-f", "-", stdin=manifest) == "deployment.apps/web created"
    assert run("apply", "-f", "-", stdin=manifest) == "deployment.apps/web unchanged"
    before = run("get", "deployment", "web", "-o", "jsonpath={.metadata.resourceVersion}")
    assert run("diff", "-f", "-", stdin=manifest) == ""
    assert run("get", "deployment", "web", "-o", "jsonpath={.metadata.resourceVersion}") == before
    assert run("apply", "--server-side", "-f", "-", stdin=manifest) == "deployment.apps/web serverside-applied"


def test_apply_validates_strictly(kubectl: Kubectl, namespace: str, deployment: Json) -> None:
    """A typing error is found before it does harm."""
    deployment["spec"]["replica"] = 3

    finished = kubectl("-n", namespace, "apply", "-f", "-", stdin=yaml.safe_dump(deployment))

    assert finished.returncode == 1
    assert 'strict decoding error: unknown field "spec.replica"' in finished.stderr


def test_apply_takes_away_what_is_no_more_in_the_file(run: Callable[..., str], deployment: Json) -> None:
    """And keeps what others added."""
    deployment["metadata"]["labels"] = {"a": "1", "b": "2"}
    run("apply", "-f", "-", stdin=yaml.safe_dump(deployment))
    run("label", "deployment", "web", "c=3")
    deployment["metadata"]["labels"] = {"a": "1"}

    run("apply", "-f", "-", stdin=yaml.safe_dump(deployment))

    assert json.loads(run("get", "deployment", "web", "-o", "jsonpath={.metadata.labels}")) == {"a": "1", "c": "3"}


def test_explain_knows_custom_resources(run: Callable[..., str], widgets: Callable[..., Json]) -> None:
    """At once, from their schema."""
    size = {"type": "integer", "description": "How big it is."}
    definition = widgets({"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": size}}}})

    text = run("explain", f"widgets.{definition['spec']['group']}.spec.size")

    assert "FIELD: size <integer>" in text
    assert "How big it is." in text


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("create", "configmap", "c", "--from-literal=a=b"), "configmap/c"),
        (("create", "secret", "generic", "s", "--from-literal=a=b"), "secret/s"),
        (("create", "deployment", "d", "--image=nginx:1", "--replicas=2"), "deployment.apps/d"),
        (("create", "job", "j", "--image=busybox:1", "--", "true"), "job.batch/j"),
        (("create", "cronjob", "k", "--image=busybox:1", "--schedule=* * * * *"), "cronjob.batch/k"),
        (("create", "service", "clusterip", "v", "--tcp=80:8080"), "service/v"),
        (("create", "ingress", "i", "--rule=a.example.com/=v:80"), "ingress.networking.k8s.io/i"),
        (("create", "role", "r", "--verb=get", "--resource=pods"), "role.rbac.authorization.k8s.io/r"),
        (("create", "rolebinding", "b", "--role=r", "--user=u"), "rolebinding.rbac.authorization.k8s.io/b"),
        (("create", "serviceaccount", "a"), "serviceaccount/a"),
        (("create", "quota", "q", "--hard=pods=2"), "resourcequota/q"),
        (("create", "poddisruptionbudget", "p", "--selector=a=b", "--min-available=1"), "poddisruptionbudget.policy/p"),
        (("run", "o", "--image=busybox:1"), "pod/o"),
    ],
)
def test_create_sends_what_the_server_reads(run: Callable[..., str], command: tuple[str, ...], name: str) -> None:
    """In protobuf, and reads it again."""
    assert run(*command) == f"{name} created"

    assert run("get", name, "-o", "name") == name


def test_a_token_is_created(run: Callable[..., str]) -> None:
    """For a service account."""
    assert run("create", "token", "default", "--duration=1h").count(".") == 2


def test_tables_have_their_columns(run: Callable[..., str], deployment: Json) -> None:
    """The wide ones, too."""
    run("apply", "-f", "-", stdin=yaml.safe_dump(deployment))

    header, row = run("get", "deployment", "-o", "wide").splitlines()

    assert header.split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert row.split()[:4] == ["web", "0/2", "0", "0"]
    assert row.split()[5:] == ["web,side", "nginx:1,busybox:1", "app=web"]


def test_deletion_in_the_foreground_is_waited_for(
    run: Callable[..., str], client: Client, apps: str, deployment: Json
) -> None:
    """What is owned is gone, then."""
    run("apply", "-f", "-", stdin=yaml.safe_dump(deployment))
    uid = client.get(f"{apps}/deployments/web").body["metadata"]["uid"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": uid, "blockOwnerDeletion": True}
    spec = {key: value for key, value in deployment["spec"].items() if key != "replicas"}
    client.post(f"{apps}/replicasets", {"metadata": {"name": "web-1", "ownerReferences": [owner]}, "spec": spec})

    run("delete", "deployment", "web", "--cascade=foreground", "--timeout=10s")

    assert run("get", "deployments,replicasets", "-o", "name") == ""


def test_waiting_for_a_condition(run: Callable[..., str], widgets: Callable[..., Json]) -> None:
    """By a watch."""
    name = widgets()["metadata"]["name"]

    assert run("wait", "--for=condition=Established", f"crd/{name}", "--timeout=5s").endswith("condition met")


def test_replace(run: Callable[..., str]) -> None:
    """With what was read before."""
    run("create", "configmap", "c", "--from-literal=a=b")
    body = json.loads(run("get", "configmap", "c", "-o", "json"))
    body["data"] = {"x": "y"}

    assert run("replace", "-f", "-", stdin=json.dumps(body)) == "configmap/c replaced"
    assert run("get", "configmap", "c", "-o", "jsonpath={.data}") == '{"x":"y"}'


def test_auth(run: Callable[..., str]) -> None:
    """Who one is, and what one may do."""
    assert run("auth", "can-i", "delete", "nodes") == "yes"
    assert "kubernetes-admin" in run("auth", "whoami")
