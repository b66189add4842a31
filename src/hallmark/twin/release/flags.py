"""Helm's command line as click understands it: global flags anywhere, switches that take a value, Go's durations."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import yaml

from hallmark.errors import UsageError
from hallmark.twin.release.child import Child
from hallmark.twin.release.helm import Helm, How, Values
from hallmark.twin.release.locate import Chart

F = TypeVar("F", bound=Callable[..., Any])
IMPLIED = {"--wait": "--wait=watcher", "--dry-run": "--dry-run=client"}
"""Flags whose value may be left out; pflag wants it in the same word, click would take the next one."""
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True)
class Where:
    """What Helm's global flags say.

    Attributes:
        kubeconfig: A file, or None for the usual places.
        namespace: Of the releases.
        context: One of the kubeconfig, or empty for its current one.
    """

    kubeconfig: Path | None
    namespace: str
    context: str

    def helm(self) -> Helm:
        """The adapter, with the SDK as engine: a ``helm`` on the PATH may be this very program."""
        engine = Child(self.kubeconfig, self.namespace, self.context, lambda line: click.echo(line, err=True))
        return Helm(namespace=self.namespace, engine=engine)


class Globals(argparse.ArgumentParser):
    """Parser of the global flags; the first word it does not like is an error of the person's."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving the process."""
        raise UsageError(message)


def split(arguments: Sequence[str]) -> tuple[Where, list[str]]:
    """Take the global flags out of a command line, wherever they stand.

    Returns:
        What they say, and the rest in click's spelling.
    """
    parser = Globals(add_help=False, allow_abbrev=False)
    parser.add_argument("-n", "--namespace", default=os.environ.get("HELM_NAMESPACE", ""))
    parser.add_argument("--kubeconfig", default="")
    parser.add_argument("--kube-context", default=os.environ.get("HELM_KUBECONTEXT", ""))
    parser.add_argument("--debug", action="store_true")
    found, rest = parser.parse_known_args(arguments)
    kubeconfig = Path(found.kubeconfig) if found.kubeconfig else None
    namespace = found.namespace or _current_namespace(kubeconfig, found.kube_context)
    return Where(kubeconfig, namespace, found.kube_context), list(_spelled(rest))


def _spelled(arguments: Sequence[str]) -> Iterator[str]:
    for each in arguments:
        switch = re.fullmatch(r"(--[a-z-]+)=(true|false)", each)
        if not switch or switch[1] == "--wait":
            yield IMPLIED.get(each, each)
        elif switch[2] == "true":
            yield IMPLIED.get(switch[1], switch[1])


def _current_namespace(kubeconfig: Path | None, context: str) -> str:
    # As kubectl does: the context's namespace, else default.
    file = kubeconfig or Path(os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or Path.home() / ".kube" / "config")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        wanted = context or content["current-context"]
        found = next(each["context"] for each in content["contexts"] if each["name"] == wanted)
        return str(found.get("namespace") or "default")
    except (OSError, yaml.YAMLError, KeyError, TypeError, StopIteration):
        return "default"  # Helm itself says what is wrong with a kubeconfig once it needs the cluster


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several click options as one decorator."""

    def decorate(command: F) -> F:
        for each in reversed(options):
            command = each(command)
        return command

    return decorate


repository_flags = together(
    click.option("--repo", default="", help="URL of the chart's repository."),
    click.option("--version", default="", help="Version of a chart from a repository."),
)
chart_flags = together(click.argument("chart"), repository_flags)
value_flags = together(
    click.option("-f", "--values", multiple=True, help="Values file, - for standard input; the last one wins."),
    click.option("--set", "sets", multiple=True, help="Values, over those of files: a.b=1,c={x,y}."),
    click.option("--set-string", "strings", multiple=True, help="The same, and they stay text."),
)
wait_flags = together(
    click.option("--wait", default="hookOnly", help="Wait until everything is ready."),
    click.option("--timeout", default="5m0s", show_default=True, help="How long to wait, for example 10m."),
)
change_flags = together(
    wait_flags,
    click.option("--rollback-on-failure", "--atomic", "undo", is_flag=True, help="Undo what fails; waits, too."),
    click.option("--create-namespace", is_flag=True, help="Make the namespace when installing."),
    click.option("--dry-run", default="none", help="Change nothing; show the manifest."),
)
form_flag = click.option(
    "-o", "--output", "form", type=click.Choice(["table", "json", "yaml"]), default="table", help="How it is printed."
)
revision_flag = click.option("--revision", default=0, help="A revision; by default the last.")


def chart_of(flags: dict[str, Any]) -> Chart:
    """The chart of :data:`chart_flags`."""
    return Chart(flags["chart"], flags["repo"], flags["version"])


def values_of(flags: dict[str, Any]) -> Values:
    """The values of :data:`value_flags`, files read.

    Raises:
        UsageError: A file cannot be read.
    """
    return Values(tuple(_read(each) for each in flags["values"]), flags["sets"], flags["strings"])


def how_of(flags: dict[str, Any]) -> How:
    """How a change is made, from :data:`wait_flags` or :data:`change_flags`."""
    return How(
        wait=flags["wait"] not in {"hookOnly", "false"},
        timeout=seconds(flags["timeout"]),
        rollback_on_failure=flags.get("undo", False),
        create_namespace=flags.get("create_namespace", False),
        dry_run=flags.get("dry_run", "none") not in {"none", "false"},
    )


def seconds(duration: str) -> float:
    """Seconds of a Go duration such as 5m0s.

    Raises:
        UsageError: It is none.
    """
    if not re.fullmatch(r"(\d+(\.\d+)?(h|ms|m|s))+", duration):
        raise UsageError(f'invalid argument "{duration}" for "--timeout" flag: write for example 10m or 90s')
    return sum(float(number) * UNITS[unit] for number, _, unit in re.findall(r"(\d+(\.\d+)?)(h|ms|m|s)", duration))


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"open {name}: {error.strerror}") from error
