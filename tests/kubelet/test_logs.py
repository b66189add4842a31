"""Logs of containers: what ``kubectl logs`` can ask for, and where log shippers find them."""

import asyncio
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from hallmark.twin.kubelet.logs import Log, Options

Json = dict[str, Any]


def read(log: Log, **options: Any) -> list[str]:
    """Everything a log gives for these options."""

    async def collect() -> list[str]:
        return [line.decode() async for line in log.read(Options(**options))]

    return asyncio.run(collect())


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A log with two runs: one line in the first, three in the second."""
    log = Log(tmp_path)
    log.begin(0)
    log.write(b"before")
    log.end()
    log.begin(1)
    for line in (b"one", b"two", b"three"):
        log.write(line)
    yield log
    log.end()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["one\n", "two\n", "three\n"]),
        ({"tail": 2}, ["two\n", "three\n"]),
        ({"tail": 0}, []),
        ({"previous": True}, ["before\n"]),
        ({"limit": 6}, ["one\n", "tw"]),
        ({"since": "2999-01-01T00:00:00"}, []),
        ({"since": "2000-01-01T00:00:00"}, ["one\n", "two\n", "three\n"]),
    ],
)
def test_options(log: Log, options: Json, expected: list[str]) -> None:
    """Each option chooses the lines it should."""
    assert read(log, **options) == expected


def test_timestamps(log: Log) -> None:
    """With timestamps each line begins with its moment, to the nanosecond."""
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z \w+\n", line) for line in read(log, timestamps=True)
    )


def test_only_the_last_run_is_kept(log: Log, tmp_path: Path) -> None:
    """A third run forgets the first."""
    log.end()
    log.begin(2)

    assert sorted(each.name for each in tmp_path.iterdir()) == ["1.log", "2.log"]


def test_the_format_is_that_of_the_runtime(log: Log, tmp_path: Path) -> None:
    """Files hold time, stream, tag and text, as shippers expect."""
    log.end()
    first = (tmp_path / "1.log").read_text().splitlines()[0]

    assert re.fullmatch(r"\S+Z stdout F one", first)


def test_large_logs_are_begun_anew(log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that grew too large is put aside."""
    monkeypatch.setattr("hallmark.twin.kubelet.logs.LARGEST", 100)
    log.write(b"x" * 100)
    log.write(b"after")

    assert (tmp_path / "1.log.1").exists()
    assert read(log) == ["after\n"]


def test_a_log_that_grows_for_ever_takes_no_more_than_two_files(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Probes are logged as long as a container lives."""
    monkeypatch.setattr("hallmark.twin.kubelet.logs.LARGEST", 1000)
    for number in range(1000):
        log.write(f"GET /health {number}".encode())

    kept = [each for each in tmp_path.iterdir() if each.name.startswith("1.log")]
    assert sorted(each.name for each in kept) == ["1.log", "1.log.1"]
    assert sum(each.stat().st_size for each in kept) < 2200
    assert "GET /health 999\n" in read(log, tail=1) or read(log) == []


def test_following_sees_every_line_and_ends(tmp_path: Path) -> None:
    """A follower gets what was there, what comes, and the end of the run."""

    async def follow() -> list[bytes]:
        log = Log(tmp_path)
        log.begin(0)
        log.write(b"first")
        seen: list[bytes] = []

        async def reader() -> None:
            async for line in log.read(Options(follow=True)):
                seen.append(line)
                if line == b"first\n":
                    log.write(b"second")

        task = asyncio.create_task(reader())
        await asyncio.sleep(0)  # lets the reader begin
        log.write(b"third")
        log.end()
        await task
        return seen

    assert asyncio.run(follow()) == [b"first\n", b"second\n", b"third\n"]


def test_through_the_api(cluster: Any, shell: Callable[..., Json]) -> None:
    """Tail and timestamps reach the kubelet; following ends with the container."""
    cluster.pod("talker", shell("for i in 1 2 3; do echo line $i; done; sleep 1; echo last", restartPolicy="Never"))
    cluster.logged("talker", "line 3")
    words = ["kubectl", "--kubeconfig", str(cluster.kubeconfig), "logs", "-f", "talker"]
    followed = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True).stdout

    assert followed == "line 1\nline 2\nline 3\nlast\n"
    assert cluster.log("talker", "tailLines=1") == "last\n"
    assert re.fullmatch(r"\S+Z last\n", cluster.log("talker", "tailLines=1&timestamps=true"))
    assert cluster.log("talker", "sinceTime=2999-01-01T00:00:00Z") == ""


def test_no_log_yet(cluster: Any) -> None:
    """A container that waits has no log, and the refusal says why."""
    path = cluster.pod("mute", {"containers": [{"name": "c", "image": "no/such:1"}]})
    cluster.when(path, lambda pod: "ErrImagePull" in str(pod["status"].get("containerStatuses")))
    with pytest.raises(HTTPError) as caught:
        cluster.log("mute")
    assert caught.value.code == 400
    assert (
        'container \\"c\\" in pod \\"mute\\" is waiting to start: trying and failing to pull image'
        in caught.value.read().decode()
    )


def test_no_previous_log(cluster: Any, shell: Callable[..., Json]) -> None:
    """Without an earlier run there is no previous log."""
    cluster.pod("fresh", shell("echo hi; sleep 600"))
    cluster.logged("fresh", "hi")
    with pytest.raises(HTTPError) as caught:
        cluster.log("fresh", "previous=true")
    assert "previous terminated container" in caught.value.read().decode()


def test_secrets_do_not_get_into_logs_or_events(cluster: Any) -> None:
    """Values of the environment are neither in logs nor in events, whatever goes wrong."""
    secret = "hunter2-is-secret"
    names = (
        "POSTGRES_DATABASE_URI",
        "REDIS_DATABASE_URI",
        "LANGSMITH_LICENSE_KEY",
        "API_KEY_SALT",
        "CLICKHOUSE_PASSWORD",
    )
    env = [{"name": name, "value": secret} for name in names]
    env[0]["value"] = f"postgres://u:{secret}#x@db.default:5432/x"
    container = {"name": "backend", "image": "langchain/langsmith-backend:0.16.45", "env": env}
    path = cluster.pod("leaky", {"containers": [container]})
    cluster.when(path, lambda pod: pod["status"].get("containerStatuses", [{}])[0].get("restartCount", 0) >= 1)

    assert "invalid port number in POSTGRES_DATABASE_URI" in cluster.log("leaky", "previous=true")
    everything = cluster.log("leaky") + cluster.log("leaky", "previous=true") + str(cluster.events("leaky"))
    kubelet = (cluster.folder / "kubelet.log").read_text()
    assert secret not in everything + kubelet
    status = cluster.get(path)["status"]
    assert secret not in str(status)
