"""A ``helm`` for people who have none: the same commands and flags, with Helm's own SDK inside.

``python -m hallmark.twin.release upgrade --install langsmith ./chart -n langsmith -f values.yaml --wait``
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from hallmark.errors import HallmarkError
from hallmark.twin.release import flags as of
from hallmark.twin.release import output
from hallmark.twin.release.binary import OURS
from hallmark.twin.release.flags import Where
from hallmark.twin.release.helm import Release

FAILED = 1
"""Helm's exit code of everything that goes wrong."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0, or 1 as Helm does."""
    try:
        where, rest = of.split(sys.argv[1:] if arguments is None else arguments)
        code = helm.main(rest, "helm", standalone_mode=False, obj=where)
    except click.ClickException as error:
        click.echo(f"Error: {error.format_message()}", err=True)
        return FAILED
    except HallmarkError as error:
        click.echo(f"Error: {error.message}", err=True)
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        return FAILED
    return code if isinstance(code, int) else 0


@click.group(epilog="Global flags: -n/--namespace, --kubeconfig, --kube-context. KUBECONFIG is read, too.")
def helm() -> None:
    """Hallmark's stand-in for helm: the commands a release needs, with the SDK of Helm 4.2 inside.

    If you have Helm itself, use it: whatever is done here works with it, and the other way round.
    """


@helm.command()
@click.argument("name")
@of.chart_flags
@of.value_flags
@of.change_flags
@of.form_flag
@click.pass_obj
def install(where: Where, /, **flags: Any) -> None:
    """Install a chart as release NAME."""
    _change("INSTALLATION FAILED", flags, where.helm().install)


@helm.command()
@click.argument("name")
@of.chart_flags
@of.value_flags
@of.change_flags
@of.form_flag
@click.option("-i", "--install", is_flag=True, help="Install it if it does not exist.")
@click.option("--reuse-values", is_flag=True, help="Merge the values over those of the last revision.")
@click.option("--reset-values", is_flag=True, help="Begin with the chart's values.")
@click.pass_obj
def upgrade(where: Where, /, **flags: Any) -> None:
    """Upgrade release NAME to a chart and its values."""
    more = {name: flags.pop(name) for name in ("install", "reuse_values", "reset_values")}
    _change("UPGRADE FAILED", flags, lambda *given: where.helm().upgrade(*given, **more))


def _change(failed: str, flags: dict[str, Any], change: Callable[..., Release]) -> None:
    name, form = flags["name"], flags["form"]
    how = of.how_of(flags)
    try:
        release = change(name, of.chart_of(flags), of.values_of(flags), how)
    except HallmarkError as error:
        raise click.ClickException(f"{failed}: {error.message}") from error
    if form != "table":
        click.echo(output.formatted(output.release_data(release), form))
        return
    if release.revision > 1:
        click.echo(f'Release "{name}" has been upgraded. Happy Helming!')
    click.echo(output.release_text(release))
    if how.dry_run:
        click.echo(f"MANIFEST:\n{release.manifest}")


@helm.command()
@click.argument("name")
@click.argument("revision", type=int, default=0)
@of.wait_flags
@click.pass_obj
def rollback(where: Where, /, name: str, revision: int, **flags: Any) -> None:
    """Go back to a REVISION, by default to the one before."""
    where.helm().rollback(name, revision, of.how_of(flags))
    click.echo("Rollback was a success! Happy Helming!")


@helm.command()
@click.argument("name")
@of.wait_flags
@click.option("--keep-history", is_flag=True, help="Keep the record of it.")
@click.pass_obj
def uninstall(where: Where, /, name: str, **flags: Any) -> None:
    """Remove release NAME."""
    kept = where.helm().uninstall(name, of.how_of(flags), keep_history=flags["keep_history"])
    click.echo((f"{kept.rstrip()}\n" if kept.strip() else "") + f'release "{name}" uninstalled')


@helm.command()
@click.argument("name")
@of.form_flag
@click.pass_obj
def history(where: Where, /, name: str, form: str) -> None:
    """Show the revisions of release NAME."""
    rows = output.history_rows(where.helm().history(name))
    columns = ("revision", "updated", "status", "chart", "app_version", "description")
    click.echo(output.table(columns, rows) if form == "table" else output.formatted(rows, form))


@helm.command("list")
@click.option("-A", "--all-namespaces", is_flag=True, help="Of every namespace.")
@click.option("-a", "--all", is_flag=True, help="Whatever their status; always so here.")
@of.form_flag
@click.pass_obj
def list_(where: Where, /, form: str, **flags: Any) -> None:
    """List releases."""
    rows = output.list_rows(where.helm().releases(all_namespaces=flags["all_namespaces"]))
    columns = ("name", "namespace", "revision", "updated", "status", "chart", "app_version")
    click.echo(output.table(columns, rows) if form == "table" else output.formatted(rows, form))


