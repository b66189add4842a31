"""Commands of the application's image, which its probes run. The kubelet reads their names: nothing heavy here."""

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith import service
from hallmark.twin.programs.shell.interpreter import Command


def _use_redis(container: Container) -> None:
    from hallmark.twin.platform.broker import Broker  # noqa: PLC0415  (redis-py is for who runs it)

    Broker(container).use()


COMMANDS: dict[str, Command] = {"saq": service.saq(_use_redis)}
