"""The pytest side: checks are ordinary tests with a mark."""

from pathlib import Path

import pytest

from hallmark import reference
from hallmark.errors import AuthorError
from hallmark.evidence.snapshot import Snapshot
from hallmark.grading import plugin
from hallmark.model import Level, Verdict

HEAD = "import pytest\nfrom hallmark.errors import Miss\n"
GOOD = '@pytest.mark.check("NET-5", "PG-5", points=3, why="Because.")\n'


def _grader(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "graders" / "some-lab"
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text(HEAD + text)
    return folder


def test_a_check_declares_itself_by_its_mark_and_docstring(tmp_path: Path) -> None:
    """Id from folder and function, title from the docstring, level from the clauses."""
    grader = _grader(tmp_path, GOOD + 'def test_one(network):\n    """The requirement.\n\n    More."""\n')

    (check,) = plugin.checks(grader, reference.load())

    assert (check.spec.id, check.spec.title) == ("some-lab/one", "The requirement.")
    assert (check.spec.level, check.spec.points) == (Level.P0, 3)


def test_grading_runs_checks_through_pytest_with_the_evidence_gathered(tmp_path: Path) -> None:
    """The evidence is gathered once the checks are known; results come back in order."""
    body = '    """The requirement."""\n'
    grader = _grader(
        tmp_path,
        GOOD + "def test_passes():\n" + body
        + GOOD + "def test_fails():\n" + body + '    raise Miss(expected="x", observed="y")\n',
    )  # fmt: skip

    results, evidence = plugin.grade(grader, reference.load(), lambda _: Snapshot(collected_at="now"))

    assert [result.verdict for result in results] == [Verdict.PASS, Verdict.FAIL]
    assert evidence.collected_at == "now"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('def test_one():\n    """Text."""\n', "marked with pytest.mark.check"),
        ('@pytest.mark.check("NET-99", why="w")\ndef test_one():\n    """Text."""\n', "clauses of the reference"),
        ('@pytest.mark.check("NET-1", why="w")\ndef test_one():\n    pass\n', "a docstring"),
        ('@pytest.mark.check("NET-1")\ndef test_one():\n    """Text."""\n', "a why"),
        ("import nothing_of_that_name\n", "cannot be loaded"),
        ("", "holds no check"),
    ],
)
def test_a_grader_written_wrong_is_its_authors_error(tmp_path: Path, text: str, says: str) -> None:
    """One sentence that names the grader; never a silent grade of nothing."""
    with pytest.raises(AuthorError, match=says):
        plugin.checks(_grader(tmp_path, text), reference.load())
