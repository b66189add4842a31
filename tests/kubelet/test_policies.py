"""NetworkPolicies: who may talk to whom, first as a table, then on a running cluster."""

import json
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest

from hallmark.twin.kubelet.fences import enables
from hallmark.twin.kubelet.policies import Port, Rules, Side
from hallmark.waiting import until

Json = dict[str, Any]
NAMESPACES = [
    {"metadata": {"name": "default", "labels": {"project": "ours"}}},
    {"metadata": {"name": "other", "labels": {"project": "myproject"}}},
]
KIND = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
POLICIES = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"


def side(ip: str, namespace: str = "default", **labels: str) -> Side:
    """A pod that serves the named port ``web`` at 8080."""
    metadata = {"name": ip, "namespace": namespace, "labels": labels}
    ports = [{"name": "web", "containerPort": 8080, "protocol": "TCP"}]
    return Side(ip, {"metadata": metadata, "spec": {"containers": [{"name": "c", "ports": ports}]}}, "10.0.1.5")


DATABASE = side("172.17.2.2", role="db")
FRONTEND, STRANGER = side("172.17.2.3", role="frontend"), side("172.17.2.4", role="none")
ABROAD, CLIENT_ABROAD = side("10.9.0.1", "other", role="none"), side("10.9.0.2", "other", role="client")
ADDRESS, EXCEPTED, FAR = Side("172.17.0.9"), Side("172.17.1.9"), Side("8.8.8.8")
NODE, OTHER_NODE, NOBODY = Side("10.0.1.5"), Side("10.0.2.5"), Side("")


def policy(select: Json | None = None, **spec: Any) -> Json:
    """A policy of the namespace default for pods with these labels; for all without any."""
    chosen = {"matchLabels": select} if select else {}
    return {"metadata": {"name": "p", "namespace": "default"}, "spec": {"podSelector": chosen, **spec}}


BLOCK = {"ipBlock": {"cidr": "172.17.0.0/16", "except": ["172.17.1.0/24"]}}
PROJECT = {"namespaceSelector": {"matchLabels": {"project": "myproject"}}}
EXAMPLE = policy(
    {"role": "db"},
    policyTypes=["Ingress", "Egress"],
    ingress=[
        {
            "from": [BLOCK, PROJECT, {"podSelector": {"matchLabels": {"role": "frontend"}}}],
            "ports": [{"protocol": "TCP", "port": 6379}],
        }
    ],
    egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/24"}}], "ports": [{"protocol": "TCP", "port": 5978}]}],
)
"""The first example of the documentation."""
DENY_IN, DENY_OUT = policy(policyTypes=["Ingress"]), policy(policyTypes=["Egress"])
ALLOW_IN, ALLOW_OUT = policy(policyTypes=["Ingress"], ingress=[{}]), policy(policyTypes=["Egress"], egress=[{}])
BOTH = policy(
    ingress=[{"from": [{**PROJECT, "podSelector": {"matchLabels": {"role": "client"}}}]}], policyTypes=["Ingress"]
)
RANGE = policy(policyTypes=["Egress"], egress=[{"ports": [{"protocol": "TCP", "port": 32000, "endPort": 32768}]}])
NAMED = policy(policyTypes=["Ingress"], ingress=[{"ports": [{"protocol": "TCP", "port": "web"}]}])
NAMED_OUT = policy({"role": "none"}, policyTypes=["Egress"], egress=[{"ports": [{"port": "web"}]}])
DNS_ONLY = policy(policyTypes=["Egress"], egress=[{"ports": [{"protocol": "UDP", "port": 53}]}])
ANY_PORT = policy(policyTypes=["Ingress"], ingress=[{"ports": [{"protocol": "TCP"}]}])
UNTYPED = policy(ingress=[])
UNTYPED_OUT = policy(egress=[{"to": [{"ipBlock": {"cidr": "8.0.0.0/8"}}]}])
EVERYWHERE = policy(policyTypes=["Ingress"], ingress=[{"from": [{"namespaceSelector": {}}]}])
NOT_IN = policy(
    policyTypes=["Ingress"],
    ingress=[
        {"from": [{"podSelector": {"matchExpressions": [{"key": "role", "operator": "NotIn", "values": ["none"]}]}}]}
    ],
)

