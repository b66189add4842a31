"""The generated pages say what the records say, safely, and nothing else."""

import json
import re
from dataclasses import replace
from pathlib import Path

import click
import pytest

from hallmark import catalog, reference
from hallmark.errors import AuthorError
from hallmark.faults import figures, kinds
from hallmark.model import CheckSpec, Lab, Level
from hallmark.reporting import pages

LAB = Lab(
    id="edge-rate",
    title="Limit the rate",
    track="sharp-edges",
    summary="Add a <rate> rule | keep ingestion.",
    minutes=30,
    order=1,
    targets=("twin", "aws"),
    start="baseline",
    hints=("Look at the firewall's rules.",),
    clauses=("SB-5",),
    edges=("SE-15",),
)
CHECK = CheckSpec(
    id="edge-rate/rate_rule",
    title="A `RateBasedStatement` blocks <everybody> | always.",
    clauses=("SB-5", "NET-8"),
    level=Level.P0,
    points=4,
    requires=("edge-rate/acl_found",),
    why="A flood would *stop* ingestion.",
)


@click.group()
@click.option("--region", metavar="REGION", help="AWS region | zone.")
def program(region: str) -> None:
    """Grade a system with `care`.

    \b
    Examples:
      hallmark lab start <lab>
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)


@program.group()
def lab() -> None:
    """Work on labs."""


@lab.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Do not ask.")
def start(name: str, force: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Begin the lab NAME."""


