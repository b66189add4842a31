"""What breaks, what an operator sees of it, and that nothing that was accepted is lost."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from hallmark.waiting import until


def small(**more: Any) -> dict[str, Any]:
    """A run with a small payload."""
    return {"id": str(uuid4()), "name": "f", "run_type": "chain", "session_name": "faults", "inputs": {"a": 1}, **more}


@contextmanager
def broken(platform: Any, host: str, outcome: str = "refused") -> Iterator[None]:
    """New connections to a store fail."""
    platform.gate.outcomes[host] = outcome
    try:
        yield
    finally:
        platform.gate.outcomes.pop(host, None)


def test_a_lost_clickhouse(platform: Any) -> None:
    """Runs are accepted and wait, reading fails, the queue tells; afterwards all of them can be read."""
    before = small()
    assert platform.call("POST", "/runs", before)[0] == 202
    platform.readable(before["id"])
    platform.stop_clickhouse()
    runs = [small() for _ in range(5)]
    for each in runs:
        assert platform.call("POST", "/runs", each)[0] == 202

    assert platform.call("GET", f"/runs/{before['id']}") == (500, {"detail": "Internal server error"})
    assert platform.call("GET", "/sessions?limit=1")[0] == 200
    assert platform.log("backend", "Failed to establish a new connection: Connection refused")
    assert platform.log("ingest-queue", "worker error: ingestion: HTTPConnectionPool(host='ls-clickhouse', port=8123)")
    assert platform.pending() >= 5
    platform.gate.outcomes.pop(platform.CLICKHOUSE)
    platform.start_clickhouse()
    for each in runs:
        assert platform.readable(each["id"])["inputs"] == {"a": 1}
    assert until(lambda: platform.pending() == 0, 60)


def test_a_wrong_password_of_clickhouse(platform: Any) -> None:
    """The engine's own words are in the log."""
    platform.again("backend", CLICKHOUSE_PASSWORD="wrong")
    assert platform.call("POST", "/runs/query", {})[0] == 500
    assert platform.log("backend", "DB::Exception: default: Authentication failed")
    platform.again("backend")


def test_a_lost_redis(platform: Any) -> None:
    """Runs are refused with 500, reading goes on; connections that stand are not cut, new ones fail."""
    known = small()
    assert platform.call("POST", "/runs", known)[0] == 202
    platform.readable(known["id"])
    platform.cache.stop()
    with broken(platform, platform.CACHE):
        assert platform.call("POST", "/runs", small()) == (500, {"detail": "Internal server error"})
        assert platform.call("GET", f"/runs/{known['id']}")[0] == 200
        assert platform.log("platform-backend", f"Error 111 connecting to {platform.CACHE}:6379. Connection refused.")
    platform.cache.start()
    platform.gate.routes[platform.CACHE] = platform.cache.address
    again = small()
    assert until(lambda: platform.call("POST", "/runs", again)[0] == 202, 60)
    platform.readable(again["id"])


def test_a_full_redis(platform: Any) -> None:
    """Without room for a run it is refused in Redis' words; the probe, which only pings, stays well."""
    platform.cache.set_settings({"maxmemory": "1", "maxmemory-policy": "noeviction"})
    try:
        assert platform.call("POST", "/runs", small())[0] == 500
        assert platform.log("platform-backend", "command not allowed when used memory > 'maxmemory'")
        assert platform.ask(f"http://127.0.0.1:{platform.pods['platform-backend'].port}/ok")[0] == 200
    finally:
        platform.cache.set_settings({"maxmemory": "256mb"})
    assert platform.call("POST", "/runs", small())[0] == 202


