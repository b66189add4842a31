"""The same source against a real API server: what it lists, what it masks, and what it says when it is turned away."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hallmark import waiting
from hallmark.model import Answer, Call, Status
from hallmark.targets import cluster
from hallmark.targets.api_server import ApiServer
from hallmark.targets.cluster import ClusterSource
from hallmark.targets.profile import Profile

CONFIG_MAPS = Call.of("kubernetes", "list", version="v1", resource="configmaps", namespace="n")
Create = Callable[[str, dict[str, Any]], None]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of an API server that runs."""
    folder = tmp_path_factory.mktemp("cluster")
    command = [sys.executable, "-m", "hallmark.twin.cluster.server", "--state", str(folder), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        waiting.until((folder / "server.json").is_file, 20)
        yield folder
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def profile(state: Path) -> Profile:
    """How it is reached."""
    return Profile(kubeconfig=str(state / "kubeconfig"))


@pytest.fixture(scope="module")
def create(profile: Profile) -> Create:
    """Creates an object; the source itself could not."""
    server = ApiServer(profile)

    def post(path: str, body: dict[str, Any]) -> None:
        assert server.change("POST", path, body, "application/json").status == 201

    post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
    return post


def _ask(profile: Profile, call: Call) -> Answer:
    answer = ClusterSource(profile).answer(call)
    if answer.status is Status.OBSERVED:
        assert cluster.defects(call.operation, answer.value) == []
    return answer


def test_a_list_comes_in_pages_and_is_read_whole(
    profile: Profile, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three at a time, all of them, each once."""
    monkeypatch.setattr(cluster, "PAGE", 3)
    for rank in range(8):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c-{rank}"}, "data": {"KEY": "a note"}}
        create("/api/v1/namespaces/n/configmaps", body)
    items = _ask(profile, CONFIG_MAPS).value["items"]
    own = [item for item in items if item["metadata"]["name"].startswith("c-")]

    assert [item["metadata"]["name"] for item in own] == [f"c-{rank}" for rank in range(8)]
    assert all(item["data"]["KEY"]["value"].startswith("<redacted ") for item in own)
    assert not any("managedFields" in item["metadata"] for item in items)


def test_a_secret_is_known_by_its_facts(profile: Profile, create: Create) -> None:
    """When it was last written is known from the server's own field management."""
    url = "rediss://:token-of-redis@cache.internal:6379"
    data = {"connection_url": base64.b64encode(url.encode()).decode()}
    create(
        "/api/v1/namespaces/n/secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data}
    )
    answer = _ask(profile, Call.of("kubernetes", "secrets", namespace="n"))
    (found,) = [one for one in answer.value["items"] if one["metadata"]["name"] == "s"]

    assert found["keys"]["connection_url"]["urls"][0]["host"] == "cache.internal"
    assert found["changed"] == found["metadata"]["creationTimestamp"]
    assert "token-of-redis" not in json.dumps(answer.value)


def test_a_custom_resource_is_absent_until_it_is_served(profile: Profile, create: Create) -> None:
    """Before there is a definition the kind does not exist; afterwards only metadata and what is named is kept."""
    listing = Call.of("kubernetes", "list", group="example.com", version="v1", resource="things", namespace="n")
    before = _ask(profile, listing)
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing", "listKind": "ThingList", "singular": "thing"},
        "versions": [version],
    }
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}
    metadata = {"name": "things.example.com"}
    create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition | {"metadata": metadata})
    waiting.until(lambda: _ask(profile, listing).status is Status.OBSERVED, 10)
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"note": "planted"}}
    create("/apis/example.com/v1/namespaces/n/things", thing)
    served = _ask(profile, Call.of("kubernetes", "discovery")).value["resources"]

    assert before.status is Status.ABSENT
    assert served["example.com/v1"] == ["things"]
    assert [one["metadata"]["name"] for one in _ask(profile, listing).value["items"]] == ["t"]
    assert "planted" not in json.dumps(_ask(profile, listing).value)


def test_discovery_and_version_are_the_servers_own(profile: Profile) -> None:
    """What later decides whether a check applies at all."""
    served = _ask(profile, Call.of("kubernetes", "discovery")).value["resources"]

    assert {"pods", "secrets", "nodes"} <= set(served["v1"])
    assert "deployments" in served["apps/v1"]
    assert "apiservices" in served["apiregistration.k8s.io/v1"]
    assert _ask(profile, Call.of("kubernetes", "version")).value["gitVersion"].startswith("v1.")


def test_a_release_that_is_not_there_is_absent(profile: Profile) -> None:
    """The server was asked, and answered."""
    answer = _ask(profile, Call.of("kubernetes", "release", namespace="n", name="langsmith"))

    assert (answer.status, answer.code) == (Status.ABSENT, "NotFound")


def test_the_operator_may_list_events(profile: Profile) -> None:
    """Asked without leaving a trace in the cluster."""
    answer = _ask(profile, Call.of("kubernetes", "can", verb="list", resource="events", namespace="n"))

    assert answer.value == {"allowed": True}


def test_a_wrong_token_is_its_own_cause(state: Path, tmp_path: Path) -> None:
    """Whoever is not known sees nothing, and that is not an empty cluster."""
    wrong = tmp_path / "kubeconfig"
    token = (state / "token").read_text().strip()
    wrong.write_text((state / "kubeconfig").read_text().replace(token, "not-the-token"))

    answer = _ask(Profile(kubeconfig=str(wrong)), CONFIG_MAPS)

    assert (answer.status, answer.code) == (Status.FAILED, "credentials")


def test_a_certificate_of_somebody_else_is_not_trusted(state: Path, tmp_path: Path) -> None:
    """Without the cluster's own authority nobody is who he says he is."""
    text = (state / "kubeconfig").read_text()
    stranger = re.sub(r'("?)certificate-authority(-data)?\1: *"?[^",\n]+"?,?', "", text)
    assert stranger != text
    (tmp_path / "kubeconfig").write_text(stranger)

    answer = _ask(Profile(kubeconfig=str(tmp_path / "kubeconfig")), CONFIG_MAPS)

    assert (answer.status, answer.code) == (Status.FAILED, "unreachable")
