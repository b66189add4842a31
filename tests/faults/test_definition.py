"""What an author writes: fault.toml, kinds; and what a journal looks like when it is damaged."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from hallmark.errors import AuthorError, EnvironmentFault, UsageError
from hallmark.faults import definition, journal, kinds, runner
from hallmark.model import Call
from hallmark.targets.profile import Profile
from hallmark.targets.writer import WRITES, AwsWriter

ROOT = Path(__file__).parents[2]
PARAMS = tomllib.loads(Path(__file__).with_name("params.toml").read_text())
GOOD = {"kind": '"database-security-group"', "ttl_minutes": "60", "symptom": '"It is slow."', "phases": '["repair"]'}


def write(folder: Path, **changes: str) -> Path:
    """A fault.toml, good but for *changes*; an empty value leaves a key out."""
    file = folder / "some-lab" / "fault.toml"
    file.parent.mkdir()
    file.write_text("".join(f"{k} = {v}\n" for k, v in {**GOOD, **changes}.items() if v))
    return file


def test_a_fault_is_read_from_its_file(tmp_path: Path) -> None:
    """The lab is the folder's name."""
    fault = definition.read(write(tmp_path))
    assert (fault.lab, fault.kind, fault.ttl) == ("some-lab", "database-security-group", timedelta(hours=1))
    assert (fault.symptom, fault.phases, dict(fault.params)) == ("It is slow.", ("repair",), {})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"kind": ""}, "kind must be str"),
        ({"ttl_minutes": '"60"'}, "ttl_minutes must be int"),
        ({"ttl_minutes": "true"}, "ttl_minutes must be int"),
        ({"ttl_minutes": "0"}, "ttl_minutes must be at least 1"),
        ({"symptom": "[]"}, "symptom must be str"),
        ({"phases": '["guess"]'}, "phases are detect, collect, diagnose, repair"),
        ({"extra": "1"}, "unknown key extra"),
        ({"params": "1"}, "params must be a table"),
        ({"kind": "no quotes"}, "is not valid TOML"),
    ],
)
def test_a_malformed_fault_is_the_authors_error(tmp_path: Path, changes: dict[str, str], problem: str) -> None:
    """The message names file and problem."""
    with pytest.raises(AuthorError, match=problem) as error:
        definition.read(write(tmp_path, **changes))
    assert error.value.message.startswith("graders/some-lab/fault.toml")


def test_kinds_are_found_by_listing_their_folder() -> None:
    """Every module is a kind, with a symptom, a plan and a look at the target."""
    folder = Path(kinds.__file__).parent
    stems = sorted(file.stem.replace("_", "-") for file in folder.glob("*.py") if file.stem != "__init__")
    assert kinds.names() == stems
    assert all(kinds.load(name, PARAMS.get(name, {})).symptom for name in stems)


def test_every_fault_of_a_lab_names_a_kind_and_its_parameters() -> None:
    """Found by path: a new lab is tested by being there."""
    found = [definition.read(file) for file in sorted((ROOT / "graders").glob("*/fault.toml"))]
    assert found
    assert all(kinds.load(fault.kind, fault.params) for fault in found)


def test_an_unknown_kind_or_parameter_is_the_authors_error() -> None:
    """Both are said by name."""
    with pytest.raises(AuthorError, match="no kind of fault 'gremlins'"):
        kinds.load("gremlins", {})
    with pytest.raises(AuthorError, match="takes no parameter 'force'"):
        kinds.load("database-security-group", {"force": True})
    with pytest.raises(AuthorError, match="needs the parameter 'replicas'"):
        kinds.load("workload-scaled", {"component": "queue"})


def test_a_write_that_is_not_on_the_list_never_leaves_the_process() -> None:
    """No endpoint is needed to refuse it."""
    writer = AwsWriter(Profile(endpoint="http://127.0.0.1:9"))
    assert ("rds", "delete_db_instance") not in WRITES
    with pytest.raises(AuthorError, match="not a write a fault may make"):
        writer.write(Call.of("rds", "delete_db_instance", DBInstanceIdentifier="lab-pg"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", '{"format": 1}', '{"format": 99}', '{"format": 1, "steps": [{}]}']
)
def test_a_damaged_journal_is_reported_and_never_guessed_at(tmp_path: Path, text: str) -> None:
    """The message names the file and the way out."""
    file = tmp_path / journal.FOLDER / "database-security-group-1.json"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(EnvironmentFault, match=r"database-security-group-1\.json") as fault:
        runner.active(tmp_path)
    assert fault.value.hint


def test_an_empty_home_has_no_faults(tmp_path: Path) -> None:
    """Nothing is made by asking; naming a fault that is not there is a mistake of the caller."""
    assert runner.active(tmp_path / "home") == runner.expired(tmp_path / "home") == []
    assert runner.revert(tmp_path / "home", Profile()) == []
    assert not (tmp_path / "home").exists()
    with pytest.raises(UsageError, match="no active fault is called 'x'"):
        runner.revert(tmp_path, Profile(), only="x")
