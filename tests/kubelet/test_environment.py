"""The environment of containers, as tables."""

import base64
from typing import Any

import pytest

from hallmark.twin.kubelet.environment import BASE, ConfigError, Sources, expand, resolve, service_links

POD: dict[str, Any] = {
    "metadata": {
        "name": "web-0",
        "namespace": "shop",
        "uid": "u-1",
        "labels": {"app": "web"},
        "annotations": {"a/b": "c"},
    },
    "spec": {"nodeName": "n1", "serviceAccountName": "seller", "enableServiceLinks": False, "containers": []},
}
SECRETS = {"db": {"kind": "Secret", "data": {"user": base64.b64encode(b"ann").decode(), "empty": ""}}}
MAPS = {"conf": {"kind": "ConfigMap", "data": {"MODE": "fast", "LEVEL": "3"}}}
SOURCES = Sources(
    secret=SECRETS.get,
    config_map=MAPS.get,
    services=[],
    addresses={"status.podIP": "10.0.1.9", "status.hostIP": "10.0.1.5"},
    allocatable={"cpu": "8", "memory": "32Gi"},
)


def own(container: dict[str, Any]) -> dict[str, str]:
    """What a container gets besides the base."""
    found = resolve(POD, container, SOURCES)
    return {name: value for name, value in found.items() if name not in {*BASE, "HOSTNAME"}}


def reference(kind: str, name: str, key: str, **more: Any) -> dict[str, Any]:
    """A variable X that comes from a key."""
    return {"env": [{"name": "X", "valueFrom": {kind: {"name": name, "key": key, **more}}}]}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2$$(A)$(Z)"}]},
            {"A": "1", "B": "12$(A)$(Z)"},
        ),
        ({"env": [{"name": "A"}]}, {"A": ""}),
        (reference("secretKeyRef", "db", "user"), {"X": "ann"}),
        (reference("secretKeyRef", "db", "empty"), {"X": ""}),
        (reference("secretKeyRef", "db", "nope", optional=True), {}),
        (reference("secretKeyRef", "gone", "user", optional=True), {}),
        (reference("configMapKeyRef", "conf", "MODE"), {"X": "fast"}),
        ({"envFrom": [{"configMapRef": {"name": "conf"}}]}, {"MODE": "fast", "LEVEL": "3"}),
        ({"envFrom": [{"prefix": "P_", "secretRef": {"name": "db"}}]}, {"P_user": "ann", "P_empty": ""}),
        ({"envFrom": [{"secretRef": {"name": "gone", "optional": True}}]}, {}),
        (
            {"envFrom": [{"configMapRef": {"name": "conf"}}], "env": [{"name": "MODE", "value": "$(LEVEL)"}]},
            {"MODE": "3", "LEVEL": "3"},
        ),
    ],
)
def test_values(container: dict[str, Any], expected: dict[str, str]) -> None:
    """Literals, references, prefixes and expansion give what the documentation says."""
    assert own(container) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "web-0"),
        ("metadata.namespace", "shop"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['app']", "web"),
        ("metadata.annotations['a/b']", "c"),
        ("metadata.labels", 'app="web"'),
        ("status.podIP", "10.0.1.9"),
        ("status.hostIP", "10.0.1.5"),
        ("spec.nodeName", "n1"),
        ("spec.serviceAccountName", "seller"),
    ],
)
def test_fields(path: str, expected: str) -> None:
    """Each field of the downward API has its value."""
    assert own({"env": [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}]}) == {"X": expected}


@pytest.mark.parametrize(
    ("resource", "divisor", "expected"),
    [
        ("limits.memory", "1Mi", "512"),
        ("limits.cpu", "0", "2"),
        ("requests.cpu", "1m", "250"),
        ("limits.ephemeral-storage", "1", "0"),
    ],
)
def test_resources(resource: str, divisor: str, expected: str) -> None:
    """Limits and requests are counted in units of the divisor, rounded up."""
    container = {
        "name": "c",
        "resources": {"limits": {"memory": "512Mi", "cpu": "1500m"}, "requests": {"cpu": "250m"}},
        "env": [{"name": "X", "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": divisor}}}],
    }
    assert own(container) == {"X": expected}


def test_limits_fall_back_to_the_node() -> None:
    """A limit that is not set is what the node has."""
    variable = {"name": "X", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Gi"}}}
    assert own({"name": "c", "env": [variable]}) == {"X": "32"}


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (reference("secretKeyRef", "gone", "user"), 'secret "gone" not found'),
        (reference("secretKeyRef", "db", "pass"), "couldn't find key pass in Secret shop/db"),
        (reference("configMapKeyRef", "gone", "x"), 'configmap "gone" not found'),
        (reference("configMapKeyRef", "conf", "x"), "couldn't find key x in ConfigMap shop/conf"),
        ({"envFrom": [{"secretRef": {"name": "gone"}}]}, 'secret "gone" not found'),
        ({"envFrom": [{"configMapRef": {"name": "gone"}}]}, 'configmap "gone" not found'),
    ],
)
def test_what_is_missing(container: dict[str, Any], words: str) -> None:
    """What is missing is told in the kubelet's words."""
    with pytest.raises(ConfigError) as caught:
        resolve(POD, container, SOURCES)
    assert str(caught.value) == words


def test_service_links() -> None:
    """A Service gives variables in the manner of Docker links; a headless one gives none."""
    services = [
        {"metadata": {"name": "my-db"}, "spec": {"clusterIP": "172.20.0.7", "ports": [{"name": "pg", "port": 5432}]}},
        {"metadata": {"name": "quiet"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}},
    ]

    assert service_links(services) == {
        "MY_DB_SERVICE_HOST": "172.20.0.7",
        "MY_DB_SERVICE_PORT": "5432",
        "MY_DB_SERVICE_PORT_PG": "5432",
        "MY_DB_PORT": "tcp://172.20.0.7:5432",
        "MY_DB_PORT_5432_TCP": "tcp://172.20.0.7:5432",
        "MY_DB_PORT_5432_TCP_PROTO": "tcp",
        "MY_DB_PORT_5432_TCP_PORT": "5432",
        "MY_DB_PORT_5432_TCP_ADDR": "172.20.0.7",
    }


def test_own_variables_win_over_links() -> None:
    """A variable of the pod replaces the link of the same name, and can be made of links."""
    pod = {**POD, "spec": {**POD["spec"], "enableServiceLinks": True}}
    service = {"metadata": {"name": "api"}, "spec": {"clusterIP": "172.20.0.8", "ports": [{"port": 80}]}}
    sources = Sources(SECRETS.get, MAPS.get, [service], {}, {})
    env = [{"name": "API_PORT", "value": "81"}, {"name": "URL", "value": "http://$(API_SERVICE_HOST)"}]
    found = resolve(pod, {"env": env}, sources)

    assert (found["API_PORT"], found["URL"]) == ("81", "http://172.20.0.8")


def test_commands_are_expanded_alike() -> None:
    """Commands know the same references."""
    assert expand("--name=$(NAME) $(none) $$x", {"NAME": "a"}) == "--name=a $(none) $x"
