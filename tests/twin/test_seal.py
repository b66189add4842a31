"""The seal on snapshots: ours, unchanged and of these versions, or refused."""

import json
import stat
from pathlib import Path

import pytest

from hallmark.errors import UsageError
from hallmark.twin.aws.seal import Seal, refuse_other_versions
from hallmark.twin.aws.versions import versions

PAYLOAD = b"\x80\x05anything\n"


def test_what_is_sealed_can_be_opened(tmp_path: Path) -> None:
    """By the same key, also when it is read again from its file."""
    sealed = Seal.of(tmp_path).close("111122223333", PAYLOAD)

    assert Seal.of(tmp_path).open(sealed) == ("111122223333", PAYLOAD)


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    """Nobody else can sign."""
    Seal.of(tmp_path)

    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize("position", [30, 100, -1])
def test_a_changed_snapshot_is_refused(tmp_path: Path, position: int) -> None:
    """In the signature, in the header, in the payload."""
    sealed = bytearray(Seal.of(tmp_path).close("111122223333", PAYLOAD))
    sealed[position] ^= 1

    with pytest.raises(UsageError, match="was not made by this twin, or it was changed"):
        Seal.of(tmp_path).open(bytes(sealed))


def test_a_foreign_snapshot_is_refused(tmp_path: Path) -> None:
    """Another twin has another key."""
    sealed = Seal.of(_folder(tmp_path, "theirs")).close("111122223333", PAYLOAD)

    with pytest.raises(UsageError, match="was not made by this twin"):
        Seal.of(_folder(tmp_path, "ours")).open(sealed)


@pytest.mark.parametrize("junk", [b"", b"PK\x03\x04", b"hallmark-snapshot/0 00\n{}\n", "ä".encode("latin-1") * 99])
def test_something_else_is_refused(tmp_path: Path, junk: bytes) -> None:
    """Without a traceback, whatever the bytes are."""
    with pytest.raises(UsageError, match="not a snapshot of the twin"):
        Seal.of(tmp_path).open(junk)


@pytest.mark.parametrize("name", ["moto", "extension", "python"])
def test_other_versions_are_refused_by_name(name: str) -> None:
    """The message says what differs and what to do."""
    with pytest.raises(UsageError, match=f"made with {name} 0.0, here {versions()[name]}") as caught:
        refuse_other_versions({**versions(), name: "0.0"})
    assert "hallmark twin reset" in caught.value.hint


def test_a_snapshot_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although its signature is right."""
    with monkeypatch.context() as patched:
        patched.setattr("hallmark.twin.aws.seal.versions", lambda: {**versions(), "moto": "0.0"})
        sealed = Seal.of(tmp_path).close("111122223333", PAYLOAD)
    assert json.loads(sealed.split(b"\n")[1])["versions"]["moto"] == "0.0"

    with pytest.raises(UsageError, match=r"made with moto 0\.0"):
        Seal.of(tmp_path).open(sealed)


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder
