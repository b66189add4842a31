"""The hook Jobs: schemas, the first administrator, a trace there and back."""

from typing import Any


def test_migrations_may_run_again(platform: Any) -> None:
    """An upgrade runs the migrations on what is there, and keeps it."""
    before = platform.call("GET", "/workspaces")[1]
    for job in ("migrations", "ch-migrations", "backfill-check"):
        code, log = platform.run(job, f"again-{job}")
        assert (code, "done" in log) == (0, True), log
    assert platform.call("GET", "/workspaces")[1] == before


def test_the_initial_password_is_only_initial(platform: Any) -> None:
    """A changed Secret does not change the administrator's password."""
    code, log = platform.run("auth-bootstrap", "boot2", INITIAL_ORG_ADMIN_PASSWORD="Another-Horse-1")
    assert code == 0, log
    assert "Another-Horse" not in log
    assert platform.login()
    code, log = platform.run("e2e-test", "e2e3", INITIAL_ORG_ADMIN_PASSWORD="Another-Horse-1")
    assert code == 1
    assert "POST /login: HTTP 401 (an initial password changes nothing once its user exists)" in log


def test_a_weak_password(platform: Any) -> None:
    """A weak password ends the bootstrap."""
    code, log = platform.run("auth-bootstrap", "boot3", INITIAL_ORG_ADMIN_PASSWORD="weak")
    assert code == 1
    assert "needs 12 characters" in log


def test_the_end_to_end_test(platform: Any) -> None:
    """It sends a trace, reads it back, and leaves neither key nor project."""
    keys = platform.call("GET", "/api-key/current")[1]
    code, log = platform.run("e2e-test")

    assert code == 0, log
    assert platform.call("GET", "/api-key/current")[1] == keys
    assert not platform.call("GET", "/sessions?name_contains=end-to-end&include_stats=false")[1]


def test_the_end_to_end_test_fails_without_a_worker(platform: Any) -> None:
    """Nobody moves the trace: the test says that it cannot be read."""
    platform.pods["ingest-queue"].stop()
    code, log = platform.run("e2e-test", "e2e2")
    platform.serve("ingest-queue")

    assert code == 1
    assert "the trace that was sent cannot be read" in log


def test_a_migration_without_its_database(platform: Any) -> None:
    """The Job fails in the driver's words."""
    platform.gate.outcomes[platform.RDS] = "refused"
    try:
        code, log = platform.run("migrations", "lost")
    finally:
        del platform.gate.outcomes[platform.RDS]

    assert code == 1
    assert f'connection to server at "{platform.RDS}", port 5432 failed: Connection refused' in log


def test_without_the_migrations(platform: Any) -> None:
    """Without a schema the API is healthy and answers 500; the log has the database's words, the body has not."""
    pod = platform.serve("backend", "unmigrated", POSTGRES_SCHEMA="empty")
    url = f"http://127.0.0.1:{pod.port}"

    assert platform.ask(f"{url}/health")[0] == 200
    assert platform.ask(f"{url}/api/v1/sessions") == (500, {"detail": "Internal server error"})
    assert platform.log("unmigrated", 'relation "api_keys" does not exist')
    assert pod.stop() == 0
