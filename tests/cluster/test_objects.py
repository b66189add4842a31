"""Objects over HTTP: made, read, replaced; what the server adds, and what it refuses with which words."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from hallmark.twin.cluster.client import Client

Json = dict[str, Any]


def test_a_new_object_gets_what_only_the_server_can_give(
    client: Client, core: str, configmap: Callable[..., Json]
) -> None:
    """An uid, a time, a revision; what the client says of those is not believed."""
    sent = configmap("a", uid="mine", creationTimestamp="1999-01-01T00:00:00Z", generation=7)

    metadata = client.post(f"{core}/configmaps", sent).body["metadata"]

    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", metadata["uid"])
    assert metadata["creationTimestamp"] > "2020"
    assert metadata["resourceVersion"].isdigit()
    assert "generation" not in metadata
    assert client.get(f"{core}/configmaps/a").body["metadata"] == metadata


def test_a_name_can_be_generated(client: Client, core: str) -> None:
    """The base and five letters, another name each time."""
    names = {
        client.post(f"{core}/configmaps", {"metadata": {"generateName": "a-"}}).body["metadata"]["name"] for _ in "12"
    }

    assert len(names) == 2
    assert all(re.fullmatch(r"a-[bcdfghjklmnpqrstvwxz2456789]{5}", name) for name in names)


def test_a_name_is_used_once(client: Client, core: str, configmap: Callable[..., Json]) -> None:
    """The second create is told the first one's name."""
    client.post(f"{core}/configmaps", configmap("a"))

    answer = client.post(f"{core}/configmaps", configmap("a"))

    assert answer.code == 409
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "a" already exists',
        "reason": "AlreadyExists",
        "details": {"name": "a", "kind": "configmaps"},
        "code": 409,
    }


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/v1/namespaces/default/secrets/nope", 'secrets "nope" not found'),
        ("/apis/apps/v1/namespaces/default/deployments/nope", 'deployments.apps "nope" not found'),
        ("/api/v1/namespaces/nope", 'namespaces "nope" not found'),
        ("/api/v1/namespaces/default/nopes", "the server could not find the requested resource"),
        ("/apis/nope.io/v1/things", "the server could not find the requested resource"),
        ("/api/v1/namespaces/default/nodes", "the server could not find the requested resource"),
        ("/api/v1/pods/nope", "the server could not find the requested resource"),
        ("/openapi/v1", "the server could not find the requested resource"),
    ],
)
def test_what_is_not_there_is_said_so(client: Client, path: str, message: str) -> None:
    """404 with the words of the real server."""
    answer = client.get(path)

    assert (answer.code, answer.body["reason"], answer.body["message"]) == (404, "NotFound", message)


def test_nothing_is_made_in_a_namespace_that_is_not_there(client: Client, configmap: Callable[..., Json]) -> None:
    """The namespace is what is missing."""
    answer = client.post("/api/v1/namespaces/nowhere/configmaps", configmap("a"))

    assert (answer.code, answer.body["message"]) == (404, 'namespaces "nowhere" not found')


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"metadata": {"name": "a", "namespace": "other"}},
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            {"kind": "Secret", "metadata": {"name": "a"}},
            "the kind in the data (Secret) does not match the expected kind (ConfigMap)",
        ),
        (
            {"apiVersion": "v2", "metadata": {"name": "a"}},
            "the API version in the data (v2) does not match the expected API version (v1)",
        ),
    ],
)
def test_an_object_belongs_where_it_is_sent(client: Client, core: str, body: Json, message: str) -> None:
    """Otherwise it is a bad request."""
    answer = client.post(f"{core}/configmaps", body)

    assert answer.code == 400
    assert answer.body["message"].startswith(message)


def test_a_body_that_is_no_json_is_a_bad_request(client: Client, core: str) -> None:
    """And an unknown type is unsupported."""
    assert client.ask("POST", f"{core}/configmaps", b"{").code == 400
    assert client.ask("POST", f"{core}/configmaps", b"[]").code == 400
    assert client.ask("POST", f"{core}/configmaps", b"x", {"Content-Type": "text/plain"}).code == 415


def test_yaml_is_understood(client: Client, core: str) -> None:
    """What looks like a date stays text."""
    body = b"metadata: {name: a}\ndata: {day: 2020-01-01}\n"

    answer = client.ask("POST", f"{core}/configmaps", body, {"Content-Type": "application/yaml"})

    assert answer.body["data"] == {"day": "2020-01-01"}


