"""Evidence as a file: complete, checked, never half-written."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.evidence import files, snapshot
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status

VPCS = Call.of("ec2", "describe_vpcs")
TAKEN = Snapshot(
    {VPCS.key: Answer(Status.OBSERVED, {"Vpcs": [{"VpcId": "vpc-1"}]}, milliseconds=3)},
    {"cluster": "c"},
    "2026-11-24T12:00:00Z",
    {"hallmark": "0.1.0"},
)


def test_what_is_written_is_read_back_with_the_same_digest(tmp_path: Path) -> None:
    """A grade of the file is a grade of what was collected."""
    files.write_text(tmp_path / "evidence.json", TAKEN.to_json())

    read = snapshot.read(tmp_path / "evidence.json")

    assert (read, read.digest) == (TAKEN, TAKEN.digest)


@pytest.mark.parametrize("value", [{"Vpcs": "vpc-1"}, {"Vpcs": [1]}, {"Vpcs": [{"IsDefault": "no"}]}, [], 5])
def test_an_answer_of_the_wrong_shape_is_malformed(tmp_path: Path, value: Any) -> None:
    """A mangled answer is a failure to observe, long before a check reads it."""
    body = json.loads(TAKEN.to_json())
    body["answers"][VPCS.key]["value"] = value
    (tmp_path / "evidence.json").write_text(json.dumps(body))

    answer = snapshot.read(tmp_path / "evidence.json").answers[VPCS.key]

    assert (answer.status, answer.code) == (Status.FAILED, "malformed")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 99}', '{"format": 1, "answers": {"x": 1}}'])
def test_a_file_that_is_not_evidence_is_refused(tmp_path: Path, text: str) -> None:
    """One sentence, no traceback, the next command."""
    (tmp_path / "evidence.json").write_text(text)

    with pytest.raises(UsageError, match=r"evidence") as caught:
        snapshot.read(tmp_path / "evidence.json")

    assert caught.value.hint.startswith("hallmark collect")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new text is there whole, or the old one still is."""
    target = tmp_path / "scorecard.json"
    target.write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(EnvironmentFault, match="No space left"):
        files.write_text(target, "new")

    assert [path.name for path in tmp_path.iterdir()] == ["scorecard.json"]
    assert target.read_text() == "old"