@lab.command(hidden=True)
def internal() -> None:
    """Not for people."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with one lab, and with secrets in the trees a learner must not see."""
    for name, text in {
        "labs/edge-rate/guide.md": "# Another title\n\n## Task\n\nMend [SB-5](../clauses.md#sb-5).\n",
        "CHANGELOG.md": "# Changes\n\n## 0.1.0\n",
        "solutions/edge-rate/why.md": "CANARY: the answer",
        "graders/edge-rate/fault.toml": 'kind = "CANARY"',
        "labs/edge-rate/start/main.tf": "# CANARY: not a page either",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def written(root: Path, labs: tuple[Lab, ...] = (LAB,), checks: tuple[CheckSpec, ...] = (CHECK,)) -> dict[str, str]:
    """Write the pages and return their text by name."""
    out = root / "out"
    files = pages.write(out, root=root, reference=reference.load(), labs=labs, checks=checks, command=program)
    return {file.relative_to(out).as_posix(): file.read_text(encoding="utf-8") for file in files}


def test_every_kind_of_page_is_written(root: Path) -> None:
    """Seven pages, and one for each lab."""
    assert set(written(root)) == {
        "clauses.md", "decisions.md", "checks.md", "faults.md", "cli.md", "changelog.md", "labs/index.md",
        "labs/edge-rate.md",
    }  # fmt: skip


def test_every_kind_of_fault_is_on_the_page_with_what_people_see(root: Path) -> None:
    """Symptom, sight, parameters and figures come from the kinds and from what was measured."""
    page = written(root)["faults.md"]
    for each in map(kinds.about, kinds.names()):
        assert f"## {each.name} {{ #{each.name} }}" in page
        assert not each.seen or "People see: " in page.split(f"## {each.name} {{")[1].split("\n## ")[0]
    assert page.count("| not measured yet |") == len(set(kinds.names()) - set(figures.read()))


def test_figures_that_are_not_there_are_a_dash(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a kind that was measured before signs of recovery were; of one with a problem, which is told instead."""
    old = {"seen": "nothing", "symptom": 1.0, "recovery": 2.0, "problem": "", "day": "2026-01-01"}
    wrong = {**old, "recovered": 0.0, "times": 2, "problem": "R1: not ready"}
    monkeypatch.setattr(figures, "read", lambda: {"dns-alias-moved": old, "redis-evicting": wrong})
    page = written(root)["faults.md"].replace("\N{EN DASH}", "-")
    rows = {line.split("]")[0]: line for line in page.splitlines() if line.startswith("| [")}
    assert "| 1.0 | 2.0 | - | 1 | nothing |" in rows["| [dns-alias-moved"]
    assert "| - | - | - | 2 | R1: not ready |" in rows["| [redis-evicting"]
    assert "| - | - | - | - | not measured yet |" in rows["| [volume-throttled"]


def test_nothing_but_guides_and_the_changelog_is_read_from_the_project(root: Path) -> None:
    """Solutions, faults and start files stay where they are."""
    assert "CANARY" not in json.dumps(written(root))


def test_a_hint_is_not_shown_before_it_is_asked_for(root: Path) -> None:
    """Hints escalate in the terminal, one at a time."""
    assert LAB.hints[0] not in json.dumps(written(root))


def test_a_lab_page_has_one_title_and_it_comes_from_the_record(root: Path) -> None:
    """The guide's own title goes; its text stays."""
    page = written(root)["labs/edge-rate.md"]
    assert page.startswith("# Limit the rate\n")
    assert page.count("\n# ") == 0
    assert "Mend [SB-5](../clauses.md#sb-5)." in page
    assert "[SE-15](../../sharp-edges.md#se-15)" in page


@pytest.mark.parametrize("start", catalog.STARTS)
def test_every_start_a_lab_may_have_is_put_in_words(root: Path, start: str) -> None:
    """A learner reads what there is at the beginning, not our word for it."""
    page = written(root, labs=(replace(LAB, start=start),))["labs/edge-rate.md"]
    words = re.search(r"^\| \*\*Begins with\*\* \| (.+) \|$", page, re.MULTILINE)
    assert words
    assert " " in words[1]


def test_a_guide_may_begin_without_a_title_or_with_a_code_comment(root: Path) -> None:
    """Only a title on the first line is taken away."""
    guide = root / "labs/edge-rate/guide.md"
    guide.write_text("## Task\n\n```bash\n# a comment\n```\n", encoding="utf-8")
    page = written(root)["labs/edge-rate.md"]
    assert "## Task" in page
    assert "# a comment" in page


def test_text_of_records_cannot_break_a_page(root: Path) -> None:
    """Markup and table bars are text; words between backticks are code."""
    page = written(root)["checks.md"]
    assert "A <code>RateBasedStatement</code> blocks &lt;everybody&gt; &#124; always." in page
    assert "&#42;stop&#42;" in page
    assert "&lt;rate&gt; rule &#124; keep" in written(root)["labs/index.md"]


def test_a_check_has_its_points_clauses_prerequisites_and_an_anchor(root: Path) -> None:
    """All that a check declares about itself can be found on one line."""
    line = next(line for line in written(root)["checks.md"].splitlines() if line.startswith("| [rate_rule]"))
    assert "{ #edge-rate-rate-rule }" in line
    assert "[SB-5](clauses.md#sb-5) [NET-8](clauses.md#net-8)" in line
    assert "After: [acl_found](#edge-rate-acl-found)" in line
    assert line.endswith("| 4 |")


def test_a_clause_shows_its_state_its_checks_its_labs_and_its_decision(root: Path) -> None:
    """SB-5 is covered by the check, taught by the lab and rests on D1; SB-4 is planned."""
    lines = written(root)["clauses.md"].splitlines()
    covered = next(line for line in lines if line.startswith("| [SB-5]"))
    assert ">covered</span>" in covered
    assert "[edge-rate/rate_rule](checks.md#edge-rate-rate-rule)" in covered
    assert "[D1](decisions.md#d1)" in covered
    assert "[Limit the rate](labs/edge-rate.md)" in covered
    assert ">planned</span>" in next(line for line in lines if line.startswith("| [SB-4]"))


def test_a_track_without_a_lab_says_so(root: Path) -> None:
    """Every track has its heading, so that the plan can be seen."""
    page = written(root, labs=(), checks=())["labs/index.md"]
    assert page.count("| None yet. |") == 4


def test_commands_are_described_from_the_program_itself(root: Path) -> None:
    """Usage, help and options of every visible command; --help once; hidden commands not at all."""
    page = written(root)["cli.md"]
    assert "## `hallmark lab start` { #hallmark-lab-start }" in page
    assert "hallmark lab start [OPTIONS] NAME" in page
    assert "| <code>--force</code> | Do not ask. |" in page
    assert "AWS region &#124; zone." in page
    assert "```text\nExamples:\n  hallmark lab start <lab>\n```" in page
    assert page.count("<code>--help</code>") == 1
    assert "internal" not in page


def test_a_page_of_a_lab_that_is_gone_goes_too(root: Path) -> None:
    """The folder holds what was written now, nothing of an earlier run."""
    written(root)
    written(root, labs=(), checks=())
    assert not (root / "out/labs/edge-rate.md").exists()


def test_a_lab_without_a_guide_is_its_authors_mistake(root: Path) -> None:
    """The message names the file to write."""
    (root / "labs/edge-rate/guide.md").unlink()
    with pytest.raises(AuthorError, match=r"guide\.md is missing"):
        written(root)


def test_writing_twice_gives_the_same_bytes(root: Path) -> None:
    """Pages know no clock."""
    assert written(root) == written(root)