def test_a_lost_postgres(platform: Any) -> None:
    """While a key is remembered runs are accepted; a stranger's key and the list of projects fail."""
    assert platform.call("POST", "/runs", small())[0] == 202
    platform.database.stop()
    with broken(platform, platform.RDS):
        run = small()
        assert platform.call("POST", "/runs", run)[0] == 202
        assert platform.call("GET", "/sessions?limit=1") == (500, {"detail": "Internal server error"})
        assert platform.call("GET", "/sessions?limit=1", x_api_key="lsv2_pt_else")[0] == 500
        assert platform.log(
            "backend", f'connection to server at "{platform.RDS}", port 5432 failed: Connection refused'
        )
        assert platform.call("POST", "/runs", small(session_name=f"new-{uuid4()}"))[0] == 202
        assert platform.log("ingest-queue", f'worker error: ingestion: connection to server at "{platform.RDS}"')
    platform.database.start()
    platform.gate.routes[platform.RDS] = platform.database.address
    platform.readable(run["id"])
    assert platform.call("GET", "/sessions?limit=1")[0] == 200


def test_a_rotated_password(platform: Any) -> None:
    """Connections that stand go on; a restarted workload ends with the store's words, and starts with the new one."""
    assert platform.call("GET", "/sessions?limit=1")[0] == 200
    platform.gate.denials[platform.RDS] = 'FATAL:  password authentication failed for user "ann"'
    try:
        assert platform.call("GET", "/sessions?limit=1")[0] == 200
        pod = platform.start("backend", "rotated")
        assert pod.process.wait(60) == 1
        pod.stop()
        assert 'startup error: postgres: FATAL:  password authentication failed for user "ann"' in pod.log
    finally:
        platform.gate.denials.clear()


def test_a_password_that_only_the_server_knows_to_be_wrong(platform: Any) -> None:
    """The server's own refusal is told with the name that the operator knows."""
    url = platform.environment()["POSTGRES_DATABASE_URI"].replace("correct", "wrong")
    pod = platform.start("backend", "mistaken", POSTGRES_DATABASE_URI=url)
    assert pod.process.wait(60) == 1
    pod.stop()

    assert f'connection to server at "{platform.RDS}", port 5432 failed: FATAL:  password auth' in pod.log
    assert "wrong-horse" not in pod.log


@pytest.mark.parametrize(
    ("outcome", "words"), [("timed out", "Connection timed out"), ("unknown host", "could not translate host name")]
)
def test_a_network_that_does_not_let_through(platform: Any, outcome: str, words: str) -> None:
    """A workload does not start; its log has libpq's words."""
    with broken(platform, platform.RDS, outcome):
        pod = platform.start("platform-backend", f"cut-{outcome.replace(' ', '-')}")
        assert pod.process.wait(60) == 1
        pod.stop()
    assert words in pod.log


def test_no_worker(platform: Any) -> None:
    """Accepted, and nothing appears: the queue grows until a worker is there again."""
    assert platform.pods["ingest-queue"].stop() == 0
    runs = [small() for _ in range(20)]
    assert platform.call("POST", "/runs/batch", {"post": runs})[0] == 202
    assert platform.pending() == 20
    assert platform.call("GET", f"/runs/{runs[0]['id']}")[0] == 404
    text = platform.ask(f"http://127.0.0.1:{platform.pods['platform-backend'].port}/metrics")[1]
    assert "ingestion_queue_pending 20" in text
    platform.serve("ingest-queue")
    platform.readable(runs[-1]["id"])
    assert until(lambda: platform.pending() == 0, 60)


def test_runs_that_wait_too_long(platform: Any) -> None:
    """What waited longer in Redis than it may is gone, and the worker says how much."""
    platform.pods["ingest-queue"].stop()
    lost = small()
    assert platform.call("POST", "/runs", lost)[0] == 202
    assert until(lambda: platform.cache_age() > 1.2, 30)
    pod = platform.serve("ingest-queue", REDIS_RUNS_EXPIRY_SECONDS="1")
    assert until(lambda: "1 runs expired in Redis after 1 seconds" in pod.log, 60)
    assert platform.pending() == 0
    platform.again("ingest-queue")
    fresh = small()
    assert platform.call("POST", "/runs", fresh)[0] == 202
    platform.readable(fresh["id"])
    assert platform.call("GET", f"/runs/{lost['id']}")[0] == 404


