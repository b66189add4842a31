"""`hallmark twin`: the embedded copy of the architecture."""

from pathlib import Path

import click

from hallmark.cli import consent
from hallmark.cli.app import App
from hallmark.cli.network import network
from hallmark.cli.run import run
from hallmark.errors import Exit
from hallmark.twin.stores.held import GivenFault


@click.group()
def twin() -> None:
    """Start, stop, snapshot and look at the twin: the architecture on this machine, for nothing."""


@twin.command()
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="HALLMARK_TWIN_KUBECONFIG",
    help="Use this cluster (kwok, kind, k3d, a real one marked as a lab) from now on, with the twin's controllers.",
)
@click.option("--own-cluster", is_flag=True, help="Use the twin's own cluster again.")
@click.pass_obj
def up(app: App, kubeconfig: Path | None, own_cluster: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Start the twin; the first time, build it with Terraform and Helm (about three minutes)."""
    if own_cluster or kubeconfig:
        app.twin.use(None if own_cluster else kubeconfig, app.say)
    app.twin.up(app.say)
    app.console.print(f"The twin answers at {app.twin.endpoint}.")
    app.console.print('Point your shell at it: eval "$(hallmark twin env)"')


@twin.command()
@click.pass_obj
def down(app: App) -> None:
    """Stop the twin and keep its state."""
    app.twin.down()
    app.console.print("The twin is down. Its state is kept; hallmark twin up brings it back.")


@twin.command()
@click.pass_obj
def status(app: App) -> None:
    """Say whether the twin runs, where, and which snapshots there are."""
    found = app.twin.status()
    app.console.print(f"Twin:      {'up' if found.running else 'down'}")
    app.console.print(f"Endpoint:  {found.endpoint or '-'}")
    app.console.print(f"Cluster:   {found.kubernetes or '-'}")
    app.console.print(f"Account:   {found.account}")
    app.console.print(f"Snapshots: {', '.join(found.snapshots) or '-'}")
    if found.warning:
        app.console.print(f"Warning:   {found.warning}", markup=False)
    if not found.running:
        raise click.exceptions.Exit(int(Exit.NOT_PASSED))


@twin.command()
@click.option("--to", type=click.Choice(["baseline", "deployed"]), default="deployed", help="Default: deployed.")
@click.pass_obj
def reset(app: App, to: str) -> None:
    """Go back to the architecture as it was built.

    baseline: what Terraform builds. deployed: that, and the release.
    """
    try:
        app.twin.up(app.say)
    except GivenFault as fault:
        app.say(fault.message)  # going back gives a server the data that it misses
    app.twin.reset(app.say, to)
    app.console.print(f"The twin is back at {to}.")


@twin.command()
@click.argument("name")
@click.pass_obj
def snapshot(app: App, name: str) -> None:
    """Keep the twin's present state under NAME."""
    app.twin.snapshot(name)
    app.console.print(f"Kept as {name}. Go back with: hallmark twin restore {name}")


@twin.command()
@click.argument("name")
@click.pass_obj
def restore(app: App, name: str) -> None:
    """Bring back the state kept under NAME."""
    app.twin.restore(name)
    app.console.print(f"Restored {name}.")


@twin.command()
@click.option(
    "--langsmith", is_flag=True, help="For LangSmith's SDK instead: endpoint, a new or kept API key, proxy, CA."
)
@click.pass_obj
def env(app: App, langsmith: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Print the variables that point terraform, aws, kubectl and helm at the twin.

    \b
    Examples:
      eval "$(hallmark twin env)" && aws sts get-caller-identity
      eval "$(hallmark twin env --langsmith)" && python trace_something.py
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    if langsmith and (entrance := app.twin.entrance()):
        for name, value in sorted(entrance.environment(app.twin.api_key()).items()):
            click.echo(f"export {name}={value}")
        return
    for name, value in sorted(app.twin.environment().items()):
        click.echo(f"export {name}={value}")
    if tools := app.twin.tools():
        click.echo(f'export PATH="{tools}:$PATH"')


@twin.command()
@click.option("--remove", is_flag=True, help="Remove it again; do so before any terraform destroy.")
@click.pass_obj
def deploy(app: App, remove: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Install LangSmith on what Terraform built, as the lab of the second step teaches it.

    The load balancer and its DNS record belong to the release: they come and go with it.
    """
    app.twin.deploy(app.say, remove=remove)
    app.console.print(f"The release is {'gone' if remove else 'installed'}.")


@twin.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def destroy(app: App, yes: bool) -> None:  # noqa: FBT001  (click passes flags by position)
    """Destroy the baseline with Terraform; the twin goes on with an empty account."""
    if not yes:
        consent.require("This destroys what the twin's account holds. Go on?", "hallmark twin destroy --yes")
    app.twin.destroy(app.say)
    app.console.print("Destroyed. Look for leftovers with: hallmark audit")


twin.add_command(network)
twin.add_command(run)
