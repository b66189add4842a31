"""The unmodified SDK sends traces and reads them back."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from langsmith import Client, traceable, tracing_context
from langsmith.schemas import Run
from langsmith.utils import LangSmithNotFoundError

from hallmark.waiting import until

pytestmark = [  # the SDK warns of what it will call otherwise in 2027; here it must call what the stand-in has
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::langsmith.utils.LangSmithWarning"),
]


@pytest.fixture
def client(platform: Any) -> Iterator[Client]:
    """A client of the public API."""
    made = Client(api_url=f"{platform.url}/api/v1", api_key=platform.key)
    yield made
    made.cleanup()


@pytest.fixture
def project() -> str:
    """A name that no other test has."""
    return f"project-{uuid4()}"


def test_a_traced_function(platform: Any, client: Client, project: str) -> None:
    """A decorated function becomes a run with a child, inputs, outputs and tags."""

    @traceable(client=client, run_type="tool", tags=["small"])
    def inner(question: str) -> str:
        return question.upper()

    @traceable(client=client, project_name=project, metadata={"place": "here"})
    def outer(question: str) -> str:
        return inner(question)

    identity = uuid4()
    with tracing_context(enabled=True):
        assert outer("why", langsmith_extra={"run_id": identity}) == "WHY"
    client.flush()
    platform.readable(str(identity))
    run = client.read_run(identity, load_child_runs=False)

    assert (run.name, run.run_type, run.status, run.inputs) == ("outer", "chain", "success", {"question": "why"})
    assert run.outputs == {"output": "WHY"}
    assert run.extra
    assert run.extra["metadata"]["place"] == "here"
    found = list(client.list_runs(project_name=project))
    assert {each.name for each in found} == {"outer", "inner"}
    child = next(each for each in found if each.name == "inner")
    assert (child.parent_run_id, child.trace_id, child.tags) == (identity, identity, ["small"])


def test_one_run_by_hand(client: Client, project: str) -> None:
    """A run that is created and ended by single calls is one run, with what both calls said."""
    identity = uuid4()
    client.create_run("manual", {"a": 1}, "llm", id=identity, project_name=project)
    client.update_run(identity, outputs={"b": 2}, end_time=datetime.now(UTC))
    client.flush()
    found = until(lambda: _read(client, identity, "success"), 60)

    assert found
    assert (found.name, found.run_type, found.inputs, found.outputs) == ("manual", "llm", {"a": 1}, {"b": 2})
    assert found.url
    assert found.url.endswith(str(identity)) or str(identity) in found.url


def test_a_failed_run(client: Client, project: str) -> None:
    """What a traced function raises is the run's error."""

    @traceable(client=client, project_name=project)
    def fails() -> None:
        raise RuntimeError("the cause")

    identity = uuid4()
    with tracing_context(enabled=True), suppress(RuntimeError):
        fails(langsmith_extra={"run_id": identity})
    client.flush()
    found = until(lambda: _read(client, identity, "error"), 60)

    assert found
    assert "the cause" in (found.error or "")


def test_a_large_payload(platform: Any, client: Client, project: str) -> None:
    """A payload of 100 KB goes to the bucket, under the prefix of its tier, and is read back as it was."""
    identity, text = uuid4(), "x" * 100_000
    client.create_run("large", {"text": text}, "chain", id=identity, trace_id=identity, project_name=project,
                      dotted_order=f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}{identity}")  # fmt: skip
    client.flush()
    run = platform.readable(str(identity))

    assert run["inputs"] == {"text": text}
    keys = [each["Key"] for each in platform.aws("s3").list_objects_v2(Bucket="traces")["Contents"]]
    mine = [key for key in keys if str(identity) in key]
    assert [key.split("/")[0] for key in mine] == ["ttl_s"]
    assert (
        platform.aws("s3").get_object(Bucket="traces", Key=mine[0])["Body"].read()
        == b'{"text":"' + text.encode() + b'"}'
    )


def test_a_tier_of_a_project(platform: Any, project: str) -> None:
    """Payloads of a project whose traces are kept for long have the other prefix."""
    status, made = platform.call("POST", "/sessions", {"name": project, "trace_tier": "longlived"})
    assert status == 200
    identity = str(uuid4())
    run = {"id": identity, "name": "r", "run_type": "chain", "session_id": made["id"], "inputs": {"t": "y" * 30_000}}
    assert platform.call("POST", "/runs", run)[0] == 202
    platform.readable(identity)

    keys = [each["Key"] for each in platform.aws("s3").list_objects_v2(Bucket="traces")["Contents"]]
    assert [key.split("/")[0] for key in keys if identity in key] == ["ttl_l"]