CASES: dict[str, tuple[list[Json], Side, Side, int | Port, bool]] = {
    "nothing is isolated without policies": ([], STRANGER, DATABASE, 6379, True),
    "example, from the block": ([EXAMPLE], ADDRESS, DATABASE, 6379, True),
    "example, from the block's exception": ([EXAMPLE], EXCEPTED, DATABASE, 6379, False),
    "example, a pod's address is in the block, too": ([EXAMPLE], STRANGER, DATABASE, 6379, True),
    "example, from a namespace of the project": ([EXAMPLE], ABROAD, DATABASE, 6379, True),
    "example, from a frontend": ([EXAMPLE], FRONTEND, DATABASE, 6379, True),
    "example, from elsewhere": ([EXAMPLE], FAR, DATABASE, 6379, False),
    "example, on another port": ([EXAMPLE], FRONTEND, DATABASE, 6380, False),
    "example, out to the block": ([EXAMPLE], DATABASE, Side("10.0.0.7"), 5978, True),
    "example, out on another port": ([EXAMPLE], DATABASE, Side("10.0.0.7"), 5979, False),
    "example, out to elsewhere": ([EXAMPLE], DATABASE, FAR, 5978, False),
    "example, other pods are open": ([EXAMPLE], FRONTEND, STRANGER, 80, True),
    "deny all ingress": ([DENY_IN], FRONTEND, DATABASE, 80, False),
    "deny all ingress, egress is open": ([DENY_IN], FRONTEND, FAR, 80, True),
    "deny all ingress of one namespace only": ([DENY_IN], FRONTEND, ABROAD, 80, True),
    "deny all egress": ([DENY_OUT], FRONTEND, DATABASE, 80, False),
    "deny all egress, ingress from abroad is open": ([DENY_OUT], ABROAD, DATABASE, 80, True),
    "policies add up": ([DENY_IN, ALLOW_IN], FRONTEND, DATABASE, 80, True),
    "both sides must agree": ([ALLOW_OUT, DENY_IN], FRONTEND, DATABASE, 80, False),
    "namespace and pod, both fit": ([BOTH], CLIENT_ABROAD, DATABASE, 80, True),
    "namespace and pod, the pod does not fit": ([BOTH], ABROAD, DATABASE, 80, False),
    "namespace and pod, the namespace does not fit": ([BOTH], side("1.1.1.1", role="client"), DATABASE, 80, False),
    "range of ports, its end": ([RANGE], FRONTEND, FAR, 32768, True),
    "range of ports, past its end": ([RANGE], FRONTEND, FAR, 32769, False),
    "named port": ([NAMED], FRONTEND, DATABASE, 8080, True),
    "named port, another number": ([NAMED], FRONTEND, DATABASE, 8081, False),
    "named port of the other side, on the way out": ([NAMED_OUT], STRANGER, DATABASE, 8080, True),
    "named port, an address has none": ([NAMED_OUT], STRANGER, FAR, 8080, False),
    "protocol only": ([ANY_PORT], FRONTEND, DATABASE, 1, True),
    "UDP for DNS": ([DNS_ONLY], FRONTEND, ABROAD, Port(53, "UDP"), True),
    "not TCP": ([DNS_ONLY], FRONTEND, ABROAD, 53, False),
    "without types, ingress": ([UNTYPED], FRONTEND, DATABASE, 80, False),
    "without types and egress rules, egress is open": ([UNTYPED], FRONTEND, FAR, 80, True),
    "without types, egress rules count": ([UNTYPED_OUT], ABROAD, FAR, 80, True),
    "without types, egress rules deny the rest": ([UNTYPED_OUT], FRONTEND, Side("9.9.9.9"), 80, False),
    "any namespace means pods": ([EVERYWHERE], ABROAD, DATABASE, 80, True),
    "any namespace means no addresses": ([EVERYWHERE], FAR, DATABASE, 80, False),
    "an expression, fulfilled": ([NOT_IN], FRONTEND, DATABASE, 80, True),
    "an expression, not fulfilled": ([NOT_IN], STRANGER, DATABASE, 80, False),
    "to itself": ([DENY_IN, DENY_OUT], DATABASE, DATABASE, 80, True),
    "from its node": ([DENY_IN], NODE, DATABASE, 80, True),
    "from another node": ([DENY_IN], OTHER_NODE, DATABASE, 80, False),
    "a side without an address is in no block": ([UNTYPED_OUT], FRONTEND, NOBODY, 80, False),
}