def test_a_killed_worker(platform: Any) -> None:
    """What a worker held when it was killed is done by the next one."""
    platform.stop_clickhouse()
    run = small()
    assert platform.call("POST", "/runs", run)[0] == 202
    held = platform.pods["ingest-queue"]
    assert until(lambda: held.log.count("worker error: ingestion") > 0, 60)
    held.stop(signal.SIGKILL)
    platform.gate.outcomes.pop(platform.CLICKHOUSE)
    platform.start_clickhouse()
    platform.pods["ingest-queue"] = platform.serve("ingest-queue", "ingest-next")
    assert platform.readable(run["id"])["inputs"] == {"a": 1}


def test_two_workers_of_which_one_is_killed(platform: Any) -> None:
    """A worker is killed in the middle of a thousand runs: the other does them all, each once."""
    project = f"two-{uuid4()}"
    second = platform.serve("ingest-queue", "ingest-second")
    for _ in range(10):
        runs = [small(session_name=project) for _ in range(100)]
        assert platform.call("POST", "/runs/batch", {"post": runs})[0] == 202
    second.stop(signal.SIGKILL)
    assert until(lambda: platform.pending() == 0, 90)
    identity = platform.call("GET", f"/sessions?name={project}&include_stats=false")[1][0]["id"]

    assert platform.call("POST", "/runs/stats", {"session": [identity]})[1]["run_count"] == 1000


def test_the_liveness_of_the_queue(platform: Any) -> None:
    """``saq --check`` really asks Redis."""
    assert platform.saq() == 0
    platform.cache.stop()
    assert platform.saq() == 1
    platform.cache.start()
    platform.gate.routes[platform.CACHE] = platform.cache.address
    assert platform.saq() == 0


def test_queues_for_the_scaler(platform: Any) -> None:
    """What KEDA reads: the queue of the backend, and three of platform-backend."""
    backend, other = (platform.pods[name].port for name in ("backend", "platform-backend"))

    assert until(lambda: platform.ask(f"http://127.0.0.1:{backend}/metrics/queue/default") == (200, {"queued": 0}), 60)
    found = platform.ask(f"http://127.0.0.1:{other}/metrics?format=json")[1]
    assert set(found) == {"ingestion_queue", "feedback_queue", "adhoc_queue"}


def test_workers_answer_their_probes(platform: Any) -> None:
    """The workers have a probe and nothing else."""
    for name in ("queue", "ingest-queue"):
        url = f"http://127.0.0.1:{platform.pods[name].port}"
        assert platform.ask(f"{url}/health") == (200, {"health": "ok"})
        assert platform.ask(f"{url}/else")[0] == 404
        assert "listening on port" in platform.pods[name].log
        assert platform.pods[name].log.splitlines()[0].endswith("Hallmark's stand-in, not the product")


def test_names_without_servers(platform: Any) -> None:
    """Where nothing is behind the names, workloads live as before, and calls for data are 503."""
    known = dict(platform.gate.routes)
    platform.gate.routes |= {platform.RDS: ("", 5432), platform.CACHE: ("", 6379)}
    try:
        pods = [platform.serve(role, f"void-{role}") for role in ("platform-backend", "backend", "queue")]
        path = {"platform-backend": "/ok", "backend": "/health", "queue": "/health"}
        for pod, where in zip(pods, path.values(), strict=True):
            assert platform.ask(f"http://127.0.0.1:{pod.port}{where}")[0] == 200
        assert platform.ask(f"http://127.0.0.1:{pods[0].port}/runs", "POST", small())[0] == 503
        assert platform.ask(f"http://127.0.0.1:{pods[1].port}/sessions")[0] == 503
        assert platform.run("migrations", "void-job")[0] == 0
        platform.gate.routes |= {name: known[name] for name in (platform.RDS, platform.CACHE)}
        assert platform.ask(f"http://127.0.0.1:{pods[1].port}/sessions")[0] == 200
        assert platform.ask(f"http://127.0.0.1:{pods[0].port}/runs", "POST", small())[0] == 202
        assert [pod.stop() for pod in pods] == [0, 0, 0]
    finally:
        platform.gate.routes.clear()
        platform.gate.routes |= known
