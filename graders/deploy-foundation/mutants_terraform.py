"""Mutants of the Terraform files and the tags they set."""

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Status


@mutant(breaks=["terraform_parses"])
def no_such_folder(edit: Edit) -> None:
    """The folder does not exist."""
    for operation in ("inventory", "terraform", "leaks"):
        edit.status("files", operation, Status.ABSENT, code="NotFound")


@mutant(breaks=["terraform_parses"])
def folder_without_code(edit: Edit) -> None:
    """The folder holds only a README."""
    for answer in edit.answers("files", "inventory"):
        answer["files"] = ["terraform/baseline/README.md"]


@mutant(breaks=["terraform_parses"])
def a_file_does_not_parse(edit: Edit) -> None:
    """One file does not parse."""
    for answer in edit.answers("files", "inventory"):
        answer["problems"] = ["terraform/baseline/main.tf does not parse, line 7"]
    edit.status("files", "terraform", Status.FAILED, code="malformed")


@mutant(breaks=["terraform_parses"])
def nothing_of_aws_is_declared(edit: Edit) -> None:
    """The files declare nothing of AWS."""
    for answer in edit.answers("files", "terraform"):
        answer["resources"], answer["modules"] = ["null_resource"], []


@mutant(breaks=["no_secret_in_files"])
def a_password_in_a_file(edit: Edit) -> None:
    """A variables file holds the database password."""
    for answer in edit.answers("files", "leaks"):
        answer["findings"] = [{"file": "terraform/my.tfvars", "line": 3, "kind": "literal value of db_password"}]


@mutant(breaks=["state_encrypted"])
def state_lies_in_the_folder(edit: Edit) -> None:
    """The state with its secrets lies beside the code."""
    for answer in edit.answers("files", "inventory"):
        answer["states"] = ["terraform/baseline/terraform.tfstate"]


@mutant(breaks=["state_encrypted"])
def backend_without_encryption(edit: Edit) -> None:
    """The S3 backend is told not to encrypt."""
    _backend(edit, "s3", encrypt=False)


@mutant(breaks=["state_encrypted"])
def backend_over_http(edit: Edit) -> None:
    """The state goes to a server nobody knows."""
    _backend(edit, "http", address="http://state.example.com")


@mutant(breaks=())
def backend_with_encryption(edit: Edit) -> None:
    """The state goes to an encrypted S3 backend."""
    _backend(edit, "s3", encrypt=True)


@mutant(breaks=())
def backend_of_hcp_terraform(edit: Edit) -> None:
    """The state goes to HCP Terraform, which encrypts it."""
    _backend(edit, "cloud")


@mutant(breaks=())
def backend_by_partial_configuration(edit: Edit) -> None:
    """The S3 backend's settings stand in a file of their own."""
    _backend(edit, "s3")
    for answer in edit.answers("files", "terraform"):
        answer["backend_settings"] = {"encrypt": True}


@mutant(breaks=["resources_tagged"])
def bucket_without_tags(edit: Edit) -> None:
    """The bucket carries no tag."""
    edit.status("s3", "get_bucket_tagging", Status.ABSENT, code="NoSuchTagSet")


@mutant(breaks=["resources_tagged"])
def node_group_of_another_project(edit: Edit) -> None:
    """The node groups carry the tags of another project."""
    for group in edit.each("eks", "describe_nodegroup", "nodegroup"):
        group["tags"] = {"project": "other"}


@mutant(breaks=())
def tags_of_own_choosing(edit: Edit) -> None:
    """One tag of the operator's own choosing marks everything."""
    for cluster in edit.each("eks", "describe_cluster", "cluster"):
        cluster["tags"] = {"cost-center": "4711"}
    for group in edit.each("eks", "describe_nodegroup", "nodegroup"):
        group["tags"] = {"cost-center": "4711"}
    for answer in edit.answers("s3", "get_bucket_tagging"):
        answer["TagSet"] = [{"Key": "cost-center", "Value": "4711"}]


def _backend(edit: Edit, kind: str, **settings: object) -> None:
    for answer in edit.answers("files", "terraform"):
        answer["backends"] = [{"type": kind, "settings": settings}]
