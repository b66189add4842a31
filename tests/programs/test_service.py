"""A workload meets its stores: one that is just starting is waited for, one that says no is not."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from hallmark.twin.programs.langsmith import service
from hallmark.twin.programs.langsmith.service import Health
from hallmark.twin.programs.langsmith.stores import Trouble


@dataclass
class Store:
    """A store that has these troubles, one after the other, and then none."""

    troubles: list[str]
    name: str = "postgres"

    def use(self) -> None:
        """Use it."""
        if self.troubles:
            raise Trouble(self.troubles.pop(0))


@dataclass
class Container:
    """What of a container is asked."""

    said: list[str] = field(default_factory=list)

    def say(self, _: str, message: str) -> None:
        """Log."""
        self.said.append(message)

    def fail(self, message: str) -> None:
        """End."""
        raise SystemExit(message)


def test_a_store_that_is_just_starting_is_waited_for() -> None:
    """It refuses, and then it is there."""
    container: Any = Container()
    service._look(container, Store(["Connection refused", "Connection refused"]), Health(), fatal=True)
    assert container.said == ["postgres: connected"]


@pytest.mark.parametrize("trouble", ["Connection refused", "password authentication failed"])
def test_a_store_that_goes_on_ends_the_container(monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    """A refusal once patience is over; any other answer at once."""
    monkeypatch.setattr(service, "PATIENCE", 1.0)
    store = Store([trouble] * 9)
    container: Any = Container()
    with pytest.raises(SystemExit, match=f"startup error: postgres: {trouble}"):
        service._look(container, store, Health(), fatal=True)
    assert (len(store.troubles) == 8) is (trouble != "Connection refused")


def test_later_nobody_waits() -> None:
    """A look while it works tells at once."""
    container: Any = Container()
    health, store = Health(), Store(["Connection refused"] * 2)
    service._look(container, store, health)
    assert (len(store.troubles), container.said) == (1, ["postgres error: Connection refused"])
    assert health.lost["postgres"] is not None
