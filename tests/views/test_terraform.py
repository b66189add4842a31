"""Terraform files as a view: backends and common tags."""

from typing import Any

import pytest

from hallmark.errors import Absent, Unobservable
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.terraform import Backend, Terraform


def terraform(**answers: Answer) -> Terraform:
    """The view over answers about the folder ``root``."""
    found = {Call.of("files", operation, path="root").key: answer for operation, answer in answers.items()}
    return Views(Snapshot(found, {"terraform": "root"})).terraform


def declared(*backends: dict[str, Any], **settings: Any) -> Terraform:
    """The view over a root with these backends."""
    value = {"backends": list(backends), "backend_settings": settings, "values": {}}
    return terraform(terraform=Answer(Status.OBSERVED, value))


@pytest.mark.parametrize(("kind", "settings", "extra", "encrypted"), [
    ("s3", {"encrypt": True}, {}, True),
    ("s3", {}, {"encrypt": True}, True),
    ("s3", {"encrypt": True}, {"encrypt": False}, False),
    ("s3", {}, {}, False),
    ("s3", {"encrypt": "${var.encrypt}"}, {}, False),
    ("cloud", {}, {}, True),
    ("gcs", {}, {}, True),
    ("http", {}, {}, False),
    ("local", {}, {}, False),
])  # fmt: skip
def test_backend_is_encrypted_when_files_or_service_promise_it(
    kind: str, settings: dict[str, Any], extra: dict[str, Any], *, encrypted: bool
) -> None:
    """Settings in a file of their own override; an expression promises nothing."""
    assert declared({"type": kind, "settings": settings}, **extra).backend == Backend(kind, encrypted)


def test_no_backend_is_the_local_one() -> None:
    """Terraform writes beside the code unless told otherwise."""
    assert declared().backend == Backend("local", is_encrypted=False)


def test_missing_folder_has_no_inventory_and_no_findings_to_be_glad_of() -> None:
    """No folder is not a folder without secrets."""
    gone = Answer(Status.ABSENT, None, "NotFound", "root does not exist")
    view = terraform(inventory=gone, leaks=gone, terraform=gone)

    assert (view.inventory, view.values) == (None, {})
    with pytest.raises(Absent):
        _ = view.findings


def test_malformed_files_are_not_guessed_at() -> None:
    """What does not parse is not known."""
    view = terraform(terraform=Answer(Status.FAILED, None, "malformed", "root/main.tf does not parse, line 3"))

    with pytest.raises(Unobservable, match="line 3"):
        _ = view.backend


def test_finding_names_its_place() -> None:
    """File, line, kind: enough to go there."""
    finding = {"file": "root/main.tf", "line": 3, "kind": "private key"}
    view = terraform(leaks=Answer(Status.OBSERVED, {"scanned": 1, "findings": [finding]}))

    assert [str(each) for each in view.findings] == ["root/main.tf:3 (private key)"]
