"""Rules about the tree itself: what lies where, and what may not be where."""

import re
from pathlib import Path

import pytest

from hallmark import catalog, reference
from hallmark.cli.survey import all_checks
from hallmark.errors import AuthorError, UsageError
from hallmark.model import Level
from hallmark.reference import Coverage

ROOT = Path(__file__).parents[1]
LABS = {lab.id for lab in catalog.labs(ROOT)}


def _folders(tree: str) -> set[str]:
    return {path.name for path in (ROOT / tree).iterdir() if path.is_dir() and path.name != "__pycache__"}


def test_the_three_trees_hold_the_same_labs() -> None:
    """What the learner sees, what the examiner runs, what the author knows: one folder name."""
    assert _folders("labs") == _folders("graders") == _folders("solutions") == LABS


def test_each_lab_is_complete() -> None:
    """Guide, hints, reasons, mutants."""
    for lab in catalog.labs(ROOT):
        assert (ROOT / "labs" / lab.id / "guide.md").is_file(), lab.id
        assert (ROOT / "solutions" / lab.id / "why.md").is_file(), lab.id
        assert list((ROOT / "graders" / lab.id).glob("mutants*.py")), lab.id
        assert len(lab.hints) >= 3, lab.id


def test_every_track_has_a_lab() -> None:
    """Preflight, deployment, sharp edges, failure."""
    assert {lab.track for lab in catalog.labs(ROOT)} == set(catalog.TRACKS)


def test_the_engine_knows_no_lab() -> None:
    """A lab is found by path; the engine's help may show one as an example, its code never decides by one."""
    for file in (ROOT / "src").rglob("*.py"):
        code = re.sub(r'"""[\s\S]*?"""', "", file.read_text(encoding="utf-8"))
        assert not [lab for lab in LABS if lab in code], file


def test_every_p0_clause_has_a_check() -> None:
    """All 59 but the one that no target decides: ART-2 is a promise of Hallmark's, kept by its labs."""
    checks = all_checks(ROOT)
    proven = {clause for check in checks for clause in check.clauses}
    required = {clause.id for clause in reference.load().clauses.values() if clause.level is Level.P0}
    decidable = {clause.id for clause in reference.load().http_decidable() if clause.level is Level.P0}

    assert (len(required), required - proven) == (59, {"ART-2"})
    assert decidable <= proven


def test_every_p0_clause_is_covered() -> None:
    """Of CH-1 the part about a ClickHouse outside the cluster is not: its size is in a contract nobody can read."""
    rows = reference.matrix(reference.load(), all_checks(ROOT), catalog.labs(ROOT))
    required = [row for row in rows if row.clause.level is Level.P0]

    assert [(row.clause.id, row.state) for row in required if row.state is not Coverage.COVERED] == [
        ("CH-1", Coverage.PARTLY)
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = ", "not valid TOML"),
        ("", "missing title"),
        ('title = 5\ntrack = "x"\nsummary = ""\nminutes = "a"\norder = 1\ntargets = []\nstart = ""\n', "title must be"),
        (
            'title = "t"\ntrack = "moon"\nsummary = "s"\nminutes = 1\norder = 1\ntargets = ["aws"]\nstart = "empty"\n',
            "track must be one of",
        ),
        ('extra = 1\ntitle = "t"\n', "unknown key extra"),
    ],
)
def test_a_malformed_lab_is_named(tmp_path: Path, text: str, says: str) -> None:
    """One sentence with the file and the entry."""
    folder = tmp_path / "labs" / "broken"
    folder.mkdir(parents=True)
    (folder / "lab.toml").write_text(text)

    with pytest.raises(AuthorError, match=says):
        catalog.labs(tmp_path)


@pytest.mark.parametrize("name", ["no-such-lab", "../labs", ".hidden", ""])
def test_an_unknown_lab_is_refused_with_the_ones_there_are(name: str) -> None:
    """The message helps on."""
    with pytest.raises(UsageError, match="unknown lab") as caught:
        catalog.lab(ROOT, name)

    assert "deploy-foundation" in caught.value.hint