@helm.command()
@click.argument("name")
@of.revision_flag
@of.form_flag
@click.pass_obj
def status(where: Where, /, name: str, revision: int, form: str) -> None:
    """Show the state of release NAME."""
    release = where.helm().status(name, revision)
    data = output.release_data(release)
    click.echo(output.release_text(release) if form == "table" else output.formatted(data, form))


@helm.command()
@click.argument("words", metavar="[NAME] CHART", nargs=-1, required=True)
@of.repository_flags
@of.value_flags
@click.option("-s", "--show-only", multiple=True, help="Only what this template made: templates/ingress.yaml.")
@click.pass_obj
def template(where: Where, /, words: tuple[str, ...], **flags: Any) -> None:
    """Render a chart without a cluster."""
    name, chart = ("release-name", *words)[-2:]
    manifest = where.helm().template(name, of.chart_of({**flags, "chart": chart}), of.values_of(flags))
    click.echo(output.only(manifest, flags["show_only"]).rstrip())


@helm.command()
@of.chart_flags
@of.value_flags
@click.pass_obj
def lint(where: Where, /, **flags: Any) -> int:
    """Look a chart over."""
    text, failed = output.lint_text(flags["chart"], where.helm().lint(of.chart_of(flags), of.values_of(flags)))
    click.echo(text)
    return FAILED if failed else 0


@helm.group()
def get() -> None:
    """Read a release as it is stored."""


@get.command("values")
@click.argument("name")
@click.option("-a", "--all", "all_values", is_flag=True, help="The chart's, too.")
@of.revision_flag
@of.form_flag
@click.pass_obj
def get_values(where: Where, /, name: str, revision: int, form: str, **flags: Any) -> None:
    """Show the values of release NAME."""
    values = where.helm().values(name, revision, all_values=flags["all_values"])
    if form == "table":
        click.echo("COMPUTED VALUES:" if flags["all_values"] else "USER-SUPPLIED VALUES:")
    click.echo(output.formatted(values or None, "json" if form == "json" else "yaml"))


@get.command("manifest")
@click.argument("name")
@of.revision_flag
@click.pass_obj
def get_manifest(where: Where, /, name: str, revision: int) -> None:
    """Show what release NAME installed, hooks left out."""
    click.echo(where.helm().status(name, revision).manifest)


@get.command("hooks")
@click.argument("name")
@of.revision_flag
@click.pass_obj
def get_hooks(where: Where, /, name: str, revision: int) -> None:
    """Show the hooks of release NAME."""
    click.echo(where.helm().hooks(name, revision))


@get.command("notes")
@click.argument("name")
@of.revision_flag
@click.pass_obj
def get_notes(where: Where, /, name: str, revision: int) -> None:
    """Show the notes of release NAME."""
    click.echo(f"NOTES:\n{where.helm().status(name, revision).notes}")


@get.command("all")
@click.argument("name")
@of.revision_flag
@click.pass_obj
def get_all(where: Where, /, name: str, revision: int) -> None:
    """Show everything of release NAME."""
    helm_ = where.helm()
    release = helm_.status(name, revision)
    given, computed = (helm_.values(name, revision, all_values=each) for each in (False, True))
    click.echo(output.release_text(release).split("\nNOTES:")[0])
    click.echo(f"USER-SUPPLIED VALUES:\n{output.formatted(given or None, 'yaml')}\n")
    click.echo(f"COMPUTED VALUES:\n{output.formatted(computed, 'yaml')}\n")
    click.echo(f"HOOKS:\n{helm_.hooks(name, revision)}\nMANIFEST:\n{release.manifest}\nNOTES:\n{release.notes}")


@helm.group()
def show() -> None:
    """Read a chart."""


@show.command("chart")
@of.chart_flags
@click.pass_obj
def show_chart(where: Where, /, **flags: Any) -> None:
    """Show Chart.yaml."""
    click.echo(output.formatted(where.helm().show(of.chart_of(flags))[0], "yaml"))


@show.command("values")
@of.chart_flags
@click.pass_obj
def show_values(where: Where, /, **flags: Any) -> None:
    """Show values.yaml."""
    click.echo(where.helm().show(of.chart_of(flags))[1].rstrip())


@helm.command()
@click.option("--short", is_flag=True, help="Only the version.")
@click.option("--template", "form", default="", help="{{.Version}} is filled in.")
@click.pass_obj
def version(where: Where, /, form: str, **flags: Any) -> None:
    """Show the version of Helm inside."""
    number = f"{where.helm().version()}{OURS}"
    whole = f'version.BuildInfo{{Version:"{number}"}}'
    click.echo(form.replace("{{.Version}}", number) if form else number if flags["short"] else whole)


helm.add_command(uninstall, "delete")
helm.add_command(list_, "ls")
helm.add_command(history, "hist")
