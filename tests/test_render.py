"""`hallmark render` fills in what Terraform printed, whole or not at all, and never what is sensitive."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hallmark.cli.root import cli
from hallmark.errors import UsageError

OUTPUTS = {
    "bucket_name": {"sensitive": False, "type": "string", "value": "a-bucket"},
    "port": {"sensitive": False, "type": "number", "value": 5432},
    "password": {"sensitive": True, "type": "string", "value": "never"},
}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with a template, manifests, and what Terraform printed."""
    (tmp_path / "values.template.yaml").write_text("bucket: ${bucket_name}\nshell: $HOME\n")
    (tmp_path / "manifests" / "more").mkdir(parents=True)
    (tmp_path / "manifests" / "10-one.yaml").write_text("port: ${port}\n")
    (tmp_path / "manifests" / "more" / "20-two.template.yml").write_text("name: ${bucket_name}-two\n")
    (tmp_path / "manifests" / "notes.txt").write_text("${bucket_name}\n")
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS))
    return tmp_path


def render(work: Path, *names: str, to: str = "rendered", outputs: str = "", given: str = "") -> Result:
    """Run the command on files of the folder."""
    where = ["-o", str(work / to), "--outputs", outputs or str(work / "outputs.json")]
    runner = CliRunner()
    return runner.invoke(cli, ["render", *[str(work / name) for name in names], *where], input=given)


def refusal(result: Result) -> str:
    """What a person is told of a command that was refused."""
    assert isinstance(result.exception, UsageError)
    return str(result.exception.message)


def test_files_and_folders_are_filled_in(work: Path) -> None:
    """A template loses that word from its name; a folder keeps its name; what is no YAML stays away."""
    result = render(work, "values.template.yaml", "manifests")
    assert result.exit_code == 0, result.output
    folder = work / "rendered"
    found = {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}
    assert found == {
        "values.yaml": "bucket: a-bucket\nshell: $HOME\n",
        "manifests/10-one.yaml": "port: 5432\n",
        "manifests/more/20-two.yml": "name: a-bucket-two\n",
    }
    assert [Path(line).name for line in result.output.splitlines()] == ["values.yaml", "10-one.yaml", "20-two.yml"]


@pytest.mark.parametrize(
    "printed", [OUTPUTS, {"version": 4, "terraform_version": "1.11.0", "outputs": OUTPUTS}], ids=["output", "state"]
)
def test_outputs_come_by_standard_input_too(work: Path, printed: dict[str, Any]) -> None:
    """As terraform output prints them, or as its state holds them."""
    result = render(work, "manifests/10-one.yaml", outputs="-", given=json.dumps(printed))
    assert result.exit_code == 0, result.output
    assert (work / "rendered" / "10-one.yaml").read_text() == "port: 5432\n"


@pytest.mark.parametrize("printed", ["", "no JSON", "[]", '{"a": 1}', '{"outputs": []}'])
def test_what_is_no_output_of_terraform_is_refused(work: Path, printed: str) -> None:
    """Nothing is written."""
    message = refusal(render(work, "manifests", outputs="-", given=printed))
    assert message == "--outputs gives no outputs of Terraform."
    assert not (work / "rendered").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: ${unknown}", "Terraform has no output unknown"), ("a: ${password}", "The output password is sensitive")],
)
def test_one_file_that_cannot_be_filled_in_keeps_back_all(work: Path, text: str, words: str) -> None:
    """The message names the file, and nothing is written."""
    (work / "manifests" / "30-three.yaml").write_text(text)
    message = refusal(render(work, "values.template.yaml", "manifests"))
    assert message.startswith(f"{work / 'manifests' / '30-three.yaml'}: {words}")
    assert not (work / "rendered").exists()


def test_a_source_is_never_written_over(work: Path) -> None:
    """The folder of the sources is no place for the result, unless every name differs."""
    message = refusal(render(work, "manifests", to="."))
    assert message == f"{work / 'manifests' / '10-one.yaml'} would be written over."
    assert (work / "manifests" / "10-one.yaml").read_text() == "port: ${port}\n"
    assert render(work, "values.template.yaml", to=".").exit_code == 0


def test_only_the_twins_outputs_are_known_by_themselves(work: Path) -> None:
    """For a real account one says where they are."""
    arguments = ["--target", "aws", "render", str(work / "manifests"), "-o", str(work / "rendered")]
    result = CliRunner().invoke(cli, arguments)
    assert refusal(result) == "only the twin's outputs are known without being told."
