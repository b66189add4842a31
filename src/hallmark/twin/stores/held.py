"""The folder of a store whose server somebody gives: which state of it is the newest, and what a rest has left here.

The server's data cannot be copied as files, so when the store rests it is written here in the server's own format.
Each time it is at work it has a new mark, here and on the server. So a folder of a snapshot, whose mark is older, is
told from one that the server's data belongs to; and after a crash, the data on the server go on.
"""

from pathlib import Path

from hallmark.errors import EnvironmentFault
from hallmark.twin.files import write


class GivenFault(EnvironmentFault):
    """A given server does not do what it should, or is missed: the person who runs it can mend that."""


class Held:
    """What is known of the data in one folder.

    Args:
        folder: The store's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = folder / "given"

    @property
    def state(self) -> str:
        """The mark of the newest state; empty if no given server ever had it."""
        return self._mark.read_text(encoding="utf-8") if self._mark.exists() else ""

    @property
    def file(self) -> Path:
        """Where the data of that state is while it rests."""
        return self._folder / f"held-{self.state}"

    @property
    def is_at_work(self) -> bool:
        """Whether the newest data is on the server alone."""
        return bool(self.state) and not self.file.exists()

    def require(self) -> None:
        """Refuse to go on without the newest data.

        Raises:
            GivenFault: They are on the server alone.
        """
        if self.is_at_work:
            said = f"The data of {self._folder.name} is on a server that was given by URL, which is not used any more."
            raise GivenFault(said, "set the variable again, then hallmark twin up; or hallmark twin reset")

    def begin(self, state: str) -> None:
        """The server has this state from now on: what is here is of the past."""
        write(self._mark, state)
        self._clear()

    def forget(self) -> None:
        """Nothing of a given server is here any more."""
        self._mark.unlink(missing_ok=True)
        self._clear()

    def _clear(self) -> None:
        for each in self._folder.glob("held-*"):
            if each != self.file:
                each.unlink()


def at_work(data: Path) -> list[str]:
    """Stores whose newest data is on a given server alone, by the names of their folders.

    Args:
        data: The folder of all stores' folders.
    """
    return sorted(each.name for each in data.iterdir() if Held(each).is_at_work) if data.exists() else []
