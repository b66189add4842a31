"""The platform as a target: what a request becomes, and that nothing looks healthy that is not."""

import json
import runpy
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hallmark.errors import AuthorError
from hallmark.model import Answer, Call, Status
from hallmark.targets.platform import PlatformSource, key_of
from hallmark.targets.profile import Profile

stand_in = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("platform_server.py"))))
SESSIONS = "/api/v1/sessions?limit=1"


def source(folder: Path, platform: Any, key: str = stand_in.KEY, seconds: float = 30) -> PlatformSource:
    """Make a source that reaches *platform* by its proxy."""
    profile = Profile(host=stand_in.HOST, proxy=platform.proxy, ca=str(folder / "ca.pem"))
    return PlatformSource(profile, key, seconds=seconds)


def ask(folder: Path, platform: Any, operation: str, seconds: float = 30, **params: str) -> Answer:
    """Ask one question."""
    return source(folder, platform, seconds=seconds).answer(Call.of("platform", operation, **params))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificate of the authority lies."""
    return tmp_path_factory.mktemp("platform")


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Any]:
    """A platform for all tests of this module."""
    with stand_in.running(folder, names=(stand_in.HOST, "localhost")) as found:
        yield found


@pytest.fixture
def platform(shared: Any) -> Any:
    """It, in order again."""
    shared.switches.clear()
    shared.requests.clear()
    shared.keys.clear()
    return shared


def test_a_platform_in_order_shows_certificate_and_version(folder: Path, platform: Any) -> None:
    """What a careful client wants to see, and no version that is too old."""
    answer = ask(folder, platform, "handshake")

    assert (answer.status, answer.value["version"], answer.value["problem"]) == (Status.OBSERVED, "TLSv1.3", "")
    assert answer.value["names"] == ["langsmith.hallmark.example", "localhost"]
    assert "trustme" in answer.value["issuer"]
    assert answer.value["not_after"].endswith("Z")
    assert set(answer.value["old"]) == {"TLSv1", "TLSv1.1"}
    assert set(answer.value["old"].values()) <= {"refused", "closed"}


@pytest.mark.parametrize(("switches", "settings", "words"), [
    ((), {"days": -1}, "expired"),
    ((), {"names": ("other.example",)}, "Hostname mismatch"),
    (("stranger",), {}, "unable to get local issuer"),
], ids=["expired", "wrong name", "nobody known"])  # fmt: skip
def test_a_certificate_nobody_should_accept_is_seen_and_said(
    tmp_path: Path, switches: tuple[str, ...], settings: dict[str, Any], words: str
) -> None:
    """It is read all the same, and requests are not sent to whoever shows it."""
    with stand_in.running(tmp_path, *switches, **settings) as found:
        seen = ask(tmp_path, found, "handshake")
        asked = ask(tmp_path, found, "authorized", path=SESSIONS)

        assert words in seen.value["problem"]
        assert seen.value["names"]
        assert (asked.status, asked.code) == (Status.FAILED, "unreachable")
        assert words in asked.message
        assert found.keys == []


def test_old_versions_that_are_spoken_are_seen(tmp_path: Path) -> None:
    """Whatever the TLS library of this machine is set up to do."""
    with stand_in.running(tmp_path, "old_tls") as found:
        assert ask(tmp_path, found, "handshake").value["old"] == {"TLSv1": "accepted", "TLSv1.1": "accepted"}


def test_a_port_443_without_tls_is_an_observation(tmp_path: Path) -> None:
    """Plain HTTP where TLS is expected."""
    with stand_in.running(tmp_path, "no_tls") as found:
        seen = ask(tmp_path, found, "handshake")

    assert (seen.status, seen.value["version"], seen.value["names"]) == (Status.OBSERVED, "", [])
    assert seen.value["problem"]


def test_port_80_leads_to_https(folder: Path, platform: Any) -> None:
    """Status and place."""
    value = ask(folder, platform, "redirect").value

    assert (value["status"], value["location"]) == (301, f"https://{stand_in.HOST}:443/")
    platform.switches.add("plain")
    assert ask(folder, platform, "redirect").value["status"] == 200


def test_no_listener_on_port_80_is_an_answer_without_a_proxy(folder: Path, platform: Any) -> None:
    """The machine itself says so; behind a proxy nobody can tell."""
    nobody = PlatformSource(Profile(url=platform.url, ca=str(folder / "ca.pem")))
    answer = nobody.answer(Call.of("platform", "redirect"))

    # Should something listen on port 80 of this very machine, it answered.
    assert answer.status in {Status.ABSENT, Status.OBSERVED}


def test_requests_go_with_and_without_the_key(folder: Path, platform: Any) -> None:
    """Anonymous, authorized, and with a key that was made up."""
    assert ask(folder, platform, "get", path=SESSIONS).value["status"] == 401
    assert ask(folder, platform, "post", path="/api/v1/runs/query").value["status"] == 401
    assert ask(folder, platform, "forged", path=SESSIONS).value["status"] == 401
    assert ask(folder, platform, "authorized", path=SESSIONS).value | {"milliseconds": 0} == {
        "status": 200,
        "content_type": "application/json; charset=utf-8",
        "server": platform_server(folder, platform),
        "location": "",
        "shape": "list",
        "selected": {},
        "milliseconds": 0,
    }
    assert platform.keys[0:2] == ["", ""]
    assert platform.keys[2] not in {"", stand_in.KEY}


def platform_server(folder: Path, platform: Any) -> str:
    """Return what the stand-in calls itself."""
    server: str = ask(folder, platform, "get", path="/ok").value["server"]
    return server


def test_it_is_reached_by_another_address_without_a_proxy(folder: Path, platform: Any) -> None:
    """The setting url wins over the host."""
    direct = PlatformSource(Profile(url=platform.url, ca=str(folder / "ca.pem")))

    assert direct.answer(Call.of("platform", "get", path="/api/v1/info")).value["shape"] == "object"
    assert direct.answer(Call.of("platform", "handshake")).value["problem"] == ""


def test_information_is_chosen(folder: Path, platform: Any) -> None:
    """Version and end of the license, under names that do not look like a secret's."""
    value = ask(folder, platform, "get", path="/api/v1/info").value

    assert value["selected"] == {"version": "0.16.45", "valid_until": "2099-01-01T00:00:00Z"}


