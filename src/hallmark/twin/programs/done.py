"""A program that has nothing to do here and ends well, for example what prepares a real node."""

from hallmark.twin.programs.container import Container


def main(container: Container) -> int:
    """End."""
    container.say("INFO", "nothing to prepare")
    return 0
