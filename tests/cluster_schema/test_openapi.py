"""OpenAPI v3 documents, as kubectl reads them."""

from dataclasses import dataclass, field
from typing import Any

from hallmark.twin.cluster.schema import definitions, openapi
from hallmark.twin.cluster.schema.definitions import Schema

Json = dict[str, Any]


@dataclass(frozen=True)
class Served:
    """A resource that is served."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    schema: Schema | None
    subresources: dict[str, Any] = field(default_factory=dict)


DEPLOYMENTS = Served(
    "apps", "v1", "deployments", "Deployment", True, definitions.builtin("apps", "v1", "Deployment"), {"status": {}}  # noqa: FBT003 - a record
)  # fmt: skip
KIND = {"group": "apps", "version": "v1", "kind": "Deployment"}


def references(value: Any) -> set[str]:
    """All references of a document."""
    if isinstance(value, list):
        return {name for each in value for name in references(each)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own | {name for each in value.values() for name in references(each)}


def test_document_is_closed() -> None:
    """Each reference leads to a schema of the document."""
    document = openapi.document([DEPLOYMENTS])
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= schemas
    assert "#/components/schemas/io.k8s.api.core.v1.PodSpec" in schemas


def test_built_in_kind() -> None:
    """Explain and apply find kind, descriptions, merge keys and enumerations; what is ours alone is left out."""
    schemas = openapi.document([DEPLOYMENTS])["components"]["schemas"]
    deployment = schemas["io.k8s.api.apps.v1.Deployment"]
    assert deployment["x-kubernetes-group-version-kind"] == [KIND]
    assert deployment["properties"]["spec"] == {
        "allOf": [{"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"}],
        "default": {},
        "description": "Specification of the desired behavior of the Deployment.",
    }
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    policy = schemas["io.k8s.api.core.v1.Container"]["properties"]["imagePullPolicy"]
    assert policy["enum"] == ["Always", "IfNotPresent", "Never"]
    assert not {"x-zero", "x-go"} & policy.keys()


def test_operations_of_a_resource() -> None:
    """A patch says which kind it is for and that it takes validation and dry runs; kubectl asks for that."""
    paths = openapi.document([DEPLOYMENTS])["paths"]
    root = "/apis/apps/v1/namespaces/{namespace}/deployments"
    assert list(paths) == [root, f"{root}/{{name}}", f"{root}/{{name}}/status"]
    patch = paths[f"{root}/{{name}}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == KIND
    assert [each["name"] for each in patch["parameters"]] == ["fieldManager", "fieldValidation", "dryRun"]
    assert paths[root]["get"]["x-kubernetes-action"] == "list"


def test_custom_resource() -> None:
    """A custom resource has its own schema, a list, and a name in reverse order."""
    schema = definitions.custom({"type": "object", "properties": {"spec": {"type": "object", "description": "d"}}})
    document = openapi.document([Served("example.com", "v1", "things", "Thing", False, schema)])  # noqa: FBT003 - a record
    schemas = document["components"]["schemas"]
    assert schemas["com.example.v1.Thing"]["properties"]["spec"] == {"type": "object", "description": "d"}
    assert schemas["com.example.v1.ThingList"]["properties"]["items"]["items"] == {
        "$ref": "#/components/schemas/com.example.v1.Thing"
    }
    assert list(document["paths"]) == ["/apis/example.com/v1/things", "/apis/example.com/v1/things/{name}"]
    media = document["paths"]["/apis/example.com/v1/things/{name}"]["patch"]["requestBody"]["content"]
    assert "application/strategic-merge-patch+json" not in media  # kubectl apply would send it
    assert references(document) <= {f"#/components/schemas/{name}" for name in schemas}


def test_core_group_has_its_own_root() -> None:
    """Paths of the core group begin with /api."""
    pods = Served("", "v1", "pods", "Pod", True, definitions.builtin("", "v1", "Pod"))  # noqa: FBT003 - a record
    assert next(iter(openapi.document([pods])["paths"])) == "/api/v1/namespaces/{namespace}/pods"


def test_resource_without_a_schema() -> None:
    """What nothing is known about has paths and no schema."""
    document = openapi.document([Served("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", True, None)])  # noqa: FBT003 - a record
    names = ("DeleteOptions", "Preconditions", "Patch", "Status", "ListMeta", "StatusDetails", "StatusCause")
    assert set(document["components"]["schemas"]) == {f"io.k8s.apimachinery.pkg.apis.meta.v1.{name}" for name in names}