@pytest.mark.parametrize("switch", ["", "page"])
def test_a_page_is_not_data(folder: Path, platform: Any, switch: str) -> None:
    """The single-page application answers whatever nobody else does, with 200; so does a dead API's front."""
    platform.switches.add(switch)
    path = "/api/v1/info" if switch else "/ok"

    value = ask(folder, platform, "get", path=path).value

    assert (value["status"], value["shape"], value["selected"]) == (200, "", {})


def test_an_open_platform_is_seen(folder: Path, platform: Any) -> None:
    """Without authentication the anonymous request brings data."""
    platform.switches.add("open")

    assert ask(folder, platform, "get", path=SESSIONS).value["status"] == 200
    assert ask(folder, platform, "forged", path=SESSIONS).value["status"] == 200


def test_a_redirect_loop_is_not_followed(folder: Path, platform: Any) -> None:
    """One request; and what a redirect carries is not kept."""
    platform.switches.add("loop")

    value = ask(folder, platform, "get", path=SESSIONS).value

    assert (value["status"], value["location"]) == (302, f"https://{stand_in.HOST}/api/v1/sessions")
    assert len(platform.requests) == 1


def test_a_body_without_end_is_not_read(folder: Path, platform: Any) -> None:
    """It is no data, and takes no memory."""
    platform.switches.add("huge")

    assert ask(folder, platform, "get", path=SESSIONS).value["shape"] == ""


@pytest.mark.parametrize(("switch", "code"), [
    ("reset", "unreachable"), ("silent", "timeout"), ("drip", "timeout"), ("proxy_504", "timeout"),
])  # fmt: skip
def test_no_reply_is_a_failure_and_never_absence(folder: Path, platform: Any, switch: str, code: str) -> None:
    """It cannot be told what the platform would have said."""
    platform.switches.add(switch)
    started = time.monotonic()

    seconds = 30 if switch == "reset" else 0.5
    answer = ask(folder, platform, "authorized", seconds=seconds, path=SESSIONS)

    assert (answer.status, answer.code, answer.value) == (Status.FAILED, code, None)
    assert time.monotonic() - started < 30


def test_a_proxy_that_does_not_let_through_denies(folder: Path, platform: Any) -> None:
    """For TLS, plain HTTP and requests alike."""
    platform.switches.add("proxy_403")
    answers = [ask(folder, platform, "handshake"), ask(folder, platform, "redirect")]
    answers.append(ask(folder, platform, "get", path="/ok"))

    assert {(answer.status, answer.code) for answer in answers} == {(Status.DENIED, "denied")}


