"""The root of the command line: its verbs, the target's settings, and what becomes of an error."""

import contextlib
import importlib
import os
import select
import sys
from collections.abc import Sequence
from typing import TextIO

import click
from rich.console import Console

from hallmark.cli import INTERRUPTED
from hallmark.cli.app import App
from hallmark.errors import EnvironmentFault, Exit, HallmarkError
from hallmark.targets.profile import KINDS

VERBS = {
    "grade": "grade", "collect": "grade", "lab": "lab", "twin": "twin", "render": "render", "fault": "fault",
    "revert": "fault", "clauses": "survey", "audit": "survey", "mutants": "proof", "bench": "proof", "soak": "soak",
    "docs": "survey",
}  # fmt: skip
"""Each verb, and the module of this package that holds it."""


class Verbs(click.Group):
    """A group that imports a verb when it is asked for: no verb waits for what another one needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's)
        """Names of all verbs, in the order of the help."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's)
        """The verb of a name, or None if there is none."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(importlib.import_module(f"hallmark.cli.{VERBS[cmd_name]}"), cmd_name)
        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--target", type=click.Choice(KINDS), help="Where the system under grading lives. Default: twin.")
@click.option("--region", metavar="REGION", help="AWS region, for example us-east-1.")
@click.option("--cluster", metavar="NAME", help="Name of the EKS cluster the grade is about.")
@click.option("--host", metavar="HOST", help="Public host name of the deployment.")
@click.option("--profile", metavar="NAME", help="AWS CLI profile (target aws).")
@click.option("--role-arn", metavar="ARN", help="Role to assume for grading (target aws).")
@click.option("--endpoint", metavar="URL", help="Endpoint of an emulator (target localstack).")
@click.option("--kubeconfig", metavar="FILE", help="How the cluster is reached. Default: as EKS says.")
@click.option("--context", metavar="NAME", help="Context of the kubeconfig. Default: its current one.")
@click.option("--url", metavar="URL", help="Public address of the platform. Default: https:// and the host.")
@click.option("--proxy", metavar="URL", help="Proxy that leads to the platform, http://HOST:PORT.")
@click.option("--ca", metavar="FILE", help="Certificates of a private authority that vouches for the platform.")
@click.option("--deadline", type=int, metavar="SECONDS", help="How long collecting may take. Default: 90.")
@click.version_option(package_name="hallmark")
@click.pass_context
def cli(context: click.Context, /, **flags: object) -> None:
    """Labs, graders and certificates for operating LangSmith Self-Hosted on AWS.

    \b
    Examples:
      hallmark grade                            grade the twin, starting it if needed
      hallmark lab list                         what there is to learn
      hallmark lab start edge-waf-rate-limit    begin a lab
      hallmark --target aws --cluster my-eks --host langsmith.example.com grade
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    context.obj = App.of(flags)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a person's mistake never gives a traceback.

    Raises:
        KeyboardInterrupt: The person pressed Ctrl-C, or answered a question with it.
    """
    try:
        code = cli.main(list(arguments) if arguments is not None else None, standalone_mode=False)
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as error:
        error.show()
        code = int(Exit.USAGE)
    except HallmarkError as error:
        _say(error)
        code = int(error.exit_code)
    except click.Abort as abort:
        raise KeyboardInterrupt from abort
    except BrokenPipeError:
        code = _pipe_broke()
    return code if isinstance(code, int) else 0


def _pipe_broke() -> int:
    """End like a program whose reader has left, but only if that is so: any connection may break in the same way."""
    if not any(map(_is_unread, (sys.stdout, sys.stderr))):
        hint = "Run the command again; hallmark twin status says whether the twin is well."
        fault = EnvironmentFault("A connection was closed while it was written to.", hint)
        _say(fault)
        return int(fault.exit_code)
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return INTERRUPTED


def _is_unread(stream: TextIO) -> bool:
    """Whether a stream leads to a pipe that nobody reads any more; see poll(2), ``POLLERR``."""
    with contextlib.suppress(OSError, ValueError):
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    return False


def _say(error: HallmarkError) -> None:
    console = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
    console.print(f"Error: {error.message}", style="bold red", markup=False)
    if error.hint:
        console.print(f"Next:  {error.hint}", markup=False)
