"""The stand-in for helm: the command line and the output of Helm."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hallmark.twin.release.commands import main
from hallmark.twin.release.flags import seconds, split
from hallmark.waiting import until

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, api: Any, namespace: str) -> Run:
    """Runs a command in a namespace of the test's own; answers with exit code, output and errors."""
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))

    def command(*words: Any) -> tuple[int, str, str]:
        code = main(["-n", namespace, *map(str, words)])
        out, err = capfd.readouterr()
        return code, out, err

    return command


def test_first_upgrade_installs(run: Run, small: Path, namespace: str) -> None:
    """Upgrade --install prints what Helm prints, first for an installation, then for an upgrade."""
    command = ("upgrade", "--install", "wall", small, "--create-namespace", "--wait", "--timeout", "1m")
    _, first, _ = run(*command)
    code, second, _ = run(*command, "--set", "color=blue")
    lines = second.splitlines()
    assert first.splitlines()[0] == "NAME: wall"
    assert first.splitlines()[2:] == [
        f"NAMESPACE: {namespace}",
        "STATUS: deployed",
        "REVISION: 1",
        "DESCRIPTION: Install complete",
        "NOTES:",
        "The wall is red.",
    ]
    assert (code, lines[0]) == (0, 'Release "wall" has been upgraded. Happy Helming!')
    assert lines[-1] == "The wall is blue."


def test_life_of_a_release(run: Run, small: Path, tmp_path: Path, namespace: str) -> None:
    """Install from a file, look, go back, look again, remove."""
    values = tmp_path / "values.yaml"
    values.write_text("color: green\n")
    run("install", "wall", small, "--create-namespace", "-f", values)
    run("upgrade", "wall", small, "--set-string", "color=1")
    assert run("get", "values", "wall") == (0, "USER-SUPPLIED VALUES:\ncolor: '1'\n", "")
    assert run("rollback", "wall", "1") == (0, "Rollback was a success! Happy Helming!\n", "")
    history = json.loads(run("history", "wall", "-o", "json")[1])
    listed = yaml.safe_load(run("list", "-o", "yaml")[1])
    assert [(each["revision"], each["chart"], each["description"]) for each in history] == [
        (1, "small-1.2.3", "Install complete"),
        (2, "small-1.2.3", "Upgrade complete"),
        (3, "small-1.2.3", "Rollback to 1"),
    ]
    assert [(each["name"], each["namespace"], each["revision"]) for each in listed] == [("wall", namespace, "3")]
    assert run("uninstall", "wall") == (0, 'release "wall" uninstalled\n', "")


def test_what_is_stored_can_be_read(run: Run, small: Path) -> None:
    """Manifest, hooks, notes and everything of a release; a table has Helm's headings."""
    run("install", "wall", small, "--create-namespace")
    assert "name: wall" in run("get", "manifest", "wall")[1]
    assert "name: paint" in run("get", "hooks", "wall")[1]
    assert run("get", "notes", "wall")[1] == "NOTES:\nThe wall is red.\n\n"
    everything = run("get", "all", "wall")[1]
    headings = (
        "USER-SUPPLIED VALUES:\nnull",
        "COMPUTED VALUES:\ncolor: red",
        "HOOKS:\n---",
        "MANIFEST:\n---",
        "NOTES:\nThe",
    )
    assert [each for each in headings if each not in everything] == []
    table = run("history", "wall")[1].splitlines()
    assert [each.strip() for each in table[0].split("\t")] == [
        "REVISION",
        "UPDATED",
        "STATUS",
        "CHART",
        "APP VERSION",
        "DESCRIPTION",
    ]
    assert json.loads(run("status", "wall", "-o", "json")[1])["info"]["status"] == "deployed"


def test_a_mistake_in_values_is_one_sentence(run: Run, small: Path) -> None:
    """Exit code 1, Helm's prefix and the chart's words; no traceback."""
    code, out, err = run("install", "wall", small, "--create-namespace", "--set", "color=")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("Error: INSTALLATION FAILED: execution error at (small/templates/wall.yaml:")
    assert err.splitlines()[-1].endswith("): a color is required")
    assert "Traceback" not in err


