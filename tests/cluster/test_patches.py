"""Patches over HTTP: four kinds, their refusals, and who owns what afterwards."""

from typing import Any

import pytest

from hallmark.twin.cluster.client import Client

Json = dict[str, Any]


@pytest.fixture
def path(client: Client, apps: str, deployment: Json) -> str:
    """Path of a stored Deployment."""
    assert client.post(f"{apps}/deployments", deployment).code == 201
    return f"{apps}/deployments/web"


def _containers(body: Json) -> dict[str, str]:
    return {one["name"]: one["image"] for one in body["spec"]["template"]["spec"]["containers"]}


def test_a_strategic_merge_keeps_the_sidecar(client: Client, path: str) -> None:
    """A plain merge does not."""
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:2"}]}}}}

    assert _containers(client.patch(path, change, "strategic").body) == {"web": "nginx:2", "side": "busybox:1"}
    assert _containers(client.patch(path, change, "merge").body) == {"web": "nginx:2"}


def test_a_json_patch(client: Client, path: str) -> None:
    """Applies as a whole or not at all."""
    replace = {"op": "replace", "path": "/spec/replicas", "value": 4}

    assert client.patch(path, [replace], "json").body["spec"]["replicas"] == 4
    failed = client.patch(
        path, [{**replace, "value": 5}, {"op": "test", "path": "/spec/paused", "value": True}], "json"
    )
    assert (failed.code, failed.body["reason"]) == (422, "Invalid")
    assert client.patch(path, {"op": "replace"}, "json").code == 400
    assert client.get(path).body["spec"]["replicas"] == 4


def test_a_patch_may_name_the_version_it_is_for(client: Client, path: str) -> None:
    """Then it must be the present one."""
    answer = client.patch(path, {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 1}})

    assert (answer.code, answer.body["reason"]) == (409, "Conflict")


def test_a_patch_of_nothing(client: Client, apps: str) -> None:
    """Is not found; one of an unknown kind is not supported."""
    assert client.patch(f"{apps}/deployments/nope", {"spec": {}}).code == 404
    assert client.ask("PATCH", f"{apps}/deployments/nope", {}, {"Content-Type": "application/json"}).code == 404
    assert client.patch(f"{apps}/deployments/nope", {"spec": {}}, "strategic").code == 404


def test_a_patch_cannot_make_an_object_invalid(client: Client, path: str) -> None:
    """Nor move it."""
    assert client.patch(path, {"spec": {"replicas": -1}}).code == 422
    assert client.patch(path, {"metadata": {"name": "other"}}).code == 400


def test_apply_creates_and_changes(client: Client, apps: str, deployment: Json) -> None:
    """Its fields are its manager's; the same again changes nothing."""
    path = f"{apps}/deployments/web?fieldManager=me"

    created = client.patch(path, deployment, "apply")
    again = client.patch(path, deployment, "apply")

    assert (created.code, again.code) == (201, 200)
    assert again.body == created.body
    fields = created.body["metadata"]["managedFields"]
    assert [(one["manager"], one["operation"]) for one in fields] == [("me", "Apply")]
    assert "f:replicas" in fields[0]["fieldsV1"]["f:spec"]


def test_apply_needs_a_manager(client: Client, apps: str, deployment: Json) -> None:
    """And no managed fields."""
    answer = client.patch(f"{apps}/deployments/web", deployment, "apply")
    managed = {**deployment, "metadata": {"name": "web", "managedFields": [{"manager": "x"}]}}

    assert answer.code == 422
    assert "fieldManager: Required value: is required for apply patch" in answer.body["message"]
    assert client.patch(f"{apps}/deployments/web?fieldManager=me", managed, "apply").code == 400


def test_apply_meets_other_owners(client: Client, apps: str, deployment: Json) -> None:
    """A field that somebody else wrote is a conflict, unless it is taken by force."""
    path = f"{apps}/deployments/web"
    client.patch(f"{path}?fieldManager=helm", deployment, "apply")
    client.patch(f"{path}?fieldManager=kubectl-edit", {"spec": {"replicas": 5}})

    refused = client.patch(f"{path}?fieldManager=helm", deployment, "apply")
    forced = client.patch(f"{path}?fieldManager=helm&force=true", deployment, "apply")

    assert (refused.code, refused.body["reason"]) == (409, "Conflict")
    assert refused.body["message"] == (
        'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas'
    )
    assert refused.body["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-edit" using apps/v1',
            "field": ".spec.replicas",
        }
    ]
    assert forced.body["spec"]["replicas"] == 2
    assert [one["manager"] for one in forced.body["metadata"]["managedFields"]] == ["helm"]


def test_a_controller_owns_the_status_it_applies(client: Client, path: str) -> None:
    """By the door of the status."""
    config = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "status": {"replicas": 2}}

    body = client.patch(f"{path}/status?fieldManager=controller", config, "apply").body

    assert body["status"]["replicas"] == 2
    mine = next(one for one in body["metadata"]["managedFields"] if one["manager"] == "controller")
    assert (mine["subresource"], mine["fieldsV1"]) == ("status", {"f:status": {"f:replicas": {}}})


def test_the_manager_is_known_by_its_program(client: Client, path: str) -> None:
    """If it does not name itself."""
    headers = {"Content-Type": "application/merge-patch+json", "User-Agent": "robot/v1.2 (linux)"}

    body = client.ask("PATCH", path, {"spec": {"paused": True}}, headers).body

    assert "robot" in [one["manager"] for one in body["metadata"]["managedFields"]]


def test_a_scale_is_patched_as_an_object_of_its_own(client: Client, path: str) -> None:
    """By all kinds; it says what it selects."""
    assert client.get(f"{path}/scale").body["status"] == {"replicas": 0, "selector": "app=web"}
    assert client.patch(f"{path}/scale", {"spec": {"replicas": 3}}).body["spec"] == {"replicas": 3}
    operations = [{"op": "replace", "path": "/spec/replicas", "value": 4}]
    assert client.patch(f"{path}/scale", operations, "json").body["spec"] == {"replicas": 4}
    scale = client.get(f"{path}/scale").body
    assert client.put(f"{path}/scale", {**scale, "spec": {"replicas": 5}}).code == 200
    assert client.put(f"{path}/scale", {**scale, "spec": {"replicas": 6}}).code == 409
    assert client.patch(f"{path}/scale", {"spec": {"replicas": -1}}).code == 422
    assert client.get(path).body["spec"]["replicas"] == 5
