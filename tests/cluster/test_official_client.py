"""The official Python client at work: what graders and learners' scripts use."""

import threading
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from hallmark.twin.cluster.bench import Server

Json = dict[str, Any]

# Its functions have no types.
official: Any = import_module("kubernetes.client")
config: Any = import_module("kubernetes.config")
dynamic: Any = import_module("kubernetes.dynamic")
watch: Any = import_module("kubernetes.watch")


@pytest.fixture
def api(server: Server) -> Iterator[Any]:
    """A client of the official library."""
    with config.new_client_from_config(str(server.state / "kubeconfig")) as one:
        yield one


def test_typed_objects_go_there_and_back(api: Any, namespace: str, deployment: Json) -> None:
    """Created, scaled, patched, replaced and deleted."""
    apps = official.AppsV1Api(api)
    created = apps.create_namespaced_deployment(namespace, deployment)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:2"}]}}}}

    patched = apps.patch_namespaced_deployment("web", namespace, change)
    scaled = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 4}})
    present = apps.read_namespaced_deployment("web", namespace)
    present.metadata.annotations = {"a": "b"}
    replaced = apps.replace_namespaced_deployment("web", namespace, present)

    assert created.spec.strategy.rolling_update.max_surge == "25%"
    assert [one.image for one in patched.spec.template.spec.containers] == ["nginx:2", "busybox:1"]
    assert (scaled.spec.replicas, present.spec.replicas) == (4, 4)
    assert replaced.metadata.annotations == {"a": "b"}
    apps.delete_namespaced_deployment("web", namespace, propagation_policy="Background")
    assert apps.list_namespaced_deployment(namespace).items == []


def test_refusals_are_exceptions_of_their_kind(api: Any, namespace: str) -> None:
    """With the status code."""
    core = official.CoreV1Api(api)
    core.create_namespaced_secret(namespace, {"metadata": {"name": "s"}, "stringData": {"k": "v"}})

    with pytest.raises(official.ApiException) as twice:
        core.create_namespaced_secret(namespace, {"metadata": {"name": "s"}})
    with pytest.raises(official.ApiException) as missing:
        core.read_namespaced_secret("nope", namespace)

    assert (twice.value.status, missing.value.status) == (409, 404)
    assert core.read_namespaced_secret("s", namespace).data == {"k": "dg=="}


def test_a_watch_is_a_stream(api: Any, namespace: str) -> None:
    """What is made while it runs comes through."""
    core = official.CoreV1Api(api)
    body = {"metadata": {"name": "late"}, "data": {}}
    timer = threading.Timer(0.2, lambda: core.create_namespaced_config_map(namespace, body))
    timer.start()
    stream = watch.Watch()
    seen = []

    for event in stream.stream(core.list_namespaced_config_map, namespace, timeout_seconds=10):
        seen.append((event["type"], event["object"].metadata.name))
        if event["object"].metadata.name == "late":
            stream.stop()
    timer.join()

    assert seen == [("ADDED", "kube-root-ca.crt"), ("ADDED", "late")]


def test_the_dynamic_client_finds_its_way(api: Any, namespace: str) -> None:
    """By discovery; it applies on the server's side."""
    resource = dynamic.DynamicClient(api).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"x": "y"}}

    applied = resource.server_side_apply(body=body, namespace=namespace, name="c", field_manager="me")

    assert applied.metadata.managedFields[0].manager == "me"
    assert [one.metadata.name for one in resource.get(namespace=namespace).items] == ["c", "kube-root-ca.crt"]
