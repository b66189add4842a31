"""Waiting for a file: as soon as it is written, and without a look in between where the kernel tells."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hallmark.twin.programs.watching import Watch
from hallmark.waiting import until


def returns(watch: Watch, when: Callable[[], object]) -> bool:
    """Whether a wait that has begun returns once something is done."""
    waiting = threading.Thread(target=watch.wait, daemon=True)
    waiting.start()
    when()
    waiting.join(10)
    return not waiting.is_alive()


def append(file: Path) -> None:
    """Write a line."""
    with file.open("a") as opened:
        opened.write("line\n")


def told(file: Path) -> Watch:
    """A watch that the kernel tells; pods of other tests may have all it gives one user, until they end."""
    watches: list[Watch] = []

    def is_told() -> bool:
        watches[:] = [Watch(file, pause=3600)]
        return watches[0].is_told

    assert until(is_told, 60, 1)
    return watches[0]


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux'")
def test_a_write_ends_the_wait_and_nothing_else_does(tmp_path: Path) -> None:
    """With a pause of an hour, only the kernel can tell."""
    file = tmp_path / "log"
    append(file)
    watch = told(file)

    assert returns(watch, lambda: append(file))
    waiting = threading.Thread(target=watch.wait, daemon=True)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    append(file)
    waiting.join(10)
    assert not waiting.is_alive()
    watch.close()


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux'")
def test_a_file_that_comes_later_or_anew_is_watched(tmp_path: Path) -> None:
    """Until it is there its folder is; a pause of an hour is never waited for."""
    file = tmp_path / "log"
    watch = told(file)

    assert returns(watch, lambda: append(file))
    assert returns(watch, lambda: append(file))
    assert returns(watch, file.unlink)
    assert returns(watch, lambda: append(file))
    assert returns(watch, lambda: append(file))
    watch.close()


def test_without_a_folder_it_is_looked_for(tmp_path: Path) -> None:
    """And found when it is there."""
    file = tmp_path / "folder" / "log"
    watch = Watch(file, pause=0.01)
    watch.wait()
    file.parent.mkdir()
    append(file)
    watch.wait()

    assert returns(watch, lambda: append(file))
    watch.close()


def test_what_is_written_before_the_wait_is_not_lost(tmp_path: Path) -> None:
    """Between a read and a wait somebody may write."""
    file = tmp_path / "log"
    append(file)
    watch = Watch(file, pause=0.01)
    append(file)

    assert returns(watch, lambda: None)
    watch.close()
