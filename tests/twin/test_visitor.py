"""Coming into the twin as people do: what is looked for, when, and what is said when no way leads in."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.model import Call, Status
from hallmark.targets.platform import PlatformSource
from hallmark.targets.profile import Profile
from hallmark.twin import visitor
from hallmark.twin.entrance import Entrance
from hallmark.twin.visitor import Visitor

PROJECTS = Call.of("platform", "authorized", path="/api/v1/sessions")
INFO = Call.of("platform", "get", path="/api/v1/info")
ENTRANCE = Entrance("https://langsmith.hallmark.example", "http://127.0.0.1:9", Path("ca.pem"))


class _Twin:
    """Stands for a twin; an error is raised where it would be."""

    def __init__(self, entrance: Any = ENTRANCE, key: Any = "lsv2_pt_made_by_the_twin") -> None:
        self._entrance, self._key = entrance, key
        self.asked: list[str] = []

    def entrance(self) -> Any:
        self.asked.append("entrance")
        return _or_raise(self._entrance)

    def api_key(self) -> Any:
        self.asked.append("key")
        return _or_raise(self._key)


def _or_raise(what: Any) -> Any:
    if isinstance(what, Exception):
        raise what
    return what


@pytest.fixture
def came(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Profile, str]]:
    """How the platform was reached: settings and key, of each source that was made."""
    made: list[tuple[Profile, str]] = []

    class Source(PlatformSource):
        def __init__(self, profile: Profile, key: str = "") -> None:
            made.append((profile, key))
            super().__init__(profile, key, seconds=1)

    monkeypatch.setattr(visitor, "PlatformSource", Source)
    return made


def _visitor(twin: _Twin, **settings: Any) -> Visitor:
    return Visitor(Profile(**settings), twin)  # type: ignore[arg-type]  # stands for the twin


def test_nothing_is_looked_for_before_the_first_call(came: list[tuple[Profile, str]]) -> None:
    """Most labs ask the platform nothing."""
    twin = _Twin()

    _visitor(twin)

    assert (twin.asked, came) == ([], [])


def test_the_twin_says_how_it_is_reached_and_makes_the_key(
    came: list[tuple[Profile, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings and keys that are meant for another platform are not used."""
    monkeypatch.setenv("HALLMARK_API_KEY", "lsv2_pt_of_another_platform")
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_pt_of_another_platform")

    _visitor(_Twin(), url="https://other.example", proxy="http://127.0.0.1:8").answer(PROJECTS)

    ((profile, key),) = came
    assert (profile.url, profile.proxy, profile.ca) == ("", ENTRANCE.proxy, "ca.pem")
    assert key == "lsv2_pt_made_by_the_twin"


def test_one_key_is_made_for_all_who_ask_at_once(came: list[tuple[Profile, str]]) -> None:
    """And none for who asks without."""
    twin = _Twin()
    asking = _visitor(twin)

    asking.answer(INFO)
    assert "key" not in twin.asked
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(asking.answer, [PROJECTS] * 4))

    assert (twin.asked.count("key"), len(came)) == (1, 2)


@pytest.mark.parametrize(
    ("twin", "call", "words"),
    [
        (_Twin(entrance=UsageError("No Terraform state.")), INFO, "No Terraform state."),
        (_Twin(entrance=None), INFO, "no load balancers"),
        (_Twin(key=EnvironmentFault("LangSmith gives no API key.")), PROJECTS, "LangSmith gives no API key."),
    ],
)
def test_a_twin_without_a_way_in_or_a_key_does_not_answer(twin: _Twin, call: Call, words: str) -> None:
    """A verdict, no traceback."""
    answer = _visitor(twin).answer(call)

    assert (answer.status, answer.code) == (Status.FAILED, "unreachable")
    assert words in answer.message
