"""Files as a target: what Terraform files declare, and where they give secrets away."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hallmark.errors import AuthorError
from hallmark.model import Answer, Call, Status
from hallmark.targets.files import FilesSource
from hallmark.targets.leaks import leaks

ROOT = Path(__file__).parents[2]


def ask(root: Path, operation: str, path: str = "root") -> Answer:
    """Ask one question about a folder below *root*."""
    return FilesSource(root).answer(Call.of("files", operation, path=path))


def write(folder: Path, **files: str) -> None:
    """Write files named ``<stem>_<ending>``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / f"{stem}.{ending}").write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A root that uses one local module beside it and one of a registry."""
    write(
        tmp_path / "root",
        main_tf='module "net" {\n  source = "../net"\n}\nmodule "far" {\n  source = "org/far/aws"\n}\n'
        'provider "aws" {\n  region = var.region\n}\n',
        versions_tf='terraform {\n  backend "s3" {\n    bucket  = "b"\n    encrypt = true\n  }\n}\n',
        plan_tfvars='region = "eu-west-1"\nnodes = { type = "m6i.large", size = 2 }\ncidrs = ["10.0.0.0/8"]\n',
        config_tfbackend='key = "k"\n',
    )
    write(tmp_path / "net", main_tf='resource "aws_vpc" "this" {\n  cidr_block = "10.0.0.0/16"\n}\n')
    return tmp_path


def test_terraform_tells_what_root_and_local_modules_declare(project: Path) -> None:
    """Resources come from everywhere, settings and values from the root alone."""
    assert ask(project, "terraform").value == {
        "resources": ["aws_vpc"],
        "modules": ["far", "net"],
        "providers": ["aws"],
        "backends": [{"type": "s3", "settings": {"bucket": "b", "encrypt": True}}],
        "backend_settings": {"key": "k"},
        "values": {"region": "eu-west-1", "nodes": {"type": "m6i.large", "size": 2}, "cidrs": ["10.0.0.0/8"]},
    }


def test_cloud_block_is_a_backend(tmp_path: Path) -> None:
    """HCP Terraform is declared by a block of its own."""
    write(tmp_path / "root", main_tf='terraform {\n  cloud {\n    organization = "o"\n  }\n}\n')

    assert ask(tmp_path, "terraform").value["backends"] == [{"type": "cloud", "settings": {}}]


def test_inventory_leaves_out_what_terraform_and_git_keep(project: Path) -> None:
    """Downloaded modules, history, binaries and links are nobody's text."""
    write(project / "root" / ".terraform" / "modules", main_tf="broken {")
    write(project / "root" / ".git", config_tf="broken {")
    (project / "root" / "logo.png").write_bytes(b"\x89PNG\0\0")
    (project / "root" / "link.tf").symlink_to(project / "net" / "main.tf")

    assert ask(project, "inventory").value == {
        "files": [
            *("root/config.tfbackend", "root/main.tf", "root/plan.tfvars", "root/versions.tf"),
            "net/main.tf",
        ],
        "problems": [],
        "states": [],
    }


def test_modules_in_a_circle_end(tmp_path: Path) -> None:
    """Two folders that refer to each other are each read once."""
    write(tmp_path / "root", main_tf='module "b" {\n  source = "../b"\n}\n')
    write(tmp_path / "b", main_tf='module "a" {\n  source = "../root"\n}\n')

    assert ask(tmp_path, "inventory").value["files"] == ["root/main.tf", "b/main.tf"]


def test_files_parsed_side_by_side_do_not_spoil_each_other(tmp_path: Path) -> None:
    """Collectors ask in threads; what one file says must not depend on another being read at that moment."""
    busy = "".join(f'a{n} = "${{(1 + (2 * {n}))}}"\n' for n in range(20))
    for number in range(8):
        write(tmp_path / f"root{number}", plan_tfvars=f'{busy}region = "eu-west-{number}"\n')
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda number: ask(tmp_path, "terraform", f"root{number}"), range(8)))
    finally:
        sys.setswitchinterval(usual)

    assert [answer.value["values"]["region"] for answer in answers] == [f"eu-west-{number}" for number in range(8)]


def test_malformed_file_is_named_and_not_quoted(project: Path) -> None:
    """The message gives file and line, and nothing that may be secret."""
    write(project / "root", bad_tf='variable "a" {}\npassword = "hunter2\n')
    answer, inventory = ask(project, "terraform"), ask(project, "inventory")

    assert (answer.status, answer.code) == (Status.FAILED, "malformed")
    assert answer.message.startswith("root/bad.tf does not parse")
    assert "hunter2" not in answer.message
    assert inventory.value["problems"] == [answer.message]


def test_missing_folder_is_absent(tmp_path: Path) -> None:
    """No folder is an observation, and a file is no folder."""
    (tmp_path / "root").write_text("", encoding="utf-8")

    assert ask(tmp_path, "inventory").status is Status.ABSENT
    assert ask(tmp_path, "leaks", "nowhere").status is Status.ABSENT