def test_a_replacement_must_be_of_the_present_version(
    client: Client, core: str, configmap: Callable[..., Json]
) -> None:
    """Who read an older one is told so; who names none wins."""
    first = client.post(f"{core}/configmaps", configmap("a")).body
    changed = {**first, "data": {"key": "other"}}
    assert client.put(f"{core}/configmaps/a", changed).code == 200

    answer = client.put(f"{core}/configmaps/a", changed)

    assert (answer.code, answer.body["reason"]) == (409, "Conflict")
    assert answer.body["message"] == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert client.put(f"{core}/configmaps/a", configmap("a")).body["data"] == {"key": "value"}


def test_a_replacement_without_a_change_is_no_write(client: Client, core: str, configmap: Callable[..., Json]) -> None:
    """The revision stays."""
    first = client.post(f"{core}/configmaps", configmap("a")).body

    assert client.put(f"{core}/configmaps/a", first).body == first


def test_another_object_of_the_name_is_not_replaced(client: Client, core: str, configmap: Callable[..., Json]) -> None:
    """The uid is a precondition."""
    client.post(f"{core}/configmaps", configmap("a"))

    answer = client.put(f"{core}/configmaps/a", configmap("a", uid="11111111-2222-4333-8444-555555555555"))

    assert answer.code == 409
    assert "Precondition failed: UID in precondition" in answer.body["message"]


def test_what_is_wanted_is_counted(client: Client, apps: str, deployment: Json) -> None:
    """The generation rises with the spec, not with labels or status."""
    assert client.post(f"{apps}/deployments", deployment).body["metadata"]["generation"] == 1
    path = f"{apps}/deployments/web"

    assert client.patch(path, {"metadata": {"labels": {"a": "b"}}}).body["metadata"]["generation"] == 1
    assert client.patch(f"{path}/status", {"status": {"replicas": 1}}).body["metadata"]["generation"] == 1
    assert client.patch(path, {"spec": {"replicas": 3}}).body["metadata"]["generation"] == 2
    assert client.patch(path, {"spec": {"replicas": 3}}).body["metadata"]["generation"] == 2


def test_status_has_a_door_of_its_own(client: Client, apps: str, deployment: Json) -> None:
    """The object's door leaves the status alone, the status' door everything else."""
    created = client.post(f"{apps}/deployments", {**deployment, "status": {"replicas": 9}}).body
    path = f"{apps}/deployments/web"
    assert created.get("status", {}).get("replicas") is None

    client.put(f"{path}/status", {**created, "spec": {**created["spec"], "replicas": 7}, "status": {"replicas": 1}})
    after = client.patch(path, {"spec": {"replicas": 3}, "status": {"replicas": 5}}).body

    assert (after["spec"]["replicas"], after["status"]["replicas"]) == (3, 1)


def test_a_dry_run_stores_nothing(client: Client, core: str, configmap: Callable[..., Json]) -> None:
    """It answers as if, for every verb."""
    assert client.post(f"{core}/configmaps?dryRun=All", configmap("a")).code == 201
    assert client.get(f"{core}/configmaps/a").code == 404
    first = client.post(f"{core}/configmaps", configmap("a")).body

    assert client.patch(f"{core}/configmaps/a?dryRun=All", {"data": {"x": "y"}}).body["data"] == {
        "key": "value",
        "x": "y",
    }
    assert client.delete(f"{core}/configmaps/a?dryRun=All").code == 200
    assert client.get(f"{core}/configmaps/a").body == first
    assert client.post(f"{core}/configmaps?dryRun=Some", configmap("b")).code == 400


def test_unknown_fields_are_treated_as_asked(client: Client, core: str) -> None:
    """Refused, warned of, or ignored; stored in no case."""
    body = {"metadata": {"name": "a"}, "datum": {}}

    strict = client.post(f"{core}/configmaps?fieldValidation=Strict", body)
    warned = client.post(f"{core}/configmaps?dryRun=All", body)
    ignored = client.post(f"{core}/configmaps?fieldValidation=Ignore", body)

    assert strict.code == 400
    assert strict.body["message"] == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "datum"'
    )
    assert warned.headers["Warning"] == '299 - "unknown field \\"datum\\""'
    assert ignored.headers["Warning"] is None
    assert "datum" not in ignored.body


