"""The adapter: the same answers and the same errors from the SDK and from a helm binary."""

import base64
import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin.release import child
from hallmark.twin.release.binary import Binary
from hallmark.twin.release.child import Child
from hallmark.twin.release.failure import failure
from hallmark.twin.release.helm import Finding, Helm, How, Values, find
from hallmark.twin.release.locate import Chart, offline

FRESH = How(create_namespace=True)
NO_HOOKS = (
    "backend.migrations.enabled=false",
    "backend.clickhouseMigrations.enabled=false",
    "backend.backfillCheck.enabled=false",
    "backend.e2eTest.enabled=false",
    "config.basicAuth.enabled=false",
    "config.oauth.enabled=true",
)
"""Without controllers a hook's Job never ends."""


@pytest.fixture(params=["sdk", "binary"])
def helm(request: pytest.FixtureRequest, api: Any, namespace: str, stand_in: Path) -> Helm:
    """The adapter with each engine; the binary is the machine's helm, or ours where there is none."""
    if request.param == "sdk":
        return Helm(engine=Child(api.kubeconfig, namespace), namespace=namespace)
    theirs = Binary.find(api.kubeconfig, namespace)
    ours = Binary(str(stand_in), (4, 2), api.kubeconfig, namespace)
    return Helm(engine=theirs or ours, namespace=namespace)


@pytest.fixture
def sdk(api: Any, namespace: str) -> Helm:
    """The adapter with the SDK: for what the engines do not differ in."""
    return Helm(engine=Child(api.kubeconfig, namespace), namespace=namespace)


def _states(helm: Helm, name: str = "wall") -> list[tuple[int, str]]:
    return [(each.revision, each.status) for each in helm.history(name)]


def test_life_of_a_release(helm: Helm, api: Any, namespace: str, small: Path) -> None:
    """Installed, upgraded, rolled back, uninstalled: history, values, manifest and cluster agree."""
    chart = Chart(str(small))
    installed = helm.install("wall", chart, how=FRESH)
    upgraded = helm.upgrade("wall", chart, Values(sets=("color=blue",)))
    path = f"/api/v1/namespaces/{namespace}/configmaps/wall"
    assert (installed.revision, installed.status, installed.notes.strip()) == (1, "deployed", "The wall is red.")
    assert (upgraded.revision, upgraded.chart_version, upgraded.app_version) == (2, "1.2.3", "9")
    assert api.get(path)["data"] == {"color": "blue"}
    assert helm.values("wall") == {"color": "blue"}
    assert helm.values("wall", all_values=True) == {"color": "blue", "never": False}
    assert 'color: "red"' in helm.status("wall", 1).manifest
    assert "name: paint" in helm.hooks("wall")
    helm.rollback("wall", 1)
    assert api.get(path)["data"] == {"color": "red"}
    assert [(each.revision, each.status, each.description) for each in helm.history("wall")] == [
        (1, "superseded", "Install complete"),
        (2, "superseded", "Upgrade complete"),
        (3, "deployed", "Rollback to 1"),
    ]
    assert [(each.name, each.revision, each.chart) for each in helm.releases()] == [("wall", 3, "small")]
    helm.uninstall("wall")
    assert helm.releases() == ()


def test_fields_are_owned_by_helm(helm: Helm, api: Any, namespace: str, small: Path) -> None:
    """Whichever engine and whichever Python: with another name the next upgrade would meet a conflict."""
    helm.install("wall", Chart(str(small)), how=FRESH)
    made = api.get(f"/api/v1/namespaces/{namespace}/configmaps/wall")
    assert {each["manager"] for each in made["metadata"]["managedFields"]} == {"helm"}


def test_a_failed_upgrade_stays_failed(sdk: Helm, small: Path) -> None:
    """What does not get ready in time is an environment's fault in Helm's words; the revision is failed."""
    chart = Chart(str(small))
    sdk.upgrade("wall", chart, how=FRESH)
    with pytest.raises(EnvironmentFault, match=r"Deployment/.*/painter not ready"):
        sdk.upgrade("wall", chart, Values(sets=("never=true",)), How(wait=True, timeout=1))
    assert _states(sdk) == [(1, "deployed"), (2, "failed")]


def test_a_failed_upgrade_is_rolled_back(helm: Helm, api: Any, namespace: str, small: Path) -> None:
    """With rollback_on_failure the last good revision comes back, and what the bad one made is gone."""
    chart = Chart(str(small))
    helm.upgrade("wall", chart, how=FRESH)
    with pytest.raises(EnvironmentFault, match="has been rolled back"):
        helm.upgrade("wall", chart, Values(sets=("never=true",)), How(rollback_on_failure=True, timeout=1))
    assert _states(helm) == [(1, "superseded"), (2, "failed"), (3, "deployed")]
    assert api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"] == []


