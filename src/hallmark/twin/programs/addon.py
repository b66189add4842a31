"""Add-ons of the cluster: their pods answer probes, and show the log of the controller that does the work.

The controllers run in a process of their own (:mod:`hallmark.twin.controllers`) and work while a pod of theirs is
ready.
"""

from pathlib import Path

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.shell.interpreter import Command
from hallmark.twin.programs.watching import Watch
from hallmark.twin.programs.web import Reply, accept, serve

COMMANDS: dict[str, Command] = {"grpc-health-probe": lambda _shell, _words: 0}
"""Probes of add-ons that bring their own."""
FOLLOWS_EVERY = 1.0
"""Seconds between two looks at the controller's log, where nobody tells of changes."""


def main(container: Container) -> int:
    """Answer on the add-on's ports until stopped."""
    container.on_stop(0)
    container.say(
        "INFO", f"{container.settings['title']}: the pod of an add-on; its work is done by the twin's controllers"
    )
    for port in container.settings.get("http", []):
        serve(container, port, lambda _: Reply(200, "ok"))
    for port in container.settings.get("tcp", []):
        accept(container, port)
    if container.log:
        _follow(container, Path(container.log))
    container.forever()


def _follow(container: Container, log: Path) -> None:
    """Copy lines that are written from now on, until the container ends."""
    watch = Watch(log, FOLLOWS_EVERY / container.speed)
    position = log.stat().st_size if log.exists() else 0
    while True:
        size = log.stat().st_size if log.exists() else 0
        position = min(position, size)  # a log that was begun again
        if size > position:
            with log.open(encoding="utf-8", errors="replace") as opened:
                opened.seek(position)
                text = opened.read()
            whole = text.rfind("\n") + 1
            position += len(text[:whole].encode())
            print(text[:whole], end="")  # noqa: T201  (a container's log is its standard output)
        watch.wait()
