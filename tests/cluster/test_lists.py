"""Lists: in order, selected, in pages of one moment, in the form that is asked for."""

from collections.abc import Callable
from typing import Any

import pytest

from hallmark.twin.cluster.client import Client

Json = dict[str, Any]

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


def _names(body: Json) -> list[str]:
    return [one["metadata"]["name"] for one in body["items"]]


@pytest.fixture
def configmaps(client: Client, core: str, configmap: Callable[..., Json]) -> str:
    """Path of five ConfigMaps, a to e, whose label says whether they are vowels."""
    client.delete(f"{core}/configmaps")
    for name in "cabed":
        made = client.post(f"{core}/configmaps", configmap(name, labels={"vowel": str(name in "ae").lower()}))
        assert made.code == 201
    return f"{core}/configmaps"


@pytest.fixture
def five(configmaps: str) -> str:
    """The same, without what the cluster itself puts in a namespace."""
    return f"{configmaps}?fieldSelector=metadata.name!=kube-root-ca.crt"


def test_a_list_is_one_of_its_kind(client: Client, five: str) -> None:
    """With a revision, and its items in order of their names."""
    body = client.get(five).body

    assert (body["kind"], body["apiVersion"]) == ("ConfigMapList", "v1")
    assert body["metadata"].keys() == {"resourceVersion"}
    assert _names(body) == ["a", "b", "c", "d", "e"]


def test_a_list_selects(client: Client, five: str) -> None:
    """By labels and fields, both."""
    assert _names(client.get(f"{five}&labelSelector=vowel=true").body) == ["a", "e"]
    assert _names(client.get(f"{five},metadata.name!=a&labelSelector=vowel=true").body) == ["e"]
    assert client.get(f"{five}&labelSelector=a%20in%20b").code == 400


def test_pages_show_one_moment(client: Client, configmaps: str, five: str) -> None:
    """Whatever is written while somebody reads them."""
    first = client.get(f"{five}&limit=2").body
    client.delete(f"{configmaps}/c")
    client.patch(f"{configmaps}/d", {"data": {"key": "new"}})

    second = client.get(f"{five}&limit=2&continue={first['metadata']['continue']}").body
    third = client.get(f"{five}&limit=2&continue={second['metadata']['continue']}").body

    assert first["metadata"]["remainingItemCount"] == 3
    assert [_names(page) for page in (first, second, third)] == [["a", "b"], ["c", "d"], ["e"]]
    assert second["items"][1]["data"] == {"key": "value"}
    assert {page["metadata"]["resourceVersion"] for page in (first, second, third)} == {
        first["metadata"]["resourceVersion"]
    }
    assert "continue" not in third["metadata"]


def test_a_token_that_nobody_knows_has_expired(client: Client, five: str) -> None:
    """The client is told to begin anew."""
    answer = client.get(f"{five}&limit=2&continue=bm9wZQ")

    assert (answer.code, answer.body["reason"]) == (410, "Expired")
    assert answer.body["message"].startswith("The provided continue parameter is too old")


def test_a_list_of_the_future_is_refused(client: Client, five: str) -> None:
    """And one of an exact past has expired."""
    assert client.get(f"{five}&resourceVersion=99999999").code == 504
    assert client.get(f"{five}&resourceVersion=1&resourceVersionMatch=Exact").code == 410
    assert client.get(f"{five}&resourceVersion=1&resourceVersionMatch=NotOlderThan").code == 200
    assert client.get(f"{five}&resourceVersion=x").code == 400


def test_a_list_of_all_namespaces(client: Client, five: str, namespace: str) -> None:
    """It has what is in each."""
    selector = five.partition("?")[2]

    found = {one["metadata"]["namespace"] for one in client.get(f"/api/v1/configmaps?{selector}").body["items"]}

    assert namespace in found


def test_a_table_is_for_people(client: Client, five: str) -> None:
    """Rows with cells, and the metadata of each object."""
    body = client.get(five, Accept=TABLE).body

    assert (body["kind"], body["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [column["name"] for column in body["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert [row["cells"][:2] for row in body["rows"]] == [[name, 1] for name in "abcde"]
    assert body["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert body["metadata"]["resourceVersion"].isdigit()


def test_metadata_alone(client: Client, five: str) -> None:
    """For those who count or sweep."""
    body = client.get(five, Accept=METADATA).body

    assert body["kind"] == "PartialObjectMetadataList"
    assert [sorted(one) for one in body["items"]] == [["apiVersion", "kind", "metadata"]] * 5


def test_a_form_that_is_not_served(client: Client, five: str) -> None:
    """It is said so rather than guessed."""
    assert client.get(five, Accept="application/vnd.kubernetes.protobuf").code == 406
    assert client.get(five, Accept="application/vnd.kubernetes.protobuf,application/json").code == 200


def test_a_collection_is_deleted_as_selected(client: Client, configmaps: str, five: str) -> None:
    """And the answer lists what was."""
    deleted = client.delete(f"{configmaps}?labelSelector=vowel=true").body

    assert _names(deleted) == ["a", "e"]
    assert _names(client.get(five).body) == ["b", "c", "d"]