def test_values_are_reused_when_asked_for(sdk: Helm, small: Path) -> None:
    """Given none, the last values stay unless they are reset; given any, they stay only when reused."""
    chart, other = Chart(str(small)), Values(sets=("never=false",))
    blue, red = "The wall is blue.", "The wall is red."
    sdk.upgrade("wall", chart, Values(files=("color: blue",)), FRESH)
    upgraded = [
        sdk.upgrade("wall", chart),
        sdk.upgrade("wall", chart, other, reuse_values=True),
        sdk.upgrade("wall", chart, other),
        sdk.upgrade("wall", chart, Values(sets=("color=blue",))),
        sdk.upgrade("wall", chart, reset_values=True),
    ]
    assert [each.notes.strip() for each in upgraded] == [blue, blue, red, blue, red]


def test_a_dry_run_changes_nothing(helm: Helm, small: Path) -> None:
    """A dry run answers with the manifest; there is no release afterwards."""
    shown = helm.upgrade("wall", Chart(str(small)), how=How(dry_run=True))
    assert "name: wall" in shown.manifest
    assert helm.releases() == ()


def test_a_mistake_in_values_is_told_in_helms_words(helm: Helm, small: Path) -> None:
    """The chart's own sentence arrives, as an error a person can mend, and nothing is installed."""
    with pytest.raises(UsageError, match=r"a color is required$"):
        helm.install("wall", Chart(str(small)), Values(sets=("color=",)), FRESH)
    assert helm.releases() == ()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (Values(sets=("color",)), 'key "color" has no value'),
        (Values(files=("a: [",)), "did not find expected node content"),
    ],
)
def test_values_that_are_none(sdk: Helm, small: Path, values: Values, words: str) -> None:
    """A broken expression or file is told in Helm's words."""
    with pytest.raises(UsageError, match=words):
        sdk.template("wall", Chart(str(small)), values)


def test_a_release_that_is_not_there(sdk: Helm) -> None:
    """Asking for a release that does not exist is a person's error."""
    with pytest.raises(UsageError, match="release: not found"):
        sdk.status("nothing")


def test_a_namespace_that_is_not_there(sdk: Helm, small: Path) -> None:
    """Installing into a missing namespace says so."""
    with pytest.raises(UsageError, match=r"namespaces .* not found"):
        sdk.install("wall", Chart(str(small)))


def test_template_lint_and_show_need_no_cluster(helm: Helm, small: Path) -> None:
    """Rendering puts hooks last; linting finds the missing icon; showing keeps the comments of values.yaml."""
    chart = Chart(str(small))
    manifest = helm.template("wall", chart, Values(strings=("color=007",)))
    about, values = helm.show(chart)
    assert manifest.index("name: wall") < manifest.index("name: paint")
    assert 'color: "007"' in manifest
    assert helm.lint(chart) == (Finding("INFO", "Chart.yaml", "icon is recommended"),)
    assert (about["version"], values.splitlines()[0]) == ("1.2.3", "# Of the wall.")


def test_later_values_win(sdk: Helm, small: Path) -> None:
    """Files in order, then expressions; tables are merged."""
    values = Values(files=("color: red\nnever: true", "color: green"), sets=("never=false",))
    manifest = sdk.template("wall", Chart(str(small)), values)
    assert 'color: "green"' in manifest
    assert "painter" not in manifest


def test_the_release_is_stored_as_helm_stores_it(api: Any, namespace: str, valid: str) -> None:
    """The whole chart installs, and its Secret has Helm's type, labels and encoding, so that Helm itself reads it."""
    helm = Helm(engine=Child(api.kubeconfig, namespace), namespace=namespace)
    helm.install("langsmith", offline(), Values((valid,), NO_HOOKS), FRESH)
    secret = api.get(f"/api/v1/namespaces/{namespace}/secrets/sh.helm.release.v1.langsmith.v1")
    stored = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    labels = {key: secret["metadata"]["labels"][key] for key in ("owner", "name", "status", "version")}
    assert secret["type"] == "helm.sh/release.v1"
    assert labels == {"owner": "helm", "name": "langsmith", "status": "deployed", "version": "1"}
    assert (stored["chart"]["metadata"]["version"], stored["info"]["status"]) == ("0.16.11", "deployed")
    assert stored["config"]["config"]["apiKeySalt"] == "a-salt"
    deployments = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"]
    assert len(deployments) == 11


def test_no_cluster_is_the_environments_fault(tmp_path: Path) -> None:
    """Without a cluster there is a hint, and no traceback."""
    with pytest.raises(EnvironmentFault, match="cluster unreachable") as fault:
        Helm(tmp_path / "none", engine=Child(tmp_path / "none", "default")).releases()
    assert "hallmark twin status" in fault.value.hint


