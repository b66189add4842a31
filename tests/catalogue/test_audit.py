"""The audit finds what costs money, and finds nothing where nothing is left."""

import pytest
from click.testing import CliRunner

from hallmark.cli.app import App
from hallmark.cli.root import cli

pytestmark = pytest.mark.xdist_group("audit")


@pytest.mark.usefixtures("environment")
def test_the_baseline_is_found_and_an_empty_account_is_empty() -> None:
    """Every kind of resource that costs money shows up; afterwards none does."""
    app = App.of({})
    app.twin.up()
    app.twin.reset()
    found = CliRunner().invoke(cli, ["audit"])

    assert found.exit_code == 1
    for kind in ("ec2 vpc-", "ec2 nat-", "ec2 i-", "eks ", "rds ", "elasticache ", "elbv2 ", "s3 ", "secretsmanager "):
        assert f"left: {kind}" in found.output

    app.twin.empty()
    clean = CliRunner().invoke(cli, ["audit"])

    assert (clean.exit_code, clean.output.strip()) == (0, "Nothing is left.")
