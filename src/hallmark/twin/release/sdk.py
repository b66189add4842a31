"""A process of its own for Helm's Go library: one request on standard input, one answer on standard output, both JSON.

``helm-python-sdk`` brings Helm's SDK as a shared library. A Go runtime inside Python takes over signals, and its crash
or hang is ours; in a child it is an exit code and a time limit. SIGTERM cancels the operation, as Ctrl-C does in Helm:
a release that was to be rolled back on failure still is.

A request is ``{"operation", "namespace", "kubeconfig", "context", "arguments"}``; an answer is ``{"result"}`` or
``{"error", "message"}``, where the error is the name of the SDK's exception.
"""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import helm_python as helm
import yaml

Arguments = Mapping[str, Any]
HOOK = "helm.sh/hook"
ERROR = 3
"""Severity of what makes a lint fail."""
KEPT_REVISIONS = 10
"""Helm's own default of --history-max."""


def main() -> int:
    """Answer one request. Returns 0 unless the request itself cannot be read."""
    # Whatever the library prints must not get into the answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    request = json.load(sys.stdin)
    with helm.HelmContext() as context, answers:
        signal.signal(signal.SIGTERM, lambda _number, _frame: context.cancel())
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller hears Ctrl-C and decides
        json.dump(_away_from_signals(lambda: _answer(request, context)), answers)
    return 0