def test_an_invalid_object_is_refused_with_its_fields(client: Client, apps: str, deployment: Json) -> None:
    """Each error is a cause with its field."""
    deployment["spec"]["template"]["metadata"]["labels"] = {"app": "other"}

    answer = client.post(f"{apps}/deployments", deployment)

    assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    assert answer.body["message"].startswith(
        'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: '
    )
    cause = answer.body["details"]["causes"][0]
    assert (cause["reason"], cause["field"]) == ("FieldValueInvalid", "spec.template.metadata.labels")


def test_a_wrong_type_is_a_bad_request(client: Client, apps: str, deployment: Json) -> None:
    """Before anything else is looked at."""
    deployment["spec"]["replicas"] = "two"

    answer = client.post(f"{apps}/deployments", deployment)

    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert answer.body["message"].startswith(
        'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal'
    )


def test_events_are_one_kind_under_two_names(client: Client, core: str, namespace: str) -> None:
    """What is written to one group is read from the other."""
    regarding = {"kind": "Pod", "name": "p", "namespace": namespace}
    event = {
        "metadata": {"name": "e"},
        "involvedObject": regarding,
        "reason": "BackOff",
        "message": "m",
        "type": "Warning",
    }
    client.post(f"{core}/events", event)
    new = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"

    shown = client.get(f"{new}/e").body
    selected = client.get(f"{new}?fieldSelector=regarding.name=p").body["items"]
    written = client.post(
        new, {**shown, "metadata": {"name": "f"}, "note": "other", "eventTime": "2026-01-01T00:00:00.000000Z"}
    )

    assert (shown["apiVersion"], shown["regarding"]["name"], shown["note"]) == ("events.k8s.io/v1", "p", "m")
    assert [one["metadata"]["name"] for one in selected] == ["e"]
    assert written.code == 201, written.body
    assert client.get(f"{core}/events/f").body["message"] == "other"


def test_an_old_autoscaler_keeps_what_it_cannot_say(client: Client, namespace: str) -> None:
    """Written in autoscaling/v1, read in v2, and back; a metric of memory stays."""
    path = "/apis/autoscaling/{}/namespaces/" + namespace + "/horizontalpodautoscalers"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}
    memory = {
        "type": "Resource",
        "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 70}},
    }
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}

    client.post(path.format("v1"), {"metadata": {"name": "a"}, "spec": spec})
    assert (
        client.get(path.format("v2") + "/a").body["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"]
        == 50
    )
    client.patch(path.format("v2") + "/a", {"spec": {"metrics": [memory, cpu]}})
    old = client.patch(path.format("v1") + "/a", {"spec": {"targetCPUUtilizationPercentage": 40}}).body

    assert (old["apiVersion"], old["spec"]["targetCPUUtilizationPercentage"]) == ("autoscaling/v1", 40)
    names = {
        one["resource"]["name"]: one["resource"]["target"]["averageUtilization"]
        for one in client.get(path.format("v2") + "/a").body["spec"]["metrics"]
    }
    assert names == {"memory": 70, "cpu": 40}


def test_endpoints_are_deprecated(client: Client, core: str) -> None:
    """Whoever asks is told what to ask for instead."""
    warning = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'

    assert client.get(f"{core}/endpoints").headers["Warning"] == warning
    assert client.get(f"{core}/configmaps").headers["Warning"] is None


@pytest.mark.parametrize("metadata", [{"name": 5}, {"name": ["a"]}, {"generateName": {}}, "a", 5, ["a"]])
def test_metadata_is_metadata(client: Client, core: str, metadata: Any) -> None:
    """Whatever else is sent in its place."""
    assert client.post(f"{core}/configmaps", {"metadata": metadata}).code == 400


def test_long_requests_are_read(client: Client, core: str) -> None:
    """A path of many thousand bytes, and a body of two million."""
    name = "x" * 100_000
    big = {"metadata": {"name": "big"}, "data": {"key": "v" * 900_000}}

    assert client.get(f"{core}/configmaps?fieldSelector=metadata.name={name}").body["items"] == []
    assert client.post(f"{core}/configmaps", big).code == 201
    assert client.ask("POST", f"{core}/configmaps", b" " * 4_000_000).code == 413
