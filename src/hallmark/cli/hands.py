"""What the author of a solution works with: AWS, `kubectl` and Helm, all of them on the twin and nowhere else."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hallmark.errors import EnvironmentFault
from hallmark.targets.aws import AwsSource

PATIENCE = 300.0
"""Seconds one command may take."""


@dataclass(frozen=True)
class Hands:
    """A person's tools, in the hands of a script.

    Attributes:
        source: Makes boto3 clients.
        environment: Variables that lead the commands to the twin.
    """

    source: AwsSource
    environment: Mapping[str, str]

    def __call__(self, service: str) -> Any:
        """Give a boto3 client, for example ``client("rds")``."""
        return self.source.client(service)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run ``kubectl`` and return what it prints.

        Raises:
            EnvironmentFault: It failed; the message is its own.
        """
        from hallmark.twin.deployment import kubectl  # noqa: PLC0415  (an extra: learners on AWS do not install it)

        return self._run([kubectl(), *arguments], stdin)

    def helm(self, *arguments: str, stdin: str = "") -> str:
        """Run Helm and return what it prints.

        Raises:
            EnvironmentFault: It failed; the message is Helm's own.
        """
        return self._run([sys.executable, "-m", "hallmark.twin.release", *arguments], stdin)

    def _run(self, command: list[str], stdin: str) -> str:
        done = subprocess.run(
            command, input=stdin, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode:
            raise EnvironmentFault(f"{' '.join(command[-3:])}: {done.stderr.strip()[-400:]}", "hallmark twin status")
        return done.stdout
