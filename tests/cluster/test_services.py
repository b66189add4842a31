"""Services: addresses and ports are given once, kept, and free again."""

import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest

from hallmark.twin.cluster.client import Client

Json = dict[str, Any]

RANGE = ipaddress.ip_network("172.20.0.0/16")


@pytest.fixture
def path(client: Client, core: str) -> Iterator[str]:
    """Path of the test's Services; they are gone afterwards, so that their addresses are free."""
    yield f"{core}/services"
    client.delete(f"{core}/services")


def _service(name: str = "web", **spec: Any) -> Json:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}, **spec}}


def test_a_service_gets_an_address(client: Client, path: str) -> None:
    """Of the range of EKS, and keeps it when it is replaced by one without."""
    spec = client.post(path, _service()).body["spec"]

    assert ipaddress.ip_address(spec["clusterIP"]) in RANGE
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert (spec["type"], spec["ipFamilies"], spec["ipFamilyPolicy"]) == ("ClusterIP", ["IPv4"], "SingleStack")
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert client.put(f"{path}/web", _service()).body["spec"]["clusterIP"] == spec["clusterIP"]


def test_addresses_are_not_given_twice(client: Client, path: str) -> None:
    """One that is asked for is given if it is free and in range."""
    assert client.post(path, _service("a", clusterIP="172.20.0.99")).body["spec"]["clusterIP"] == "172.20.0.99"

    taken = client.post(path, _service("b", clusterIP="172.20.0.99"))
    outside = client.post(path, _service("b", clusterIP="10.0.0.1"))

    assert taken.code == 422
    assert "failed to allocate IP 172.20.0.99: provided IP is already allocated" in taken.body["message"]
    assert outside.code == 422
    assert "the provided network does not match the current range" in outside.body["message"]
    client.delete(f"{path}/a")
    assert client.post(path, _service("b", clusterIP="172.20.0.99")).code == 201


def test_headless_and_external_services_have_no_address(client: Client, path: str) -> None:
    """The one says None, the other nothing."""
    headless = client.post(path, _service("a", clusterIP="None")).body["spec"]
    external = client.post(path, _service("b", type="ExternalName", externalName="example.com")).body["spec"]

    assert (headless["clusterIP"], headless["clusterIPs"]) == ("None", ["None"])
    assert "clusterIP" not in external


def test_node_ports(client: Client, path: str) -> None:
    """They are given, kept, refused when taken or out of range, and given back."""
    spec = client.post(path, _service("a", type="NodePort")).body["spec"]
    port = spec["ports"][0]["nodePort"]
    assert 30000 <= port <= 32767

    kept = client.put(f"{path}/a", _service("a", type="NodePort")).body["spec"]["ports"][0]["nodePort"]
    taken = client.post(path, _service("b", type="NodePort", ports=[{"port": 80, "nodePort": port}]))
    outside = client.post(path, _service("b", type="NodePort", ports=[{"port": 80, "nodePort": 80}]))
    inside = client.patch(f"{path}/a", {"spec": {"type": "ClusterIP"}}).body["spec"]

    assert kept == port
    assert "spec.ports[0].nodePort: Invalid value: " in taken.body["message"]
    assert "provided port is already allocated" in taken.body["message"]
    assert "The range of valid ports is 30000-32767" in outside.body["message"]
    assert "nodePort" not in inside["ports"][0]
    assert client.post(path, _service("b", type="LoadBalancer", ports=[{"port": 80, "nodePort": port}])).code == 201


def test_a_service_can_become_external(client: Client, path: str) -> None:
    """It gives its address back."""
    client.post(path, _service("a", clusterIP="172.20.0.98"))

    spec = client.patch(f"{path}/a", {"spec": {"type": "ExternalName", "externalName": "example.com"}}).body["spec"]

    assert "clusterIP" not in spec
    assert client.post(path, _service("b", clusterIP="172.20.0.98")).code == 201


def test_the_servers_own_service(client: Client) -> None:
    """It is where pods expect it."""
    spec = client.get("/api/v1/namespaces/default/services/kubernetes").body["spec"]
    slices = client.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes").body

    assert (spec["clusterIP"], spec["ports"][0]["port"]) == ("172.20.0.1", 443)
    assert slices["ports"][0]["port"] == spec["ports"][0]["targetPort"]