@pytest.mark.parametrize("name", CASES)
def test_table(name: str) -> None:
    """The cases of the Kubernetes documentation, and their borders."""
    policies, source, target, port, passes = CASES[name]
    asked = port if isinstance(port, Port) else Port(port)
    assert Rules(policies, NAMESPACES).allow(source, target, asked) is passes


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ('{"enableNetworkPolicy": "true"}', True),
        ('{"enableNetworkPolicy": true}', True),
        ("enableNetworkPolicy: 'true'", True),
        ('{"enableNetworkPolicy": "false"}', False),
        ('{"env": {"enableNetworkPolicy": "true"}}', False),
        ("{", False),
        ("", False),
        (None, False),
    ],
)
def test_only_a_told_add_on_enforces(configuration: str | None, expected: bool) -> None:  # noqa: FBT001  (a column)
    """EKS: `enableNetworkPolicy`, off by default, in JSON or YAML."""
    assert enables(configuration) is expected


@pytest.fixture(scope="module")
def town_of_three(cluster: Any) -> Iterator[Any]:
    """A web server, a friend of it and a stranger; the last two on another node."""
    web = {"name": "c", "image": "nginx:1.27", "ports": [{"name": "web", "containerPort": 80}]}
    waits = {"name": "c", "image": "busybox:1.36", "command": ["sleep", "600"]}
    elsewhere = {"nodeName": "n2", "containers": [waits]}
    paths = [
        cluster.pod("server", {"containers": [web]}, labels={"app": "server"}),
        cluster.pod("friend", elsewhere, labels={"app": "friend"}),
        cluster.pod("stranger", elsewhere, labels={"app": "stranger"}),
    ]
    for path in paths:
        cluster.when(path, lambda pod: pod["status"].get("phase") == "Running")
    yield cluster
    for path in paths:
        cluster.call("DELETE", path)


@pytest.fixture
def town(town_of_three: Any) -> Iterator[Any]:
    """The three, without policies before and after."""
    yield town_of_three
    for each in town_of_three.get(POLICIES)["items"]:
        town_of_three.call("DELETE", f"{POLICIES}/{each['metadata']['name']}")


