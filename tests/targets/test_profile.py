"""The target: file, environment, flags, in that order."""

from pathlib import Path

import pytest

from hallmark.errors import UsageError
from hallmark.targets.profile import Profile, load


def test_without_configuration_the_target_is_the_twin(tmp_path: Path) -> None:
    """Nothing configured means the twin (design: decision 5)."""
    assert load(tmp_path, {}) == Profile()


def test_environment_overrides_file_and_flag_overrides_environment(tmp_path: Path) -> None:
    """The nearer to the command, the stronger."""
    (tmp_path / "hallmark.toml").write_text('[target]\ntarget = "aws"\ncluster = "file"\nhost = "file.example"\n')

    profile = load(
        tmp_path, {"HALLMARK_CLUSTER": "environment", "HALLMARK_HOST": "environment"}, {"host": "flag", "cluster": None}
    )

    assert (profile.target, profile.cluster, profile.host) == ("aws", "environment", "flag")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[target", "not valid TOML"),
        ('[target]\ntarget = "moon"\n', "unknown target"),
        ('[target]\nclutser = "x"\n', "unknown setting 'clutser'"),
        ('[target]\nregion = "Virginia"\n', "not the name of an AWS region"),
        ('[target]\ndeadline = "soon"\n', "number of seconds"),
        ("[target]\ncluster = 5\n", "cluster must be text"),
        ('[target]\nurl = "http://langsmith.example.com"\n', "url is not an address"),
        ('[target]\nurl = "https://me:word@langsmith.example.com"\n', "url is not an address"),
        ('[target]\nurl = "https://langsmith.example.com:https"\n', "url is not an address"),
        ('[target]\nproxy = "127.0.0.1:3128"\n', "proxy is not an address"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, says: str) -> None:
    """Each mistake gives one sentence that names it."""
    (tmp_path / "hallmark.toml").write_text(text)

    with pytest.raises(UsageError, match=says):
        load(tmp_path, {})


def test_localstack_has_a_default_endpoint(tmp_path: Path) -> None:
    """LocalStack listens on its edge port unless told otherwise."""
    assert load(tmp_path, {"HALLMARK_TARGET": "localstack"}).endpoint == "http://localhost:4566"
