"""Building with Terraform: what is said when it cannot, and what is left when it is interrupted: nothing.

The modules here need no provider, so the real Terraform answers in a second.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallmark.errors import EnvironmentFault
from hallmark.twin import terraform
from hallmark.twin.emulator import Server
from hallmark.twin.files import is_held
from hallmark.twin.supervisor import Twin
from hallmark.twin.terraform import Terraform, check_version, provider_settings
from hallmark.waiting import until

SLEEPS = """
resource "terraform_data" "first" {}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "sleep 20" }
}
"""
FAILS = """
resource "terraform_data" "first" {}
resource "terraform_data" "broken" {
  lifecycle {
    precondition {
      condition     = terraform_data.first.id == "nothing"
      error_message = "The quota is exhausted."
    }
  }
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The baseline of a clone of the repository."""
    made = tmp_path / "root" / "terraform" / "baseline"
    made.mkdir(parents=True)
    (made.parent / "twin.tfvars").write_text("")
    return made


@pytest.fixture
def twin(tmp_path: Path, folder: Path) -> Iterator[Twin]:
    """A twin that has never been up."""
    yield Twin(tmp_path / "home", folder.parent.parent, port=0, kubernetes=False)
    Server(tmp_path / "home" / "twin").stop()


@pytest.fixture
def terraforming(tmp_path: Path, folder: Path) -> Terraform:
    """Terraform on that baseline."""
    return Terraform(folder, folder.parent / "twin.tfvars", tmp_path / "work", {})


def test_progress_counts_resources(folder: Path, terraforming: Terraform) -> None:
    """So many of so many, by address; then a plan is empty; then everything goes."""
    (folder / "main.tf").write_text('resource "terraform_data" "one" {}\nresource "terraform_data" "two" {}')
    said: list[str] = []

    terraforming.apply(said.append)
    assert sorted(line.partition(": ")[2] for line in said if line.startswith("created")) == [
        "terraform_data.one",
        "terraform_data.two",
    ]
    assert [line.partition(":")[0] for line in said if line.startswith("created")] == [
        "created 1 of 2",
        "created 2 of 2",
    ]
    assert terraforming.plan_is_empty()

    (folder / "main.tf").write_text('resource "terraform_data" "one" {}')
    assert not terraforming.plan_is_empty()
    terraforming.destroy(said.append)
    assert said[-1].startswith("removed 2 of 2")
    assert '"resources": []' in terraforming.state.read_text()


def test_a_failed_build_names_the_resource_and_the_reason(folder: Path, twin: Twin, tmp_path: Path) -> None:
    """In one sentence, with the log; nothing runs afterwards."""
    (folder / "main.tf").write_text(FAILS)

    with pytest.raises(EnvironmentFault, match="The quota is exhausted") as caught:
        twin.up()

    assert 'resource "terraform_data" "broken"' in caught.value.message
    assert caught.value.hint.endswith("terraform.log")
    assert not twin.status().running
    assert not is_held(tmp_path / "home" / "twin" / "server.lock")


def test_a_module_that_cannot_be_prepared_is_said_to_be(folder: Path, twin: Twin) -> None:
    """With the setting for machines without internet."""
    (folder / "main.tf").write_text('resource "nobody_nothing" "x" {')

    with pytest.raises(EnvironmentFault, match="terraform init failed: Unclosed configuration block") as caught:
        twin.up()
    assert "HALLMARK_PROVIDER_MIRROR" in caught.value.hint


def test_a_clone_without_terraform_files_is_said_to_be(tmp_path: Path) -> None:
    """Before anything is started for long."""
    with pytest.raises(EnvironmentFault, match="There is no Terraform baseline at"):
        Twin(tmp_path / "home", tmp_path, port=0, kubernetes=False).up()
    assert not Server(tmp_path / "home" / "twin").is_alive


def test_without_terraform_the_person_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EnvironmentFault, match="Terraform is not on the PATH") as caught:
        check_version()
    assert "developer.hashicorp.com/terraform/install" in caught.value.hint


@pytest.mark.parametrize("version", ["1.10.9", "0.15.0", "nonsense"])
def test_an_old_terraform_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str) -> None:
    """1.11 brought the write-only arguments."""
    fake = tmp_path / "terraform"
    fake.write_text(f'#!/bin/sh\necho \'{{"terraform_version": "{version}"}}\'\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(EnvironmentFault, match=f"Terraform {version} is too old"):
        check_version()


def test_the_installed_terraform_is_new_enough() -> None:
    """What the rest of these tests relies on."""
    check_version()


def test_ctrl_c_leaves_nothing_half_way(tmp_path: Path, folder: Path) -> None:
    """No server, no Terraform; and the next up begins with an empty account."""
    (folder / "main.tf").write_text(SLEEPS)
    command = _command_that_builds(tmp_path, folder)
    try:
        command.send_signal(signal.SIGINT)
        assert command.wait(60) != 0
    finally:
        command.kill()

    state = tmp_path / "home" / "twin"
    assert not is_held(state / "server.lock")
    assert not is_held(state / "terraform" / "terraform.lock")
    _next_up_begins_anew(tmp_path, folder)


def test_a_killed_command_leaves_nothing_for_long(tmp_path: Path, folder: Path) -> None:
    """Whatever lives on of its Terraform is ended or waited for by the next command, which begins anew."""
    (folder / "main.tf").write_text(SLEEPS)
    command = _command_that_builds(tmp_path, folder)
    command.kill()
    command.wait()
    assert is_held(tmp_path / "home" / "twin" / "terraform" / "terraform.lock")

    _next_up_begins_anew(tmp_path, folder)

    assert not is_held(tmp_path / "home" / "twin" / "terraform" / "terraform.lock")


def _command_that_builds(tmp_path: Path, folder: Path) -> "subprocess.Popen[bytes]":
    program = f"""
from pathlib import Path
from hallmark.twin.supervisor import Twin
Twin(Path({str(tmp_path / "home")!r}), Path({str(folder.parent.parent)!r}), port=0, kubernetes=False).up()
"""
    command = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL, start_new_session=True)
    state = tmp_path / "home" / "twin" / "terraform" / "terraform.tfstate"
    assert until(lambda: state.is_file() and "terraform_data" in state.read_text(), 60)
    return command


def _next_up_begins_anew(tmp_path: Path, folder: Path) -> None:
    (folder / "main.tf").write_text(FAILS)
    said: list[str] = []
    twin = Twin(tmp_path / "home", folder.parent.parent, port=0, kubernetes=False)

    with pytest.raises(EnvironmentFault, match="quota is exhausted"):
        twin.up(said.append)

    assert not [line for line in said if line.startswith("Brought back")]


def test_a_terraform_that_takes_too_long_is_ended(
    folder: Path, terraforming: Terraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command never hangs for ever."""
    monkeypatch.setattr(terraform, "PATIENCE", 4.0)
    (folder / "main.tf").write_text(SLEEPS)

    with pytest.raises(EnvironmentFault, match="terraform apply failed"):
        terraforming.apply(lambda _: None)


def test_a_mirror_is_given_to_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a CLI configuration; one that the person has chosen already is left alone."""
    mirror = tmp_path / "mirror"
    (mirror / "registry.terraform.io").mkdir(parents=True)
    monkeypatch.setenv("HALLMARK_PROVIDER_MIRROR", str(mirror))
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)

    settings = Path(provider_settings(tmp_path)["TF_CLI_CONFIG_FILE"])
    assert f'path = "{mirror}"' in settings.read_text()

    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(settings))
    assert provider_settings(tmp_path) == {}


def test_a_mirror_that_is_none_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Terraform fails with something less clear."""
    monkeypatch.setenv("HALLMARK_PROVIDER_MIRROR", str(tmp_path))
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)

    with pytest.raises(EnvironmentFault, match="holds no folder registry"):
        provider_settings(tmp_path)