def test_a_name_the_proxy_does_not_know_is_unreachable(folder: Path, platform: Any) -> None:
    """Its words are not repeated, its status is."""
    nowhere = PlatformSource(Profile(host="other.example", proxy=platform.proxy, ca=str(folder / "ca.pem")))
    answers = [nowhere.answer(Call.of("platform", name)) for name in ("handshake", "redirect")]
    answers.append(nowhere.answer(Call.of("platform", "get", path="/ok")))

    assert {answer.code for answer in answers} == {"unreachable"}
    assert all("502" in answer.message for answer in answers)


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 70 + ".example"])
def test_a_name_that_does_not_resolve_is_unreachable(host: str) -> None:
    """Whatever the reason."""
    answer = PlatformSource(Profile(host=host), seconds=5).answer(Call.of("platform", "handshake"))

    assert answer.code in {"unreachable", "timeout"}


def test_a_closed_port_is_unreachable(folder: Path, platform: Any) -> None:
    """Nothing listens there."""
    del platform
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"https://127.0.0.1:{unused.getsockname()[1]}"
    answer = PlatformSource(Profile(url=closed, ca=str(folder / "ca.pem"))).answer(Call.of("platform", "handshake"))

    assert (answer.code, answer.message.endswith("refuses connections")) == ("unreachable", True)


@pytest.mark.parametrize(("greeting", "code"), [(b"SSH-2.0-x\r\n", "malformed"), (b"", "timeout")])
def test_something_that_is_not_a_proxy_is_not_one(greeting: bytes, code: str) -> None:
    """A port that speaks another language, and one that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        accepted: list[socket.socket] = []

        def greet() -> None:
            accepted.append(other.accept()[0])
            accepted[0].sendall(greeting)

        thread = threading.Thread(target=greet)
        thread.start()
        nobody = PlatformSource(Profile(proxy=f"http://127.0.0.1:{other.getsockname()[1]}"), seconds=2)

        assert nobody.answer(Call.of("platform", "redirect")).code == code
        thread.join(60)
        accepted[0].close()


@pytest.mark.parametrize(
    ("key", "words"), [("", "export it as HALLMARK_API_KEY"), ("with\nline end", "cannot be an API key")]
)
def test_without_a_key_the_next_command_is_said(folder: Path, platform: Any, key: str, words: str) -> None:
    """Nothing is sent, and what was given is not repeated."""
    without = source(folder, platform, key)

    for call in (Call.of("platform", "authorized", path=SESSIONS), Call.of("platform", "round_trip")):
        answer = without.answer(call)
        assert (answer.status, answer.code) == (Status.DENIED, "no-key")
        assert words in answer.message
        assert "line end" not in answer.message
    assert platform.requests == []


def test_the_key_comes_from_the_environment() -> None:
    """Ours first, then the one every client of the platform knows."""
    assert key_of({}) == ""
    assert key_of({"LANGSMITH_API_KEY": "theirs\n"}) == "theirs"
    assert key_of({"LANGSMITH_API_KEY": "theirs", "HALLMARK_API_KEY": "ours"}) == "ours"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path, platform: Any, content: str | None) -> None:
    """A setting that is wrong, not a platform."""
    if content:
        (tmp_path / "ca.pem").write_text(content)
    answer = ask(tmp_path, platform, "get", path="/ok")

    assert (answer.status, answer.code) == (Status.FAILED, "malformed")
    assert "ca.pem is not a file of certificates" in answer.message


def test_only_known_questions_are_answered() -> None:
    """An author's mistake is said as one."""
    with pytest.raises(AuthorError, match=r"platform\.delete is not a question"):
        PlatformSource(Profile()).answer(Call.of("platform", "delete"))


def test_no_answer_holds_the_key_or_a_body(folder: Path, platform: Any) -> None:
    """Whatever was asked."""
    calls = [Call.of("platform", name, path=SESSIONS) for name in ("authorized", "get", "forged")]
    calls += [Call.of("platform", name) for name in ("round_trip", "handshake", "redirect")]
    text = json.dumps([source(folder, platform).answer(call).value for call in calls])

    assert [secret for secret in (stand_in.KEY, "doctype", "hallmark-probe-") if secret in text] == []