def test_feedback(platform: Any, client: Client, project: str) -> None:
    """Feedback is found by its run, whichever way the SDK sends it, and counted with the run."""
    identity = uuid4()
    client.create_run("r", {}, "chain", id=identity, project_name=project)
    client.flush()
    platform.readable(str(identity))
    client.create_feedback(identity, "direct", score=1.0, comment="good")
    client.create_feedback(identity, "batched", score=0.5, trace_id=identity)
    client.flush()
    found = until(lambda: _two(client.list_feedback(run_ids=[identity])), 60)

    assert {each.key: each.score for each in found} == {"direct": 1.0, "batched": 0.5}
    stats = client.read_run(identity).feedback_stats
    assert stats
    assert stats["direct"] == {"n": 1, "avg": 1.0}
    client.delete_feedback(found[0].id)
    assert until(lambda: len(list(client.list_feedback(run_ids=[identity]))) == 1, 60)


def test_a_thousand_runs(platform: Any, client: Client, project: str) -> None:
    """A thousand runs arrive, each once, over several pages, and the queue is empty afterwards."""
    for number in range(1000):
        identity = uuid4()
        client.create_run(f"r{number}", {"n": number}, "chain", id=identity, trace_id=identity, project_name=project,
                          dotted_order=f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}{identity}", end_time=datetime.now(UTC),
                          outputs={"n": number})  # fmt: skip
    client.flush()
    assert until(lambda: _count(client, project) == 1000, 120)

    runs = list(client.list_runs(project_name=project, select=["name", "inputs"]))
    assert sorted(each.inputs["n"] for each in runs) == list(range(1000))
    assert until(lambda: platform.pending() == 0, 60)


def test_projects(platform: Any, client: Client, project: str) -> None:
    """Projects are made, found, refused a second time, and deleted with their runs and payloads."""
    made = client.create_project(project, description="d")
    identity = str(uuid4())
    run = {"id": identity, "name": "r", "run_type": "chain", "session_name": project, "inputs": {"t": "z" * 30_000}}
    assert platform.call("POST", "/runs", run)[0] == 202
    platform.readable(identity)
    assert client.read_project(project_name=project).id == made.id
    assert [each.name for each in client.list_projects(name=project)] == [project]
    assert platform.call("POST", "/sessions", {"name": project})[0] == 409
    assert client.get_run_stats(project_names=[project])["run_count"] == 1

    client.delete_project(project_id=made.id)
    assert not client.has_project(project)
    assert until(lambda: platform.call("GET", f"/runs/{identity}")[0] == 404, 60)
    assert until(lambda: not _objects(platform, identity), 60)


def test_data_sets(client: Client) -> None:
    """Data sets and examples are kept and read back."""
    name = f"set-{uuid4()}"
    dataset = client.create_dataset(name, description="d")
    client.create_examples(dataset_id=dataset.id, examples=[{"inputs": {"q": 1}, "outputs": {"a": 2}}])
    client.create_example(inputs={"q": 3}, dataset_id=dataset.id)

    assert sorted(each.inputs["q"] for each in client.list_examples(dataset_id=dataset.id) if each.inputs) == [1, 3]
    assert client.read_dataset(dataset_name=name).example_count == 2
    client.delete_dataset(dataset_id=dataset.id)
    assert not client.has_dataset(dataset_name=name)


def test_what_is_not_there(client: Client) -> None:
    """An unknown run is 404."""
    with pytest.raises(LangSmithNotFoundError):
        client.read_run(uuid4())


def _read(client: Client, identity: UUID, status: str) -> Run | None:
    with suppress(LangSmithNotFoundError):
        run = client.read_run(identity)
        return run if run.status == status else None
    return None


def _two(found: Iterator[Any]) -> list[Any]:
    known = list(found)
    return known if len(known) == 2 else []


def _count(client: Client, project: str) -> int:
    with suppress(LangSmithNotFoundError):
        return int(client.get_run_stats(project_names=[project])["run_count"])
    return 0


def _objects(platform: Any, identity: str) -> list[str]:
    found = platform.aws("s3").list_objects_v2(Bucket="traces").get("Contents", [])
    return [each["Key"] for each in found if identity in each["Key"]]
