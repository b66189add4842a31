"""Valkey as ElastiCache gives it: starts, keeps, survives, refuses."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hallmark.twin.stores.valkey import Valkey
from hallmark.waiting import until

OLD, NEW = "a-token-of-sixteen-letters", "another-token-of-letters"
Run = Callable[[Any], Any]


def ask(server: Valkey, *words: str, token: str | None = OLD) -> Any:
    """What a client is told."""
    host, port = server.address
    with redis.Redis(
        host=host,
        port=port,
        password=token,
        decode_responses=True,
        socket_timeout=30,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
    ) as client:
        return client.execute_command(*words)


@pytest.fixture
def server(run: Run, tmp_path: Path) -> Valkey:
    """A running server."""
    running: Valkey = run(Valkey(tmp_path / "a folder", [OLD]))
    return running


def test_data_outlives_the_server(server: Valkey) -> None:
    """What was written is there after an orderly end, and after a violent one."""
    ask(server, "SET", "a", "1")
    server.stop()
    server.start()
    assert ask(server, "GET", "a") == "1"

    ask(server, "WAITAOF", "1", "0", "30000")
    os.kill(server.pid, signal.SIGKILL)
    assert until(lambda: not server.is_alive, 30)
    server.start()
    assert ask(server, "GET", "a") == "1"


def test_it_refuses(server: Valkey) -> None:
    """A wrong token, none, and what ElastiCache has no command for."""
    with pytest.raises(redis.AuthenticationError, match="invalid username-password pair or user is disabled"):
        ask(server, "PING", token="wrong")
    with pytest.raises(redis.AuthenticationError, match="Authentication required"):
        ask(server, "PING", token=None)
    for words in (("CONFIG", "GET", "maxmemory"), ("ACL", "SETUSER", "x"), ("SHUTDOWN",)):
        with pytest.raises(redis.exceptions.NoPermissionError):
            ask(server, *words)


def test_tokens_rotate(server: Valkey) -> None:
    """Two at a time, then the new one alone; a connection that stands goes on."""
    host, port = server.address
    with redis.Redis(host=host, port=port, password=OLD, socket_timeout=30) as client:
        assert client.ping()
        server.set_passwords([OLD, NEW])
        assert ask(server, "PING", token=OLD)
        assert ask(server, "PING", token=NEW)
        server.set_passwords([NEW])
        assert client.ping()
    with pytest.raises(redis.AuthenticationError):
        ask(server, "PING", token=OLD)
    server.stop()
    server.start()
    assert ask(server, "PING", token=NEW)


def test_without_tokens_everybody_is_let_in(run: Run, tmp_path: Path) -> None:
    """As without AUTH on ElastiCache."""
    server = run(Valkey(tmp_path))
    assert ask(server, "PING", token=None)


def test_settings_change_at_once(server: Valkey) -> None:
    """A full store refuses or evicts, as its parameter group says."""
    server.set_settings({"maxmemory": "1", "maxmemory-policy": "noeviction"})
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        ask(server, "SET", "a", "1")
