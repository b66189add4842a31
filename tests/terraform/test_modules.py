"""The Terraform tree, checked by the real binary: format, schema, module logic, and where secrets end up.

Module logic is in ``terraform/baseline/tests/*.tftest.hcl`` and needs no AWS: the provider is mocked. What mock
providers cannot do (ephemeral resources) runs against plain moto.
"""

import json
import os
import re
import shutil
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

pytestmark = pytest.mark.terraform

SOURCE = Path(__file__).parents[2] / "terraform"
MODULES = sorted(path.name for path in (SOURCE / "modules").iterdir())
FILES = {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md"}
ACCOUNT = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "us-east-1"}


def terraform(folder: Path, *arguments: str, **environment: str) -> str:
    """Run Terraform in a folder and return what it printed; a failure shows both streams."""
    run = subprocess.run(
        ["terraform", f"-chdir={folder}", *arguments],
        env=os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, so that init leaves nothing behind in the repository; the baseline is initialised."""
    copy = tmp_path_factory.mktemp("tree") / "terraform"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    terraform(copy / "baseline", "init", "-backend=false", "-input=false")
    terraform(copy / "baseline", "init", "-backend=false", "-input=false", "-test-directory=tests/emulated")
    return copy


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """Plain moto on a free port of the loopback interface: its URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def provider(tree: Path) -> Iterator[dict[str, str]]:
    """The AWS provider as one process, for runs that mock it and would start it for each: what names it.

    Its authors debug it so: developer.hashicorp.com/terraform/plugin/debugging, "Starting A Provider In Debug Mode". It
    serves schemas only: a provider is made to be configured once, so runs that ask AWS start their own.
    """
    (binary,) = tree.glob("baseline/.terraform/providers/*/*/aws/*/*/terraform-provider-aws*")
    with subprocess.Popen([binary, "-debug"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = next(filter(None, (re.search(r"TF_REATTACH_PROVIDERS='(.*)'", line) for line in process.stdout)))
        yield {"TF_REATTACH_PROVIDERS": said[1]}
        process.terminate()


@pytest.mark.parametrize("module", MODULES)
def test_module_has_its_five_files(module: str) -> None:
    """A module is found by its five files: main, variables, outputs, versions, README."""
    assert {path.name for path in (SOURCE / "modules" / module).iterdir()} >= FILES


def test_files_are_formatted() -> None:
    """Every file is as ``terraform fmt`` writes it."""
    assert terraform(SOURCE, "fmt", "-check", "-recursive", "-list=true") == ""


def test_only_the_aws_provider_and_only_modules_of_this_tree(tree: Path) -> None:
    """The tree plans offline: every module of it is used, none from a registry, and one provider."""
    modules = json.loads((tree / "baseline/.terraform/modules/modules.json").read_text())["Modules"]
    sources = {module["Source"] for module in modules if module["Key"]}
    assert {source for source in sources if not source.startswith("../")} == set()
    assert {Path(source).name for source in sources} == set(MODULES)
    providers = set(re.findall(r"provider\[([^]]+)]", terraform(tree / "baseline", "providers")))
    assert providers == {"registry.terraform.io/hashicorp/aws", "terraform.io/builtin/terraform"}


def test_module_logic(tree: Path, provider: dict[str, str]) -> None:
    """Every ``*.tftest.hcl`` passes: what the modules promise, and what they refuse."""
    report = terraform(tree / "baseline", "test", "-no-color", **provider)
    tested = set(re.findall(r"^tests/(\w+)\.tftest\.hcl\.\.\. pass$", report, re.MULTILINE))
    assert tested == set(MODULES) - {"secrets"}


def test_baseline_is_valid_and_refuses_wrong_settings(tree: Path, emulator: str) -> None:
    """The root plans what is right, without a warning, and refuses an owner, lab, date or name that is wrong."""
    arguments = ("test", "-no-color", "-test-directory=tests/emulated")
    report = terraform(tree / "baseline", *arguments, AWS_ENDPOINT_URL=emulator, **ACCOUNT)
    assert "Success!" in report
    assert "Warning" not in report


@pytest.fixture
def deployment(tree: Path, tmp_path: Path) -> Path:
    """A root that holds nothing but the secrets module, whose ephemeral output no root may have itself."""
    settings = {"source": str(tree / "modules/secrets"), "prefix": "unit/", "kms_key_arn": "alias/unit"}
    module = settings | {"recovery_days": 0, "license_stand_in": True}
    (tmp_path / "main.tf.json").write_text(json.dumps({"module": {"secrets": module}}))
    return tmp_path


def test_secret_values_stay_out_of_plan_and_state(deployment: Path, emulator: str) -> None:
    """Generated secrets are fit for their use, and neither plan nor state holds one."""
    environment = ACCOUNT | {"AWS_ENDPOINT_URL": emulator}
    terraform(deployment, "init", "-input=false")
    terraform(deployment, "plan", "-out=plan", **environment)
    terraform(deployment, "apply", "plan", **environment)
    client = boto3.client(
        "secretsmanager",
        endpoint_url=emulator,
        region_name=ACCOUNT["AWS_REGION"],
        aws_access_key_id=ACCOUNT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ACCOUNT["AWS_SECRET_ACCESS_KEY"],
    )
    names = {entry["Name"] for entry in client.list_secrets()["SecretList"]}
    values = {name: client.get_secret_value(SecretId=name)["SecretString"] for name in names}
    kept = (deployment / "terraform.tfstate").read_text() + terraform(deployment, "show", "-json", "plan")

    assert len(set(values.values())) == len(names) == 7
    assert all(name in kept for name in names)
    assert [name for name, value in values.items() if value in kept] == []
    password = values.pop("unit/initial-org-admin-password")
    assert len(password) >= 12
    for alphabet in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation):
        assert set(password) & set(alphabet)
    assert [name for name, value in values.items() if not value.isalnum()] == []
