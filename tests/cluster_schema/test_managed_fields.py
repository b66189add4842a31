"""managedFields of ordinary writes.

Source: Kubernetes documentation, "Server-Side Apply", section "Field management".
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hallmark.twin.cluster.schema import definitions, ownership
from hallmark.twin.cluster.schema.definitions import Schema

Json = dict[str, Any]
Make = Callable[..., Json]
FIRST, THEN = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"


def track(old: Json | None, new: Json, schema: Schema | None, manager: str, **options: Any) -> list[Json]:
    """Note a write, and return the entries."""
    settings = {"api_version": "apps/v1", "subresource": "", "time": FIRST, **options}
    ownership.track(old, new, schema, manager=manager, **settings)
    entries: list[Json] = new["metadata"].get("managedFields", [])
    return entries


def test_creation_owns_everything(deployments: Schema, deployment: Make) -> None:
    """What kubectl create makes is recorded as the real server records it."""
    made = deployment()
    (entry,) = track(None, made, deployments, "kubectl-create")
    assert {key: entry[key] for key in entry if key != "fieldsV1"} == {
        "manager": "kubectl-create",
        "operation": "Update",
        "apiVersion": "apps/v1",
        "time": FIRST,
        "fieldsType": "FieldsV1",
    }
    common: Json = {"f:image": {}, "f:imagePullPolicy": {}, "f:name": {}, "f:resources": {}}
    messages: Json = {"f:terminationMessagePath": {}, "f:terminationMessagePolicy": {}}
    web = {
        ".": {},
        **common,
        **messages,
        "f:env": {".": {}, 'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}},
        "f:ports": {
            ".": {},
            'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}},
        },
    }
    assert entry["fieldsV1"] == {
        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
        "f:spec": {
            "f:progressDeadlineSeconds": {},
            "f:replicas": {},
            "f:revisionHistoryLimit": {},
            "f:selector": {},
            "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}},
            "f:template": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {
                    "f:containers": {'k:{"name":"web"}': web, 'k:{"name":"side"}': {".": {}, **common, **messages}},
                    "f:dnsPolicy": {},
                    "f:restartPolicy": {},
                    "f:schedulerName": {},
                    "f:securityContext": {},
                    "f:terminationGracePeriodSeconds": {},
                },
            },
        },
    }


def test_a_change_moves_the_field(deployments: Schema, deployment: Make) -> None:
    """The one who changes a field owns it; the others keep the rest."""
    old = deployment()
    track(None, old, deployments, "one")
    new = copy.deepcopy(old)
    new["spec"]["replicas"] = 5
    first, second = track(old, new, deployments, "two", time=THEN)
    assert "f:replicas" not in first["fieldsV1"]["f:spec"]
    assert (second["manager"], second["time"]) == ("two", THEN)
    assert second["fieldsV1"] == {"f:spec": {"f:replicas": {}}}


def test_no_change_no_entry(deployments: Schema, deployment: Make) -> None:
    """A write that changes nothing leaves the entries and their times."""
    old = deployment()
    before = copy.deepcopy(track(None, old, deployments, "one"))
    new = copy.deepcopy(old)
    assert track(old, new, deployments, "two", time=THEN) == before
    del new["metadata"]["managedFields"]  # most clients do not send them
    assert track(old, new, deployments, "two", time=THEN) == before


def test_the_same_manager_has_one_entry(deployments: Schema, deployment: Make) -> None:
    """Further writes of a manager grow its entry."""
    old = deployment()
    track(None, old, deployments, "one")
    new = copy.deepcopy(old)
    new["spec"]["paused"] = True
    (entry,) = track(old, new, deployments, "one", time=THEN)
    assert entry["time"] == THEN
    assert entry["fieldsV1"]["f:spec"]["f:paused"] == {}
    assert entry["fieldsV1"]["f:spec"]["f:replicas"] == {}


def test_removal_belongs_to_nobody(deployments: Schema, deployment: Make) -> None:
    """A field that is gone is owned by none, and the one who removed it owns nothing new."""
    old = deployment()
    track(None, old, deployments, "one")
    new = copy.deepcopy(old)
    del new["metadata"]["labels"]
    (entry,) = track(old, new, deployments, "two", time=THEN)
    assert entry["manager"] == "one"
    assert "f:metadata" not in entry["fieldsV1"]


def test_status_has_an_entry_of_its_own(deployments: Schema, deployment: Make) -> None:
    """A write of the status says so, and is told from other writes of the same manager."""
    old = deployment()
    track(None, old, deployments, "manager")
    new = copy.deepcopy(old)
    new["status"] = {"conditions": [{"type": "Available", "status": "True"}], "replicas": 2}
    entries = track(old, new, deployments, "manager", subresource="status", time=THEN)
    assert [each.get("subresource") for each in entries] == [None, "status"]
    assert entries[1]["fieldsV1"] == {
        "f:status": {
            "f:conditions": {".": {}, 'k:{"type":"Available"}': {".": {}, "f:status": {}, "f:type": {}}},
            "f:replicas": {},
        }
    }


def test_entries_can_be_rewritten_by_the_client(deployments: Schema, deployment: Make) -> None:
    """An applier such as kubectl moves its entry from Update to Apply when it starts to apply on the server."""
    old = deployment()
    track(None, old, deployments, "kubectl-client-side-apply")
    new = copy.deepcopy(old)
    new["metadata"]["managedFields"][0] |= {"manager": "kubectl", "operation": "Apply"}
    entries = track(old, new, deployments, "kubectl")
    assert [(each["manager"], each["operation"]) for each in entries] == [("kubectl", "Apply")]


def test_an_empty_entry_forgets_all(deployments: Schema, deployment: Make) -> None:
    """A list with one empty entry resets the owners (documentation, "Clearing managedFields")."""
    old = deployment()
    track(None, old, deployments, "one")
    new = copy.deepcopy(old)
    new["metadata"]["managedFields"] = [{}]
    assert track(old, new, deployments, "two") == []


def test_server_fields_are_nobodys() -> None:
    """Name, uid, versions and times are not recorded; a small object has a small entry."""
    config_maps = definitions.builtin("", "v1", "ConfigMap")
    server = {"uid": "u", "resourceVersion": "7", "creationTimestamp": FIRST, "generation": 1}
    new = {"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b", **server}, "data": {"k": "v"}}
    (entry,) = track(None, new, config_maps, "m", api_version="v1")
    assert entry["fieldsV1"] == {"f:data": {".": {}, "f:k": {}}}


def test_an_object_of_unknown_kind_is_recorded() -> None:
    """Without a schema maps are recorded field by field."""
    (entry,) = track(None, {"metadata": {"name": "a"}, "usage": {"cpu": "1"}}, None, "m")
    assert entry["fieldsV1"] == {"f:usage": {".": {}, "f:cpu": {}}}


def test_only_ten_writers_are_remembered(deployments: Schema, deployment: Make) -> None:
    """The oldest writers are put together, and no field is lost."""
    obj = deployment()
    for i in range(14):
        new = copy.deepcopy(obj)
        new["metadata"].setdefault("annotations", {})[f"a{i}"] = "x"
        entries = track(obj, new, deployments, f"m{i}", time=f"2026-11-{i + 1:02}T00:00:00Z")
        obj = new
    assert [each["manager"] for each in entries] == ["ancient-changes", *(f"m{i}" for i in range(5, 14))]
    assert [key for key in entries[0]["fieldsV1"]["f:metadata"]["f:annotations"] if key != "."] == [
        f"f:a{i}" for i in range(5)
    ]


@pytest.mark.parametrize("field", ["spec", "metadata"])
def test_custom_resource_owns_its_structs(field: str) -> None:
    """In a custom resource a map that is new is a field, too."""
    schema = definitions.custom({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    new: Json = {"kind": "Thing", "metadata": {"name": "x", "annotations": {"a": "b"}}, "spec": {"a": {"b": 1}}}
    (entry,) = track(None, new, schema, "m", api_version="example.com/v1")
    expected: Json = {
        "spec": {".": {}, "f:a": {".": {}, "f:b": {}}},
        "metadata": {"f:annotations": {".": {}, "f:a": {}}},
    }
    assert entry["fieldsV1"][f"f:{field}"] == expected[field]
