"""Which servers a twin was told to use.

The URLs are remembered in a file that only we can read, beside the stores' data and in no snapshot: what restarts the
stores later, such as a reset, may be called from a shell that does not have the variables.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hallmark.twin.files import write
from hallmark.twin.stores.given.address import OWN, POSTGRES, REDIS, Address
from hallmark.twin.stores.given.server import Owner
from hallmark.twin.stores.held import Held

FILE = "given.json"
"""In the stores' state directory."""
TOLD = "told.json"
"""Beside it: what a person has to know, what is wrong with given servers and which stores are not on them."""
DATA = "data"


@dataclass(frozen=True)
class Chosen:
    """What a twin was told.

    Attributes:
        twin: Name of the twin on given servers.
        addresses: Servers by setting.
    """

    twin: str
    addresses: Mapping[str, Address]

    @classmethod
    def of(cls, state: Path) -> "Chosen":
        """Read what is remembered.

        Args:
            state: State directory of the stores.
        """
        told = _read(state / FILE) or {"twin": "", "urls": {}}
        return cls(told["twin"], {name: Address.read(name, url) for name, url in told["urls"].items()})


def change(state: Path, environment: Mapping[str, str], pause: Callable[[], None]) -> bool:
    """Use from now on what the variables name; a variable that is missing changes nothing.

    Args:
        state: State directory of the stores.
        environment: Variables of the process.
        pause: Stops the stores, so that their data is in their folders.

    Returns:
        Whether something changed.

    Raises:
        UsageError: A variable is no URL that can be used.
        GivenFault: A server does not answer, lets nobody in, is unfit, or is not empty; nothing was changed.
    """
    file = state / FILE
    told = _read(file) or {"twin": secrets.token_hex(4), "urls": {}}
    named = {name: environment[name] for name in (POSTGRES, REDIS) if environment.get(name)}
    urls = {name: url for name, url in {**told["urls"], **named}.items() if url != OWN}
    if urls == told["urls"]:
        return False
    from hallmark.twin.stores.given import marks  # noqa: PLC0415  (drivers take longer than most commands)

    before = {name: Address.read(name, url) for name, url in told["urls"].items()}
    for name, url in urls.items():
        if url != told["urls"].get(name):
            marks.require(Address.read(name, url), told["twin"])
    pause()
    places = {Address.read(name, url).place for name, url in urls.items()}
    _leave(state, told["twin"], [each for each in before.values() if each.place not in places])
    write(file, json.dumps({"twin": told["twin"], "urls": urls}))
    file.chmod(0o600)
    return True


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def _leave(state: Path, twin: str, addresses: Sequence[Address]) -> None:
    """Remove what is marked as ours from servers that are not used any more, but for what is on them alone."""
    from hallmark.twin.stores.given import marks  # noqa: PLC0415  (drivers take longer than most commands)

    data = state / DATA
    folders = [each.name for each in data.iterdir() if Held(each).file.exists()] if data.exists() else []
    for address in addresses:
        for key in folders:
            marks.erase(address, Owner(twin, key))