def test_a_crash_of_the_library_is_an_error_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that dies without an answer is told with its last words."""
    monkeypatch.setattr(child, "_talk", lambda _request, _patience: ("", "fatal error: unexpected signal", -11))
    with pytest.raises(EnvironmentFault, match="exit code -11: fatal error: unexpected signal"):
        Helm(engine=Child(None, "default")).version()


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the SDK a person is told how to get it."""
    words = "ModuleNotFoundError: No module named 'helm_python'"
    monkeypatch.setattr(child, "_talk", lambda _request, _patience: ("", words, 1))
    with pytest.raises(EnvironmentFault) as fault:
        Helm(engine=Child(None, "default")).version()
    assert fault.value.hint == "pip install 'hallmark[twin]'"


def test_a_hanging_library_is_ended(monkeypatch: pytest.MonkeyPatch, api: Any, small: Path, namespace: str) -> None:
    """What does not end in time is ended, in seconds."""
    helm = Helm(engine=Child(api.kubeconfig, namespace), namespace=namespace)
    helm.upgrade("wall", Chart(str(small)), how=FRESH)
    monkeypatch.setattr(child, "GRACE", -58.0)
    with pytest.raises(EnvironmentFault, match="did not end within 2 seconds"):
        helm.upgrade("wall", Chart(str(small)), Values(sets=("never=true",)), How(wait=True, timeout=60))


def test_only_local_charts_are_linted() -> None:
    """Helm lints folders and archives; anything else is refused before Helm is asked."""
    with pytest.raises(UsageError, match="is not on this machine"):
        Helm(engine=Child(None, "default")).lint(Chart("langsmith", "https://charts.example.com"))


def test_our_own_stand_in_is_no_second_helm(monkeypatch: pytest.MonkeyPatch, stand_in: Path) -> None:
    """With our stand-in on the PATH, or an old Helm, or none, the SDK is used."""
    monkeypatch.setenv("PATH", f"{stand_in.parent}:/bin:/usr/bin")
    assert shutil.which("helm") == str(stand_in)
    assert isinstance(find(None, "default", ""), Child)


@pytest.mark.parametrize(("said", "engine"), [("v3.11.3+g66a969e", Child), ("v3.12.0", Binary), ("v4.0.1", Binary)])
def test_a_helm_on_the_path_is_used_if_it_is_new(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, engine: type[Any]
) -> None:
    """Helm 3.12 is the oldest that is used."""
    program = tmp_path / "helm"
    program.write_text(f"#!/bin/sh\necho {said}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert type(find(None, "default", "")) is engine


@pytest.mark.parametrize(("major", "undo", "listing"), [(3, "--atomic", ["--all"]), (4, "--rollback-on-failure", [])])
def test_the_binary_is_told_in_its_own_spelling(tmp_path: Path, major: int, undo: str, listing: list[str]) -> None:
    """Helm 3 and 4 spell two flags differently."""
    program, heard = tmp_path / "helm", tmp_path / "heard"
    release = json.dumps({"name": "a", "namespace": "here", "version": 1, "info": {"status": "deployed"}})
    answer = f"case $1 in list) echo '[]';; *) echo '{release}';; esac"
    program.write_text(f'#!/bin/sh\necho "$*" >> {heard}\n{answer}\n')
    program.chmod(0o755)
    helm = Helm(engine=Binary(str(program), (major, 12), None, "here"), namespace="here")
    helm.releases()
    assert helm.install("a", Chart("b"), how=How(rollback_on_failure=True)).status == "deployed"
    lists, installs = heard.read_text().splitlines()
    assert lists.split() == ["list", *listing, "--output=json", "--namespace=here"]
    assert installs.split() == ["install", "a", "b", undo, "--timeout=300s", "--output=json", "--namespace=here"]


@pytest.mark.parametrize(
    ("words", "kind", "error"),
    [
        ("execution error at (a.yaml:1:2): no", "HelmRenderError", UsageError),
        ("another operation (install/upgrade/rollback) is in progress", "HelmReleaseError", UsageError),
        ("cannot reuse a name that is still in use", "", UsageError),
        ('Get "https://127.0.0.1:1/version": dial tcp: connection refused', "", EnvironmentFault),
        ("tls: failed to verify certificate: x509: unknown authority", "HelmKubeError", EnvironmentFault),
        ("context deadline exceeded", "HelmCancelledError", EnvironmentFault),
        ("a.example.com is not a valid chart repository", "HelmRepoError", EnvironmentFault),
    ],
)
def test_whose_fault_it_is(words: str, kind: str, error: type[Exception]) -> None:
    """What a person can mend is a usage error; the rest is the environment's."""
    assert type(failure(words, kind)) is error
