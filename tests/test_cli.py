"""What a person gets for a mistake: one sentence, the next command, the right exit code, no traceback."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

ROOT = Path(__file__).parents[1]
LAB = "edge-waf-rate-limit"


def _hallmark(
    *arguments: str,
    home: Path,
    cwd: Path = ROOT,
    environment: Mapping[str, str] = MappingProxyType({}),
    says: str = "",
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HALLMARK_", "AWS_"))}
    return subprocess.run(
        [sys.executable, "-c", "from hallmark.cli import main; main()", *arguments],
        capture_output=True,
        input=says,
        text=True,
        check=False,
        cwd=cwd,
        timeout=120,
        env={**clean, "HALLMARK_HOME": str(home), **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "says"),
    [
        (["grade", "no-such-lab"], {}, 2, "unknown lab 'no-such-lab'"),
        (["lab", "start", "no-such-lab"], {}, 2, "hallmark lab list"),
        (["grade", "--evidence", "missing.json"], {}, 2, "cannot read missing.json"),
        (["grade", "--evidence", "README.md"], {}, 2, "is not Hallmark evidence"),
        (["--target", "moon", "grade"], {}, 2, "Invalid value for '--target'"),
        (["--region", "Virginia", "grade"], {}, 2, "not the name of an AWS region"),
        (["grade"], {"HALLMARK_TARGET": "moon"}, 2, "unknown target 'moon'"),
        (["--target", "aws", "--profile", "nobody-has-this", "grade"], {}, 2, "aws configure list-profiles"),
        (
            ["--target", "localstack", "--endpoint", "http://127.0.0.1:1", "--deadline", "20", "grade"],
            {},
            3,
            "the target does not answer",
        ),
        (["twin", "restore", "never-made"], {}, 3, "hallmark twin up"),
        (["twin", "network"], {}, 3, "hallmark twin up"),
        (["twin", "run", "--", "true"], {}, 3, "hallmark twin up"),
        (["twin", "network", "--cut"], {}, 2, "HOST is missing"),
        (["twin", "network", "rds", "--clear", "--latency", "1"], {}, 2, "--clear goes with no other setting"),
        (["explode"], {}, 2, "No such command"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_a_mistake_is_named(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], code: int, says: str
) -> None:
    """Each mistake has its exit code and its sentence."""
    done = _hallmark(*arguments, home=tmp_path, environment=environment)

    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == code


@pytest.mark.parametrize("answer", ["", "n\n", "what?\nno\n"])
@pytest.mark.parametrize(
    ("arguments", "again"),
    [(["twin", "destroy"], "twin destroy --yes"), (["lab", "solve", LAB], f"lab solve --yes {LAB}")],
)
def test_without_a_yes_nothing_is_changed(tmp_path: Path, arguments: list[str], again: str, answer: str) -> None:
    """No is an answer, and so is the end of input: the twin is not even looked for."""
    done = _hallmark(*arguments, home=tmp_path, says=answer)

    assert done.stderr == f"Error: Nobody agreed, so nothing was changed.\nNext:  hallmark {again}\n"
    assert done.returncode == 2


def test_a_yes_goes_on(tmp_path: Path) -> None:
    """To the next obstacle: there is no twin."""
    done = _hallmark("twin", "destroy", home=tmp_path, says="y\n")

    assert "The twin is down." in done.stderr
    assert done.returncode == 3


def test_outside_a_clone_the_next_step_is_said(tmp_path: Path) -> None:
    """The trees are not there: say so, and what to set."""
    done = _hallmark("lab", "list", home=tmp_path, cwd=tmp_path)

    assert (done.returncode, "HALLMARK_ROOT" in done.stderr) == (2, True)


def test_expired_credentials_are_said_once(tmp_path: Path) -> None:
    """No AWS credentials at all: one sentence instead of sixty errors."""
    nowhere = {
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = _hallmark("--target", "aws", "--deadline", "20", "grade", home=tmp_path, environment=nowhere)

    assert (done.returncode, "AWS does not accept the credentials" in done.stderr) == (3, True)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "verb",
    ["", "grade", "collect", "lab", "lab start", "twin", "twin network", "twin run", "clauses", "audit", "revert"],
)
def test_every_verb_has_help(tmp_path: Path, verb: str) -> None:
    """Help works without a target and says what the verb does."""
    done = _hallmark(*verb.split(), "--help", home=tmp_path)

    assert (done.returncode, done.stdout.startswith("Usage:")) == (0, True)


def test_listing_labs_touches_no_target(tmp_path: Path) -> None:
    """Listing works offline and leaves nothing behind."""
    done = _hallmark("lab", "list", home=tmp_path)

    assert (done.returncode, list(tmp_path.iterdir())) == (0, [])
    assert "deploy-foundation" in done.stdout
