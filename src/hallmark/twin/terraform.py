"""The real `terraform`, run for the twin: its version checked, its progress told, its failures in one sentence."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any

from hallmark.errors import EnvironmentFault
from hallmark.twin.files import hold, is_held, write
from hallmark.waiting import until

Progress = Callable[[str], None]
OLDEST = (1, 11)
"""Write-only arguments, which keep secrets out of the state, came with this version."""
INSTALL = "install Terraform 1.11 or later: https://developer.hashicorp.com/terraform/install"
MIRROR = "HALLMARK_PROVIDER_MIRROR"
LOCK = "terraform.lock"
ATTEMPTS = "5"
"""How often the provider tries a call; by default 25 times, minutes of silence when the emulator is gone."""
PATIENCE = 1800.0
"""Seconds after which a Terraform is ended: ten times what it needs on a slow machine."""
ENDS_WITHIN = 30.0
"""Seconds Terraform has to put its state in order after an interruption."""


class Terraform:
    """One root module, one state file, one set of variables.

    Args:
        module: The root module.
        variables: The variables file.
        work: Where Terraform's data, its state and its log go.
        environment: Variables that lead Terraform to its target.
    """

    def __init__(self, module: Path, variables: Path, work: Path, environment: Mapping[str, str]) -> None:
        self._module = module
        self._variables = variables
        self._work = work
        self._environment = environment
        self.state = work / "terraform.tfstate"
        self.log = work / "terraform.log"

    def apply(self, progress: Progress) -> None:
        """Create or change everything; tells each resource as it is done.

        Raises:
            EnvironmentFault: Terraform is missing or too old, finds no provider, or failed.
        """
        self._initialise(progress)
        self._change("created", progress, "apply", "-auto-approve", *self._common())

    def destroy(self, progress: Progress) -> None:
        """Remove everything that is in the state."""
        self._initialise(progress)
        self._change("removed", progress, "destroy", "-auto-approve", *self._common())

    def plan_is_empty(self) -> bool:
        """Whether a plan would change nothing."""
        self._initialise(lambda _: None)
        finished = self._run("plan", "-detailed-exitcode", "-no-color", "-lock=false", *self._common())
        if finished.returncode not in {0, 2}:
            raise EnvironmentFault(f"terraform plan failed: {_error(finished.stdout)}", f"read {self.log}")
        return finished.returncode == 0

    def _common(self) -> list[str]:
        return ["-input=false", f"-state={self.state}", f"-var-file={self._variables}"]

    def _initialise(self, progress: Progress) -> None:
        check_version()
        progress("Preparing Terraform.")
        finished = self._run("init", "-input=false", "-no-color")
        if finished.returncode:
            message = f"terraform init failed: {_error(finished.stdout)}"
            raise EnvironmentFault(message, f"without internet, set {MIRROR} to a folder of providers; see {self.log}")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        with self._started(*arguments) as process:
            output, _ = process.communicate()
        write(self.log, output)
        return subprocess.CompletedProcess(arguments, process.returncode, output)

    def _change(self, done: str, progress: Progress, *arguments: str) -> None:
        errors: list[str] = []
        with self._started(*arguments, "-json") as process:
            assert process.stdout  # noqa: S101  (for the type checker: it was asked for)
            lines = list(_told(process.stdout, done, progress, errors))
        write(self.log, "".join(lines))
        if process.returncode:
            what = errors[0] if errors else f"exit code {process.returncode}"
            raise EnvironmentFault(f"terraform {arguments[0]} failed: {what}", f"read {self.log}")

    def _started(self, *arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
        environment = {**os.environ, **self._environment, "TF_DATA_DIR": str(self._work / "data")}
        environment |= {"TF_IN_AUTOMATION": "1", "AWS_MAX_ATTEMPTS": ATTEMPTS}
        return _child(["terraform", f"-chdir={self._module}", *arguments], environment, self._work / LOCK)


@contextmanager
def _child(command: list[str], environment: dict[str, str], lock: Path) -> Iterator[subprocess.Popen[str]]:
    # In a process group of its own: Ctrl-C reaches it through us, once. It inherits the lock, so that a later command
    # finds it should this one be killed.
    with hold(lock, "Another Terraform works on this twin.") as handle:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            pass_fds=[handle.fileno()],
        )
        handle.write(str(process.pid))
        handle.flush()
        too_long = Timer(PATIENCE, _end, [process])
        too_long.start()
        try:
            with process:
                yield process
        except BaseException:
            _end(process)
            raise
        finally:
            too_long.cancel()


def _end(process: subprocess.Popen[str]) -> None:
    for sign in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN)
            return


def end_orphan(work: Path) -> None:
    """End a Terraform that outlived the command which started it.

    Args:
        work: The folder of the Terraform that may still run.
    """
    lock = work / LOCK
    for sign in (signal.SIGINT, signal.SIGKILL):
        if not is_held(lock):
            return
        with suppress(ProcessLookupError, ValueError):
            os.killpg(int(lock.read_text()), sign)
        until(lambda: not is_held(lock), ENDS_WITHIN)


def _told(output: Iterable[str], done: str, progress: Progress, errors: list[str]) -> Iterator[str]:
    # Terraform's machine-readable messages, one JSON object a line.
    # https://developer.hashicorp.com/terraform/internals/machine-readable-ui
    total, count = 0, 0
    for line in output:
        yield line
        message = _parsed(line)
        kind = message.get("type")
        if kind == "change_summary" and message["changes"]["operation"] == "plan":
            changes = message["changes"]
            total = changes["add"] + changes["change"] + changes["remove"]
            progress(f"{total} resources to go; most of the time is spent waiting inside Terraform's provider.")
        elif kind == "apply_complete" and message["hook"]["action"] != "read":
            count += 1
            progress(f"{done} {count} of {total}: {message['hook']['resource']['addr']}")
        elif kind == "diagnostic" and message["diagnostic"]["severity"] == "error":
            errors.append(_sentence(message["diagnostic"]))


def _parsed(line: str) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}


def _sentence(diagnostic: dict[str, Any]) -> str:
    where = diagnostic.get("address") or (diagnostic.get("snippet") or {}).get("context") or "Terraform"
    detail = " ".join(str(diagnostic.get("detail", "")).split())
    return f"{where}: {diagnostic['summary']}. {detail}".strip()[:400]


def _error(output: str) -> str:
    # The last one: Terraform begins with a general one and becomes exact.
    found = re.findall(r"Error: (.+)", output)
    return str(found[-1]) if found else (output.strip().splitlines() or ["no output"])[-1]


def check_version() -> None:
    """Raise an `EnvironmentFault` that says how to get Terraform, unless it is there and new enough."""
    if not shutil.which("terraform"):
        raise EnvironmentFault("Terraform is not on the PATH.", INSTALL)
    finished = subprocess.run(["terraform", "version", "-json"], capture_output=True, text=True, check=False)
    found = str(_parsed(finished.stdout).get("terraform_version", "unknown"))
    numbers = re.match(r"(\d+)\.(\d+)", found)
    if not numbers or (int(numbers[1]), int(numbers[2])) < OLDEST:
        raise EnvironmentFault(f"Terraform {found} is too old.", INSTALL)


def provider_settings(work: Path) -> dict[str, str]:
    """Variables that lead Terraform to a provider mirror, if one is set.

    ``HALLMARK_PROVIDER_MIRROR`` is a folder that holds ``registry.terraform.io/hashicorp/aws/<version>/<platform>``.
    A CLI configuration that the person has chosen already is left alone.

    Args:
        work: Where the CLI configuration is written.
    """
    mirror = os.environ.get(MIRROR)
    if not mirror or Path(os.environ.get("TF_CLI_CONFIG_FILE", "")).is_file():
        return {}
    if not (Path(mirror) / "registry.terraform.io").is_dir():
        raise EnvironmentFault(f"{MIRROR}={mirror} holds no folder registry.terraform.io.", "mend or unset it")
    settings = work / "mirror.tfrc"
    path = json.dumps(str(Path(mirror).resolve()))
    write(settings, f"provider_installation {{\n  filesystem_mirror {{\n    path = {path}\n  }}\n}}\n")
    return {"TF_CLI_CONFIG_FILE": str(settings)}
