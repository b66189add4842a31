"""`hallmark twin run`: a command for which LangSmith's own name leads to the twin."""

import os

import click

from hallmark.cli.app import App
from hallmark.errors import EnvironmentFault


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def run(app: App, command: tuple[str, ...]) -> None:
    """Run COMMAND, or your shell, where LangSmith's own name leads to the twin: no proxy, no root.

    Names of the twin's public hosted zones lead to its load balancers, for COMMAND and its children only. All variables
    of hallmark twin env are set, and LANGSMITH_ENDPOINT, LANGSMITH_API_KEY and the CA. The exit code is COMMAND's.

    \b
    Examples:
      hallmark twin run -- python trace_something.py
      hallmark twin run -- sh -c 'curl "$LANGSMITH_ENDPOINT/info"'
      hallmark twin run
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    twin, entrance = app.twin, app.twin.entrance()
    from hallmark.twin import naming  # noqa: PLC0415  (an extra, as the twin itself)

    if entrance is None:
        raise EnvironmentFault("Nothing leads to LangSmith: the twin is down.", "hallmark twin up")
    (address, _), found = entrance.place, naming.names(twin.clients)
    variables = naming.environment(os.environ, entrance, twin.api_key(), found) | twin.environment()
    if tools := twin.tools():
        variables["PATH"] = f"{tools}:{variables.get('PATH', os.defpath)}"
    shell = os.environ.get("SHELL") or "/bin/sh"
    naming.run(command or (shell,), variables, app.home / "twin" / "hosts", address, found)