def test_other_mistakes_are_one_sentence(run: Run, small: Path) -> None:
    """A missing file, a missing release, an unknown flag and a bad duration: exit code 1 and Error."""
    assert run("install", "wall", small, "-f", "/nowhere.yaml")[2] == (
        "Error: INSTALLATION FAILED: open /nowhere.yaml: No such file or directory\n"
    )
    assert run("status", "nothing") == (1, "", "Error: release: not found\n")
    assert run("uninstall", "nothing")[2] == "Error: uninstall: Release not loaded: nothing: release: not found\n"
    assert run("list", "--nonsense")[0] == 1
    assert 'invalid argument "5" for "--timeout"' in run("rollback", "wall", "--timeout", "5")[2]


def test_template_prints_what_one_template_made(run: Run, small: Path) -> None:
    """A name may be left out; -s shows one template's documents, and refuses one that made nothing."""
    code, out, _ = run("template", small, "-s", "templates/wall.yaml", "--set", "color=blue")
    assert (code, [each["metadata"]["name"] for each in yaml.safe_load_all(out) if each]) == (0, ["wall", "paint"])
    assert run("template", small, "-s", "templates/no.yaml")[2] == (
        "Error: could not find template templates/no.yaml in chart\n"
    )


def test_lint_and_show(run: Run, small: Path, tmp_path: Path) -> None:
    """Lint prints findings and counts, and fails for what is no chart; show prints values with their comments."""
    code, out, _ = run("lint", small)
    assert (code, out.splitlines()[1:]) == (
        0,
        ["[INFO] Chart.yaml: icon is recommended", "", "1 chart(s) linted, 0 chart(s) failed"],
    )
    assert run("lint", tmp_path)[0] == 1
    assert "1 chart(s) failed" in run("lint", tmp_path)[1]
    assert run("show", "values", small)[1].splitlines()[0] == "# Of the wall."
    assert yaml.safe_load(run("show", "chart", small)[1])["name"] == "small"


def test_it_says_that_it_stands_in(run: Run) -> None:
    """Help says whose it is and which Helm is inside; the version is marked."""
    code, out, _ = run("--help")
    assert code == 0
    assert "Hallmark's stand-in for helm" in out
    assert "SDK of\n  Helm 4.2 inside" in out
    assert run("version", "--short")[1].startswith("v4.2.")
    assert run("version", "--short")[1].endswith("+hallmark\n")


def test_flags_in_helms_spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Global flags stand anywhere; --wait takes no word from others; switches may be given a value."""
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    words = [
        "-n",
        "a",
        "upgrade",
        "--wait",
        "wall",
        "--install=true",
        "--create-namespace=false",
        "--kubeconfig",
        "/k",
        ".",
    ]
    where, rest = split(words)
    assert (where.namespace, str(where.kubeconfig)) == ("a", "/k")
    assert rest == ["upgrade", "--wait=watcher", "wall", "--install", "."]


def test_the_namespace_is_the_contexts(tmp_path: Path) -> None:
    """Without a flag the namespace is that of the kubeconfig's context, else default."""
    file = tmp_path / "config"
    contexts = [{"name": "a", "context": {"namespace": "there"}}, {"name": "b", "context": {}}]
    file.write_text(yaml.safe_dump({"current-context": "a", "contexts": contexts}))
    command = ["--kubeconfig", str(file), "list"]
    assert split(command)[0].namespace == "there"
    assert split([*command, "--kube-context", "b"])[0].namespace == "default"


@pytest.mark.parametrize(
    ("text", "value"), [("5m0s", 300), ("90s", 90), ("1h30m", 5400), ("1.5s", 1.5), ("200ms", 0.2)]
)
def test_durations(text: str, value: float) -> None:
    """Durations are Go's."""
    assert seconds(text) == value


def test_ctrl_c_cancels_as_in_helm(api: Any, small: Path, namespace: str, run: Run) -> None:
    """An interrupted installation ends at once and is marked as failed, not left pending."""
    command = [sys.executable, "-m", "hallmark.twin.release", "install", "wall", str(small), "-n", namespace]
    command += ["--create-namespace", "--set", "never=true", "--wait"]
    with subprocess.Popen(
        command, env={**os.environ, "KUBECONFIG": str(api.kubeconfig)}, stderr=subprocess.PIPE, text=True
    ) as process:
        assert until(lambda: '"pending-install"' in run("list", "-o", "json")[1], 30)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert json.loads(run("list", "-o", "json")[1])[0]["status"] == "failed"
