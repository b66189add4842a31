"""Discovery: the same resources in every document, and only those that are served."""

from collections.abc import Callable
from typing import Any

from hallmark.twin.cluster.client import Client

Json = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def test_both_kinds_of_discovery_agree(client: Client) -> None:
    """Group by group, resource by resource."""
    plain: dict[str, set[str]] = {}
    for group in client.get("/apis").body["groups"]:
        for version in group["versions"]:
            resources = client.get(f"/apis/{version['groupVersion']}").body["resources"]
            plain[version["groupVersion"]] = {one["name"] for one in resources if "/" not in one["name"]}

    items = client.get("/apis", Accept=AGGREGATED).body["items"]
    aggregated = {
        f"{item['metadata']['name']}/{version['version']}": {one["resource"] for one in version["resources"]}
        for item in items
        for version in item["versions"]
    }

    assert aggregated == plain
    assert plain["apps/v1"] >= {"deployments", "statefulsets", "daemonsets", "replicasets"}


def test_the_core_group_has_its_parts(client: Client) -> None:
    """With kinds of other groups where they belong."""
    resources = {one["name"]: one for one in client.get("/api/v1").body["resources"]}

    assert resources["pods"]["shortNames"] == ["po"]
    assert resources.keys() >= {
        "pods/log",
        "pods/exec",
        "pods/status",
        "pods/eviction",
        "namespaces/finalize",
        "services/proxy",
    }
    assert (resources["pods/eviction"]["group"], resources["pods/eviction"]["kind"]) == ("policy", "Eviction")
    assert client.get("/api/v1").body["groupVersion"] == "v1"
    assert client.get("/api").body["versions"] == ["v1"]


def test_documents_are_kept_by_their_tag(client: Client, widgets: Callable[..., Json]) -> None:
    """Until something else is served."""
    first = client.get("/openapi/v3/apis/apps/v1")
    again = client.get("/openapi/v3/apis/apps/v1", **{"If-None-Match": first.headers["ETag"]})
    index = client.get("/openapi/v3").body["paths"]
    groups = client.get("/apis", Accept=AGGREGATED)

    definition = widgets()

    assert (first.code, again.code, again.body) == (200, 304, "")
    assert client.get("/apis", Accept=AGGREGATED, **{"If-None-Match": groups.headers["ETag"]}).code == 200
    now = client.get("/openapi/v3").body["paths"]
    added = f"apis/{definition['spec']['group']}/v1"
    assert now.keys() - index.keys() == {added}
    assert now["apis/apps/v1"] == index["apis/apps/v1"]
    assert client.get(now[added]["serverRelativeURL"]).body["components"]["schemas"]


def test_every_group_has_a_document(client: Client) -> None:
    """And every resource a schema in it."""
    for name, place in client.get("/openapi/v3").body["paths"].items():
        document = client.get(place["serverRelativeURL"])
        assert (document.code, bool(document.body["paths"])) == (200, True), name


def test_everything_is_in_one_document_of_the_older_form(client: Client, widgets: Callable[..., Json]) -> None:
    """As JSON, and in the binary form that kubectl asks for by a name of old."""
    group = widgets()["spec"]["group"]
    asked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"

    document = client.get("/openapi/v2")
    binary = client.get("/openapi/v2", Accept=asked)

    assert (document.code, document.body["swagger"]) == (200, "2.0")
    assert f"{'.'.join(reversed(group.split('.')))}.v1.Widget" in document.body["definitions"]
    assert (binary.code, binary.headers["Content-Type"]) == (200, asked.replace("@", "."))


def test_metrics_are_there_when_somebody_registers_them(client: Client, namespace: str) -> None:
    """They are kept in memory, and told of only then."""
    services = "/apis/apiregistration.k8s.io/v1/apiservices"
    name = "v1beta1.metrics.k8s.io"
    spec = {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100}
    metrics = f"/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"
    usage = [{"name": "c", "usage": {"cpu": "1m", "memory": "1Mi"}}]

    def announced() -> bool:
        return "metrics.k8s.io" in [group["name"] for group in client.get("/apis").body["groups"]]

    client.post(services, {"metadata": {"name": name}, "spec": spec})
    before = announced()
    condition = {"type": "Available", "status": "True", "reason": "Passed", "message": "ok"}
    client.patch(f"{services}/{name}/status", {"status": {"conditions": [condition]}})
    after = announced()
    made = client.post(
        metrics, {"metadata": {"name": "p"}, "timestamp": "2026-01-01T00:00:00Z", "window": "15s", "containers": usage}
    )
    listed = client.get(metrics).body
    client.delete(f"{services}/{name}")

    assert (before, after, announced()) == (False, True, False)
    assert made.code == 201, made.body
    assert (listed["kind"], listed["items"][0]["containers"]) == ("PodMetricsList", usage)


def test_what_a_resource_cannot_do_is_refused(client: Client, core: str) -> None:
    """As not allowed."""
    answer = client.get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")

    assert (answer.code, answer.body["reason"]) == (405, "MethodNotAllowed")
    assert client.ask("POST", f"{core}/pods/x/status", {}).code == 405