def _away_from_signals(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    # Python runs signal handlers in the main thread, and only between its own instructions: a call into the library
    # has to happen in another one.
    answers: list[dict[str, Any]] = []
    thread = Thread(target=lambda: answers.append(work()), name="helm")
    thread.start()
    thread.join()
    return answers[0] if answers else {"error": "HelmPanicError", "message": "the operation ended without an answer"}


def _answer(request: Arguments, context: helm.HelmContext) -> dict[str, Any]:
    try:
        with _config(request) as config:
            return {"result": OPERATIONS[request["operation"]](Session(config, context), request["arguments"])}
    except helm.HelmError as error:
        return {"error": type(error).__name__, "message": error.detail}


def _config(request: Arguments) -> helm.Config:
    return helm.Config(
        kubeconfig_path=request["kubeconfig"] or None,
        kube_context=request["context"] or None,
        namespace=request["namespace"],
    )


class Session:
    """The operations, each taking the arguments of a request.

    Args:
        config: The cluster.
        context: Cancels what runs.
    """

    def __init__(self, config: helm.Config, context: helm.HelmContext) -> None:
        self._config = config
        self._context = context

    def template(self, arguments: Arguments) -> str:
        """All manifests in the order they are installed in, then the hooks, as ``helm template`` prints them."""
        with _chart(arguments["chart"]) as chart:
            values, name = _values(arguments), arguments["name"]
            # The rendering says which documents are hooks; only the dry run sorts the others.
            rendered = chart.render(values, name=name, namespace=arguments["namespace"])
            dry = self._config.install(chart, name, values, dry_run="client", namespace=arguments["namespace"])
        return str(dry["manifest"]).strip("\n") + "\n" + "".join(_hooks(rendered))

    def lint(self, arguments: Arguments) -> dict[str, Any]:
        """Findings, as data; what is no chart at all is a finding, too."""
        found = helm.lint(arguments["chart"]["reference"], _values(arguments), namespace=arguments["namespace"])
        told = {each["error"] for each in found["messages"]}
        more = [{"severity": ERROR, "path": "", "error": each} for each in found["errors"] if each not in told]
        return {"messages": found["messages"] + more}

    def install(self, arguments: Arguments) -> dict[str, Any]:
        """Install; the answer is the release."""
        with _chart(arguments["chart"]) as chart:
            made = self._config.install(
                chart,
                arguments["name"],
                _values(arguments),
                context=self._context,
                create_namespace=arguments["create_namespace"],
                **_common(arguments),
            )
        return made if arguments["dry_run"] else self._described(made)

    def upgrade(self, arguments: Arguments) -> dict[str, Any]:
        """Upgrade, or install what is not there yet if asked to; the answer is the release."""
        if arguments["install"] and not self._is_there(arguments["name"]):
            return self.install(arguments)
        with _chart(arguments["chart"]) as chart:
            made = self._config.upgrade(
                chart,
                arguments["name"],
                _values(arguments),
                context=self._context,
                reuse_values=arguments["reuse_values"],
                reset_values=arguments["reset_values"],
                max_history=KEPT_REVISIONS,
                **_common(arguments),
            )
        return made if arguments["dry_run"] else self._described(made)

    def rollback(self, arguments: Arguments) -> None:
        """Go back to a revision, or to the last one but one."""
        self._config.rollback(
            arguments["name"],
            version=arguments["revision"] or None,
            timeout=arguments["timeout"],
            wait=_wait(arguments),
        )

    def uninstall(self, arguments: Arguments) -> dict[str, Any]:
        """Remove a release; the answer says what was kept."""
        return self._config.uninstall(
            arguments["name"],
            keep_history=arguments["keep_history"],
            timeout=arguments["timeout"],
            wait=_wait(arguments),
        )

    def history(self, arguments: Arguments) -> list[dict[str, Any]]:
        """Revisions, oldest first."""
        return [self._described(each) for each in self._config.history(arguments["name"])]

    def releases(self, arguments: Arguments) -> list[dict[str, Any]]:
        """Releases of the namespace, or of all."""
        return self._config.list(all_states=True, all_namespaces=arguments["all_namespaces"])

    def status(self, arguments: Arguments) -> dict[str, Any]:
        """A release with its manifest and notes."""
        return self._described(self._config.status(arguments["name"], revision=arguments["revision"] or None))

    def values(self, arguments: Arguments) -> dict[str, Any]:
        """What the person gave, or all values that count."""
        revision = arguments["revision"] or None
        given = self._config.get_values(arguments["name"], all_values=arguments["all_values"], revision=revision)
        return given or {}  # the library says null where nothing was given

    def hooks(self, arguments: Arguments) -> str:
        """Manifests of the hooks."""
        stored = self._config.get_all(arguments["name"], revision=arguments["revision"] or None)
        return "\n".join(f"---\n# Source: {each['path']}\n{each['manifest'].strip()}" for each in stored["hooks"] or [])

    def show(self, arguments: Arguments) -> dict[str, Any]:
        """``Chart.yaml`` as data and ``values.yaml`` as text: its comments are for people."""
        with _chart(arguments["chart"]) as chart:
            metadata = chart.metadata
        return {"chart": metadata, "values": _values_file(arguments["chart"])}

    def version(self, _arguments: Arguments) -> str:
        """Version of Helm inside the library."""
        return helm.helm_sdk_version()

    def _described(self, release: dict[str, Any]) -> dict[str, Any]:
        # Only the stored release says what happened, in Helm's words.
        stored = self._config.get_all(release["name"], revision=release["revision"])
        return {**release, "description": stored["info"]["description"]}

    def _is_there(self, name: str) -> bool:
        try:
            return bool(self._config.history(name, max_revisions=1))
        except helm.HelmNotFoundError:
            return False


OPERATIONS: dict[str, Callable[[Session, Arguments], Any]] = {
    "template": Session.template,
    "lint": Session.lint,
    "install": Session.install,
    "upgrade": Session.upgrade,
    "rollback": Session.rollback,
    "uninstall": Session.uninstall,
    "history": Session.history,
    "releases": Session.releases,
    "status": Session.status,
    "values": Session.values,
    "hooks": Session.hooks,
    "show": Session.show,
    "version": Session.version,
}


def _common(arguments: Arguments) -> dict[str, Any]:
    return {
        "timeout": arguments["timeout"],
        "wait": _wait(arguments),
        "rollback_on_failure": arguments["rollback_on_failure"],
        "dry_run": "client" if arguments["dry_run"] else None,
    }


def _wait(arguments: Arguments) -> str:
    # Hooks are waited for always. https://helm.sh/docs/helm/helm_install/ (--wait)
    return "watcher" if arguments["wait"] or arguments.get("rollback_on_failure") else "hookOnly"


@contextmanager
def _chart(about: Mapping[str, str]) -> Iterator[helm.Chart]:
    with _local(about) as path, helm.Chart.load(path) as chart:
        yield chart


@contextmanager
def _local(about: Mapping[str, str]) -> Iterator[Path]:
    reference, repository = about["reference"], about["repository"]
    if not repository and not reference.startswith("oci://"):
        yield Path(reference)
        return
    with tempfile.TemporaryDirectory() as folder:
        helm.pull(reference, repo_url=repository or None, version=about["version"] or None, destination=folder)
        yield next(Path(folder).glob("*.tgz"))


def _values_file(about: Mapping[str, str]) -> str:
    with _local(about) as path:
        if path.is_dir():
            return (path / "values.yaml").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            helm.expand(folder, path)
            return next(Path(folder).glob("*/values.yaml")).read_text(encoding="utf-8")


def _values(arguments: Arguments) -> dict[str, Any]:
    """Files, then ``--set``, then ``--set-string``: what comes later wins, as in Helm.

    Expressions are parsed together, so that two of them may fill one element of a list. Unlike in Helm, such a list
    takes the place of a list of the files.
    """
    merged: dict[str, Any] = {}
    for text in arguments["files"]:
        merged = _merge(merged, helm.values_from_yaml(text) or {})
    merged = _merge(merged, helm.parse_set_string(",".join(arguments["sets"])))
    return _merge(merged, helm.parse_set_string_values(",".join(arguments["strings"])))


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    # Tables are merged, everything else is replaced. A null stays: it takes the chart's default away.
    both = {
        name: _merge(below[name], above[name]) for name in below.keys() & above.keys() if _tables(below, above, name)
    }
    return {**below, **above, **both}


def _tables(below: dict[str, Any], above: dict[str, Any], name: str) -> bool:
    return isinstance(below[name], dict) and isinstance(above[name], dict)


def _hooks(rendered: Mapping[str, str]) -> Iterator[str]:
    for path in sorted(rendered):
        if not path.endswith((".yaml", ".yml")):
            continue
        for text in rendered[path].split("\n---\n"):
            if HOOK in text and HOOK in (yaml.safe_load(text)["metadata"].get("annotations") or {}):
                yield f"---\n# Source: {path}\n{text.strip()}\n"


if __name__ == "__main__":
    sys.exit(main())