def test_a_policy_on_a_running_cluster(town: Any) -> None:
    """A policy shuts strangers out at once, lets its friends in, and is gone with its removal."""
    ip = town.get("/api/v1/namespaces/default/pods/server")["status"]["podIP"]

    def says(pod: str) -> str:
        return str(town.exec(pod, "nc", "-z", "-v", ip, "80")[2])

    assert until(lambda: "open" in says("stranger"), 10)
    spec = {
        "podSelector": {"matchLabels": {"app": "server"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "friend"}}}], "ports": [{"port": "web"}]}],
    }
    metadata = {"name": "friends"}
    town.create(
        POLICIES, {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
    )
    assert until(lambda: "timed out" in says("stranger"), 10)
    assert "open" in says("friend")
    assert "Welcome" in town.exec("server", "curl", "-s", f"http://{ip}/")[1]

    town.merge("/api/v1/namespaces/default/pods/stranger", {"metadata": {"labels": {"app": "friend"}}})
    assert until(lambda: "open" in says("stranger"), 10)
    town.merge("/api/v1/namespaces/default/pods/stranger", {"metadata": {"labels": {"app": "stranger"}}})
    assert until(lambda: "timed out" in says("stranger"), 10)
    town.call("DELETE", f"{POLICIES}/friends")
    assert until(lambda: "open" in says("stranger"), 10)


def test_a_policy_that_forgets_dns(town: Any) -> None:
    """Egress without a rule for port 53 of UDP: no name is found any more, as in every cluster."""
    services = "/api/v1/namespaces/kube-system/services"
    pods = "/api/v1/namespaces/kube-system/pods"
    made = town.create(
        pods,
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "dns"},
            "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "nginx:1.27"}]},
        },
    )  # fmt: skip
    dns = town.when(f"{pods}/dns", lambda pod: pod["status"].get("podIP"))
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns"}, "spec": {"ports": ports}}
    town.create(services, service)
    slices = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
    target = {"kind": "Pod", "name": "dns", "namespace": "kube-system", "uid": made["metadata"]["uid"]}
    endpoint = {"addresses": [dns["status"]["podIP"]], "conditions": {"ready": True}, "targetRef": target}
    town.create(
        slices,
        {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": ports,
            "metadata": {"name": "kube-dns", "labels": {"kubernetes.io/service-name": "kube-dns"}},
            "endpoints": [endpoint],
        },
    )  # fmt: skip
    try:
        assert until(lambda: town.exec("friend", "nslookup", "kubernetes.default")[0] == 0, 10)
        spec = {"podSelector": {"matchLabels": {"app": "friend"}}, "policyTypes": ["Egress"], "egress": []}
        town.create(POLICIES, {**KIND, "metadata": {"name": "out"}, "spec": spec})
        assert until(lambda: town.exec("friend", "nslookup", "kubernetes.default")[0] != 0, 10)
        assert town.exec("stranger", "nslookup", "kubernetes.default")[0] == 0
        rule = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}
        town.merge(f"{POLICIES}/out", {"spec": {"egress": [rule]}})
        assert until(lambda: town.exec("friend", "nslookup", "kubernetes.default")[0] == 0, 10)
    finally:
        town.call("DELETE", f"{services}/kube-dns")
        town.call("DELETE", f"{slices}/kube-dns")
        town.call("DELETE", f"{pods}/dns")


def test_load_balancers_and_the_api(town: Any) -> None:
    """Who is no pod is let in by address alone: the kubelet says so of load balancers, the API's proxy times out."""
    ip = town.get("/api/v1/namespaces/default/pods/server")["status"]["podIP"]
    proxy = "/api/v1/namespaces/default/pods/server:80/proxy/"

    def closed() -> Json:
        found: Json = json.loads(town.ask("GET", "/addresses?source=10.9.0.254&source=10.9.1.254"))[ip]["closed"]
        return found

    assert (closed(), "Welcome" in town.call("GET", proxy)) == ({}, True)
    spec = {
        "podSelector": {"matchLabels": {"app": "server"}},
        "ingress": [{"from": [{"podSelector": {}}, {"ipBlock": {"cidr": "10.9.0.0/24"}}]}],
    }
    town.create(POLICIES, {**KIND, "metadata": {"name": "in"}, "spec": spec})
    assert until(lambda: closed() == {"10.9.0.254": [], "10.9.1.254": [80]}, 10)
    with pytest.raises(urllib.error.HTTPError) as caught:
        town.call("GET", proxy)
    with caught.value as error:
        told = json.load(error)
    assert (told["kind"], told["reason"], told["code"]) == ("Status", "ServiceUnavailable", 503)
    assert told["message"] == f"error trying to reach service: dial tcp {ip}:80: i/o timeout"

    town.merge(f"{POLICIES}/in", {"spec": {"ingress": [{}]}})
    assert until(lambda: closed() == {"10.9.0.254": [], "10.9.1.254": []}, 10)
    assert "Welcome" in town.call("GET", proxy)


def test_probes_pass_whatever_policies_say(town: Any) -> None:
    """The kubelet is the pod's node, whose traffic always passes."""
    web = {"name": "c", "image": "nginx:1.27", "readinessProbe": {"httpGet": {"port": 80, "path": "/"}}}
    town.create(POLICIES, {**KIND, "metadata": {"name": "in"}, "spec": {"podSelector": {}, "ingress": []}})
    path = town.pod("probed", {"containers": [web]})
    try:
        town.when(path, lambda pod: pod["status"].get("containerStatuses", [{}])[0].get("ready"))
    finally:
        town.call("DELETE", path)
