"""Data stores that may run in the cluster instead of in AWS: they listen, and answer probes.

PostgreSQL and Redis inside the cluster are not part of the reference architecture, so there is no more of them here.
"""

from collections.abc import Callable, Sequence

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.shell.interpreter import Command, Shell
from hallmark.twin.programs.web import accept


def main(container: Container) -> int:
    """Run the store that the catalogue chose."""
    container.on_stop(0)
    container.say("INFO", f"{container.settings['role']}: Hallmark's stand-in; it keeps no data")
    KINDS[container.settings["role"]](container)
    container.forever()


def _postgres(container: Container) -> None:
    if not container.environment.get("POSTGRES_PASSWORD"):
        container.fail("Error: Database is uninitialized and superuser password is not specified.")
    accept(container, 5432)


def _redis(container: Container) -> None:
    accept(container, 6379)


def _says(text: str) -> Command:
    # Probes of the stores: the container lives, so it answers.
    def command(shell: Shell, _: Sequence[str]) -> int:
        shell.write(f"{text}\n")
        return 0

    return command


KINDS: dict[str, Callable[[Container], None]] = {"postgres": _postgres, "redis": _redis}
COMMANDS: dict[str, Command] = {
    "pg_isready": _says("/var/run/postgresql:5432 - accepting connections"),
    "redis-cli": _says("PONG"),
}
