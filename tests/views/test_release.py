"""The release: what Helm recorded, and what names follow from it."""

from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.release import Release


def release(values: dict[str, Any], name: str = "langsmith") -> Release:
    """A view over a release with the given values."""
    value = {
        "name": name,
        "namespace": "n",
        "revision": 3,
        "status": "deployed",
        "chart": {"name": "langsmith", "version": "0.16.11", "appVersion": "0.16.45"},
        "values": values,
        "leaks": {"config.apiKeySalt": "literal value of apiKeySalt"},
    }
    call = Call.of("kubernetes", "release", namespace="n", name=name)
    return Views(Snapshot({call.key: Answer(Status.OBSERVED, value)}, {"namespace": "n", "release": name})).release


@pytest.mark.parametrize(
    ("name", "values", "full_name"),
    [
        ("langsmith", {}, "langsmith"),
        ("langsmith-eu", {}, "langsmith-eu"),
        ("platform", {}, "platform-langsmith"),
        ("platform", {"nameOverride": "ls"}, "platform-ls"),
        ("ls-platform", {"nameOverride": "ls"}, "ls-platform"),
        ("platform", {"fullnameOverride": "traces"}, "traces"),
        ("p" * 60, {}, f"{'p' * 60}-la"),
    ],
)
def test_names_follow_the_charts_rule(name: str, values: dict[str, Any], full_name: str) -> None:
    """The override, else the release with the chart's name, in 63 characters."""
    assert release(values, name).full_name == full_name


def test_a_value_is_found_by_its_path() -> None:
    """What was not given is the default; a path through a plain value leads nowhere."""
    view = release({"config": {"hostname": "h", "basicAuth": {"enabled": True}}})

    assert view.value("config.hostname") == "h"
    assert view.value("config.basicAuth.enabled") is True
    assert view.value("config.missing", "default") == "default"
    assert view.value("config.hostname.deeper") is None


def test_leaks_are_told_with_their_place() -> None:
    """Path and kind, never a value."""
    record = release({}).record

    assert record is not None
    assert record.leaks == (("config.apiKeySalt", "literal value of apiKeySalt"),)


def test_no_release_is_an_observation() -> None:
    """The cluster answered, and there is none: nothing can be named by it."""
    call = Call.of("kubernetes", "release", namespace="n", name="langsmith")
    absent = Answer(Status.ABSENT, None, "NotFound", "kubernetes.release")
    view = Views(Snapshot({call.key: absent}, {"namespace": "n", "release": "langsmith"})).release

    assert (view.record, view.value("config.hostname")) == (None, None)
