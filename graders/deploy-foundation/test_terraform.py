"""The Terraform files: they parse, keep no secret, keep their state encrypted, and made what is graded."""

import pytest

from hallmark.errors import Miss
from hallmark.views.terraform import Terraform


@pytest.mark.check(
    "ARCH-1",
    points=2,
    requires=["cluster_active"],
    why="What is not written as code cannot be reviewed, repeated or repaired by somebody else.",
)
def test_terraform_parses(terraform: Terraform) -> None:
    """The Terraform folder is there, parses, and declares AWS resources."""
    found = terraform.inventory
    if found is None or not found.code:
        raise Miss(
            expected="a folder with Terraform files",
            observed="no such folder" if found is None else "no .tf file in it",
            where=terraform.folder,
            next="HALLMARK_TERRAFORM=path/to/your/root nox -s grade",
        )
    if found.problems:
        raise Miss(
            expected="files that parse",
            observed="; ".join(found.problems),
            where=found.problems[0].split(" ")[0],
            next=f"terraform -chdir={terraform.folder} validate",
        )
    if (
        not any(kind.startswith("aws_") for kind in terraform.declared["resources"])
        and not terraform.declared["modules"]
    ):
        raise Miss(
            expected="AWS resources or modules",
            observed="neither is declared",
            where=terraform.folder,
            next=f"terraform -chdir={terraform.folder} validate",
        )


@pytest.mark.check(
    "SB-2",
    points=3,
    requires=["terraform_parses"],
    why="A secret in a file is in every clone, every backup and every chat it was pasted into.",
)
def test_no_secret_in_files(terraform: Terraform) -> None:
    """No Terraform file or variables file holds a secret in clear."""
    if findings := terraform.findings:
        raise Miss(
            expected="references to a secret store, no literal secrets",
            observed="; ".join(map(str, findings)),
            where=f"{findings[0].file}:{findings[0].line}",
            next=f"git log --oneline -- {findings[0].file}",
        )


@pytest.mark.check(
    "SB-2",
    points=1,
    requires=["terraform_parses"],
    why="Terraform state repeats passwords and tokens in clear; whoever reads the state has them.",
)
def test_state_encrypted(terraform: Terraform) -> str | None:
    """The Terraform state is kept in a backend that encrypts it."""
    states = terraform.inventory.states if terraform.inventory else ()
    if states:
        raise Miss(
            expected="state in an encrypted backend",
            observed=f"local state in clear: {', '.join(states)}",
            where=states[0],
            next=f"terraform -chdir={terraform.folder} init -migrate-state",
        )
    backend = terraform.backend
    if backend.type == "local":
        return "No backend is declared and no state lies here. On a real account declare an encrypted one."
    if not backend.is_encrypted:
        raise Miss(
            expected="a backend that encrypts, such as s3 with encrypt = true",
            observed=f"backend {backend.type} without encryption",
            where=terraform.folder,
            next=f"terraform -chdir={terraform.folder} init -reconfigure",
        )
    return None


@pytest.mark.check(
    "ARCH-1",
    points=1,
    requires=["bucket_exists"],
    why="Without a common tag nobody can tell what belongs together, what it costs and what may go.",
)
def test_resources_tagged(terraform: Terraform) -> None:
    """Cluster, node groups and bucket carry a tag in common: the project's."""
    if not terraform.common_tags:
        arn = terraform.views.compute.cluster["arn"]
        raise Miss(
            expected="one tag that cluster, node groups and bucket share",
            observed="no tag in common",
            where=arn,
            next=f"aws eks list-tags-for-resource --resource-arn {arn}",
        )
