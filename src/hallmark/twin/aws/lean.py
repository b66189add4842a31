"""moto with less in memory: what it reads or makes beforehand is read and made when somebody asks for it.

Its tables of which instance types each region offers are of all regions, and take 45 MB and half a second of each
start. moto reads them while it is imported, so this has to be done before. The 1300 public images and their snapshots
are made for each account; most accounts of a twin have no use for them, and each of its saves gets smaller. And it
keeps a list of everything it ever made, for a page of its dashboard: nothing that was deleted or reset was ever freed.
"""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from moto.core import loaders
from moto.core.common_models import BaseModel
from moto.utilities import utils

from hallmark.twin.aws import regions
from hallmark.twin.descriptions import Lean

OFFERINGS = "instance_type_offerings"
Read = Callable[[str], Any]


class Regions(dict[str, Any]):
    """One table: the offers of each region.

    Args:
        kind: The kind of place it is about.
        read: Reads a file of moto's.
        known: Regions there are files of.
    """

    def __init__(self, kind: str, read: Read, known: dict[str, Any]) -> None:
        super().__init__(known)
        self._kind = kind
        self._read = read

    def __getitem__(self, region: str) -> Any:
        """The offers of a region.

        Raises:
            KeyError: moto knows none.
        """
        if not (found := super().__getitem__(region)):
            path = PurePath("ec2", "resources", OFFERINGS, self._kind, f"{region}.json")
            found = [each | {"LocationType": self._kind} for each in self._read(str(path))]
            self[region] = found
        return found

    def get(self, region: str, default: Any = None) -> Any:
        """The offers of a region, or something else if moto knows none."""
        return self[region] if region in self else default  # noqa: SIM401  (what it suggests is this)


def apply() -> None:
    """Change what moto reads at its import; to be called before that, once in a process."""
    regions.apply()
    read = utils.load_resource

    def without_offerings(resource: str) -> Any:
        return [] if OFFERINGS in PurePath(resource).parts else read(resource)

    utils.load_resource = without_offerings
    loaders.Loader.FILE_LOADER_CLASS = Lean
    setattr(BaseModel, "__new__", _untracked)  # noqa: B010  (mypy rightly objects to plain assignment)
    from moto.ec2.models import instance_types  # noqa: PLC0415  (after the change, or it would read all)

    utils.load_resource = read
    _make_images_late()
    tables = instance_types.INSTANCE_TYPE_OFFERINGS
    for kind, known in list(tables.items()):
        tables[kind] = Regions(kind, read, known)


def _untracked(made: type[BaseModel], *_: Any, **__: Any) -> BaseModel:
    return object.__new__(made)


def _make_images_late() -> None:
    from moto.ec2.models.amis import AmiBackend  # noqa: PLC0415  (as above)

    backends: Any = AmiBackend
    backends.__init__ = _without_images
    backends.amis = property(_images)


def _without_images(backend: Any) -> None:
    backend.deleted_amis = []


def _images(backend: Any) -> dict[str, Any]:
    if "images" not in vars(backend):
        backend.images = {}  # before they are made, because they are put into it
        backend._load_amis()  # noqa: SLF001  (what moto's own constructor does)
    images: dict[str, Any] = backend.images
    return images
