"""A scorecard survives its file unchanged, and a file that is not one is refused in words."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import UsageError
from hallmark.model import Result, Scorecard, Verdict
from hallmark.reporting.scorecard import FORMAT, read, to_json

Json = dict[str, Any]
Make = Callable[..., Result]
MakeCard = Callable[[Iterable[Result]], Scorecard]


def written(folder: Path, text: str) -> Path:
    """Return a file that holds *text*."""
    path = folder / "scorecard.json"
    path.write_text(text, encoding="utf-8")
    return path


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside *value*."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from spots(inner, (*path, key))


def changed(body: Json, path: tuple[Any, ...], value: Any) -> Json:
    """Return a copy of *body* with *value* at *path*; None deletes it."""
    copy: Json = json.loads(json.dumps(body))
    owner: Any = copy
    for key in path[:-1]:
        owner = owner[key]
    if value is None:
        del owner[path[-1]]
    else:
        owner[path[-1]] = value
    return copy


def test_what_is_written_is_read_back(any_card: Scorecard, tmp_path: Path) -> None:
    """Every scorecard is equal to itself after a round trip, and so is its text."""
    text = to_json(any_card)
    back = read(written(tmp_path, text))
    assert back == any_card
    assert to_json(back) == text


def test_equal_scorecards_are_equal_files(mixed: Scorecard) -> None:
    """The order in which a mapping was filled does not show."""
    turned = replace(mixed, target=dict(reversed(list(mixed.target.items()))))
    assert to_json(turned) == to_json(mixed)
    body = json.loads(to_json(mixed))
    assert list(body) == sorted(body)
    assert body["format"] == FORMAT


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"format": 1}', '{"format": 2}', '{"format": 1, "results": 5}', "[" * 100_000],
)
def test_a_file_that_is_no_scorecard_is_refused(text: str, tmp_path: Path) -> None:
    """Not JSON, not a table, no format, another format: a sentence with the file's name and a next command."""
    with pytest.raises(UsageError, match=r"scorecard\.json (is not a scorecard|has another)") as caught:
        read(written(tmp_path, text))
    assert "nox -s grade" in caught.value.hint


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are no text are a person's mistakes."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "bytes"):
        with pytest.raises(UsageError, match=str(path)):
            read(path)


def test_every_missing_value_is_noticed(mixed: Scorecard, tmp_path: Path) -> None:
    """Whatever field is deleted, the file is refused: nothing is filled in by guessing."""
    body = json.loads(to_json(mixed))
    free = {"target", "versions"}
    paths = [path for path in spots(body) if isinstance(path[-1], str) and not free.intersection(path[:-1])]
    assert len(paths) > 100
    for path in paths:
        with pytest.raises(UsageError):
            read(written(tmp_path, json.dumps(changed(body, path, None))))


@pytest.mark.parametrize("wrong", [True, 1.5, ["x", 1], {"x": 1}])
def test_every_value_of_a_wrong_kind_is_noticed(wrong: Any, mixed: Scorecard, tmp_path: Path) -> None:
    """A value of another kind in any place is refused, never converted."""
    body = json.loads(to_json(mixed))
    for path in spots(body):
        with pytest.raises(UsageError):
            read(written(tmp_path, json.dumps(changed(body, path, wrong))))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("earned",), 13),
        (("possible",), 12),
        (("recommended_met",), 2),
        (("recommended",), 3),
        (("results", 0, "verdict"), "FAIL"),
        (("results", 0, "check", "points"), 3),
        (("results", 0, "check", "points"), -2),
        (("results", 0, "check", "id"), "lab-one/waf"),
        (("results", 0, "check", "level"), "REC"),
        (("results", 0, "cause"), "lab-one/waf"),
        (("results", 3, "cause"), "lab-one/nobody"),
        (("results", 3, "cause"), "lab-one/vpc"),
        (("results", 3, "cause"), ""),
        (("surplus",), "x"),
        (("results", 0, "check", "surplus"), "x"),
    ],
)
def test_a_scorecard_that_contradicts_itself_is_refused(
    path: tuple[Any, ...], value: Any, mixed: Scorecard, tmp_path: Path
) -> None:
    """Totals follow from the results, ids are unique, and what is blocked names a cause that is there."""
    body = changed(json.loads(to_json(mixed)), path, value)
    with pytest.raises(UsageError, match="is not a scorecard"):
        read(written(tmp_path, json.dumps(body)))


def test_points_cannot_be_negative(a_result: Make, a_card: MakeCard, tmp_path: Path) -> None:
    """A check that takes points away is no check, even if the totals agree with it."""
    card = a_card([a_result("one", Verdict.PASS, points=-1)])
    with pytest.raises(UsageError, match="negative points"):
        read(written(tmp_path, to_json(card)))
