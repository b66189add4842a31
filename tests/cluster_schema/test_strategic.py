"""Strategic merge patches.

Source: Kubernetes documentation, "Update API Objects in Place Using kubectl patch", and the design document
"Strategic Merge Patch" with its directives.
"""

from collections.abc import Callable
from typing import Any

import pytest

from hallmark.twin.cluster.schema import definitions, patches
from hallmark.twin.cluster.schema.definitions import Schema
from hallmark.twin.cluster.schema.patches import BadPatch

Json = dict[str, Any]
Make = Callable[..., Json]


def patched(deployments: Schema, pod: Json, change: Json) -> Json:
    """The pod of a Deployment's template, after a patch of it."""
    obj = {"spec": {"template": {"spec": pod}}}
    result = patches.strategic(obj, {"spec": {"template": {"spec": change}}}, deployments)
    found: Json = result["spec"]["template"]["spec"]
    return found


def test_the_sidecar_is_kept(deployments: Schema, deployment: Make) -> None:
    """A patch of one container leaves the other one, and all it does not name."""
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:2"}]}}}}
    before = deployment()
    after = patches.strategic(before, change, deployments)
    web, side = after["spec"]["template"]["spec"]["containers"]
    assert (web["image"], web["env"]) == ("nginx:2", [{"name": "A", "value": "1"}])
    assert side == before["spec"]["template"]["spec"]["containers"][1]


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ([{"name": "a"}], [{"name": "b"}], [{"name": "b"}, {"name": "a"}]),
        ([{"name": "a"}, {"name": "b"}], [{"name": "a", "$patch": "delete"}], [{"name": "b"}]),
        ([{"name": "a"}, {"name": "b"}], [{"$patch": "replace"}, {"name": "c"}], [{"name": "c"}]),
        ([{"name": "a"}], [{"$patch": "replace"}], []),
        ([{"name": "a", "image": "x"}], [{"name": "a", "image": None}], [{"name": "a"}]),
        (
            [{"name": "a", "image": "x", "tty": True}],
            [{"name": "a", "$patch": "merge", "image": "y"}],
            [{"name": "a", "image": "y", "tty": True}],
        ),
    ],
)
def test_lists_with_a_key(deployments: Schema, before: list[Json], change: list[Json], after: list[Json]) -> None:
    """Items are found by their key; a directive deletes one or replaces all."""
    assert patched(deployments, {"containers": before}, {"containers": change}) == {"containers": after}


def test_order_of_elements(deployments: Schema) -> None:
    """The order a client asks for holds for its items; those it does not know stay where they were."""
    before = [{"name": "a"}, {"name": "b"}, {"name": "server"}, {"name": "c"}]
    change = {
        "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}, {"name": "new"}],
        "containers": [{"name": "new"}, {"name": "b", "$patch": "delete"}],
    }
    after = patched(deployments, {"containers": before}, change)["containers"]
    assert [each["name"] for each in after] == ["server", "c", "a", "new"]


def test_retained_keys(deployments: Schema) -> None:
    """Of a union only the fields in $retainKeys are left."""
    before = {"volumes": [{"name": "v", "emptyDir": {}}], "strategy": 1}
    change = {"volumes": [{"name": "v", "secret": {"secretName": "s"}, "$retainKeys": ["name", "secret"]}]}
    assert patched(deployments, before, change)["volumes"] == [{"name": "v", "secret": {"secretName": "s"}}]
    obj = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert patches.strategic(obj, patch, deployments) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_primitive_lists(deployments: Schema) -> None:
    """Items of a list of texts are added once, and deleted by a directive."""
    obj = {"metadata": {"finalizers": ["a", "b", "c"]}}
    change = {
        "metadata": {
            "$deleteFromPrimitiveList/finalizers": ["b"],
            "$setElementOrder/finalizers": ["a", "d"],
            "finalizers": ["d"],
        }
    }
    assert patches.strategic(obj, change, deployments)["metadata"]["finalizers"] == ["a", "d", "c"]


def test_lists_without_a_strategy_are_replaced(deployments: Schema) -> None:
    """Tolerations and arguments are one value each."""
    before = {"tolerations": [{"key": "a"}], "containers": [{"name": "c", "args": ["1", "2"]}]}
    change = {"tolerations": [{"key": "b"}], "containers": [{"name": "c", "args": ["3"]}]}
    assert patched(deployments, before, change) == change


def test_maps_are_replaced_or_deleted_by_a_directive(deployments: Schema) -> None:
    """A directive inside a map is about the map."""
    obj = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    replace = {"metadata": {"labels": {"$patch": "replace", "c": "3"}}}
    assert patches.strategic(obj, replace, deployments) == {"metadata": {"labels": {"c": "3"}}}
    delete = {"metadata": {"labels": {"$patch": "delete"}}}
    assert patches.strategic(obj, delete, deployments) == {"metadata": {"labels": {}}}


def test_ports_are_found_by_their_number() -> None:
    """A service's ports have the port as key."""
    services = definitions.builtin("", "v1", "Service")
    assert services is not None
    obj = {"spec": {"ports": [{"port": 80, "name": "http"}, {"port": 443}]}}
    after = patches.strategic(obj, {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}, services)
    assert after["spec"]["ports"] == [{"port": 80, "name": "http", "targetPort": 8080}, {"port": 443}]


def test_directives_of_new_parts_are_not_stored(deployments: Schema) -> None:
    """Where there is nothing to merge with, directives and nulls are dropped."""
    change = {"containers": [{"name": "a", "env": [{"name": "X", "$patch": "delete"}, {"name": "Y"}], "image": None}]}
    assert patched(deployments, {}, change) == {"containers": [{"name": "a", "env": [{"name": "Y"}]}]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"containers": [{"image": "x"}]}, r"map: map\[image:x\] does not contain declared merge key: name"),
        ({"containers": [{"name": "a", "$patch": "jump"}]}, "Unknown patch type found: jump"),
        ({"volumes": [{"name": "v", "secret": {}, "$retainKeys": ["name"]}]}, "does not list the fields"),
    ],
)
def test_malformed(deployments: Schema, change: Json, words: str) -> None:
    """A malformed directive is refused."""
    pod: Json = {"containers": [{"name": "a"}], "volumes": [{"name": "v"}]}
    with pytest.raises(BadPatch, match=words):
        patched(deployments, pod, change)