def test_state_with_resources_is_found_and_never_read_as_text(project: Path) -> None:
    """The empty file Terraform leaves after moving the state away gives nothing away; a backup does."""
    secret = {"resources": [{"attributes": {"password": "hunter2"}}]}
    write(project / "root", terraform_tfstate='{"version": 4, "resources": []}')
    (project / "root" / "terraform.tfstate.backup").write_text(json.dumps(secret), encoding="utf-8")
    (project / "root" / "torn.tfstate").write_text('{"resources": [', encoding="utf-8")

    assert ask(project, "inventory").value["states"] == ["root/terraform.tfstate.backup", "root/torn.tfstate"]
    assert ask(project, "leaks").value["findings"] == []


def test_leaks_are_found_in_modules_too_and_never_repeated(project: Path) -> None:
    """A finding says file, line and kind; the answer holds no secret."""
    write(project / "net", variables_tf='variable "db_password" {\n  type    = string\n  default = "hunter2"\n}\n')
    answer = ask(project, "leaks")

    finding = {"file": "net/variables.tf", "line": 3, "kind": "literal value of db_password"}
    assert answer.value == {"scanned": 6, "findings": [finding]}
    assert "hunter2" not in json.dumps(answer.value)


@pytest.mark.parametrize("line", [
    'password = "hunter2"',
    'master_password="hunter2" # temporary',
    'settings = { user = "u", auth_token = "hunter2" }',
    '  "api_key": "hunter2",',
    'secret_string_wo = "hunter2"',
    'variable "license_key" { default = "hunter2" }',
    'url = "postgres://langsmith:hunter2@db.example.com:5432/langsmith"',
    'note = "AKIAABCDEFGHIJKLMNOP"',
    'key = "lsv2_pt_0123456789abcdef"',
    'pem = "-----BEGIN RSA PRIVATE KEY-----"',
    'jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln"',
])  # fmt: skip
def test_secret_in_terraform_is_a_leak(line: str) -> None:
    """Known shapes anywhere, literals under telling names."""
    assert [leak.line for leak in leaks(f"# first line\n{line}\n", "main.tf")] == [2]


@pytest.mark.parametrize("line", [
    "password = var.password",
    "password = random_password.this.result",
    'password = "${var.password}"',
    'password = ""',
    "password = null",
    'password = "<fill in>"',
    '# password = "hunter2" is wrong',
    'auth_token_update_strategy = "ROTATE"',
    'secret_name = "langsmith/postgres"',
    'secret_arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:x"',
    'connection_string = "arn:aws:secretsmanager:us-east-1:111122223333:secret:x"',
    'existing_secret = "${local.name}-secret"',
    'condition = var.password == "x"',
    'url = "postgres://${var.user}:${var.password}@db.example.com"',
    'url = "https://example.com:8443/path"',
    "export TF_VAR_auth_token=$(openssl rand -hex 16)",
])  # fmt: skip
def test_reference_is_no_leak(line: str) -> None:
    """References, placeholders, names and addresses are none."""
    assert list(leaks(line, "main.tf")) == []


@pytest.mark.parametrize(("line", "found"), [
    ("langsmithLicenseKey: abc", True),
    ("apiKeySalt: 'abc' # x", True),
    ("  - password: abc", True),
    ("apiKeySalt: # set later", False),
    ("jwtSecret: ${JWT}", False),
    ("existingSecretName: langsmith-config", False),
    ("secretKey: connection_url", False),
    ("connectionUrlSecretKey: connection_url", False),
    ("password: {", False),
])  # fmt: skip
def test_yaml_needs_no_quotation_marks(line: str, *, found: bool) -> None:
    """In Helm values bare text is a value; names of keys are none."""
    assert bool(list(leaks(line, "values.yaml"))) is found


def test_mocks_of_terraform_tests_are_no_leaks() -> None:
    """A made-up password is needed there; a real key is still a real key."""
    text = 'password = "hunter2"\nnote = "AKIAABCDEFGHIJKLMNOP"\n'

    assert [leak.line for leak in leaks(text, "database.tftest.hcl")] == [2]


def test_table_reads_toml(tmp_path: Path) -> None:
    """Answers in a file become JSON; dates become text."""
    (tmp_path / "diagnosis.toml").write_text('component = "network"\non = 2026-11-24\n', encoding="utf-8")
    (tmp_path / "bad.toml").write_text("component = ", encoding="utf-8")

    assert ask(tmp_path, "table", "diagnosis.toml").value == {"component": "network", "on": "2026-11-24"}
    assert ask(tmp_path, "table", "bad.toml").code == "malformed"
    assert ask(tmp_path, "table", "none.toml").status is Status.ABSENT


def test_unknown_question_is_the_authors_mistake(tmp_path: Path) -> None:
    """Only questions that are written down can be asked."""
    with pytest.raises(AuthorError, match=r"files\.delete"):
        ask(tmp_path, "delete")


def test_own_baseline_parses_and_keeps_no_secret() -> None:
    """What learners copy from gives nothing away."""
    assert ask(ROOT, "inventory", "terraform/baseline").value["problems"] == []
    assert ask(ROOT, "leaks", "terraform/baseline").value["findings"] == []


def test_corrected_plan_sets_only_variables_of_the_baseline() -> None:
    """The preflight lab's solution can be applied as it is: Terraform knows every value in it."""
    declared = (ROOT / "terraform/baseline/variables.tf").read_text(encoding="utf-8")
    values = ask(ROOT, "terraform", "solutions/preflight-account/files").value["values"]

    assert values
    assert [name for name in values if f'variable "{name}"' not in declared] == []
