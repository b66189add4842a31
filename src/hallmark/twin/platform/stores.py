"""The four stores of the application, together."""

from dataclasses import dataclass
from typing import Self

from hallmark.twin.platform.broker import Broker
from hallmark.twin.platform.database import Database
from hallmark.twin.platform.objects import Bucket
from hallmark.twin.platform.warehouse import Warehouse
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith.service import Used


@dataclass(frozen=True)
class Stores:
    """What a workload works with. Nothing is opened before it is needed."""

    database: Database
    broker: Broker
    warehouse: Warehouse
    bucket: Bucket

    @classmethod
    def of(cls, container: Container) -> Self:
        """The stores that a container's environment names."""
        return cls(Database(container), Broker(container), Warehouse(container), Bucket(container))

    def watched(self) -> list[Used]:
        """Those that are looked at now and then."""
        return [self.database, self.broker, self.warehouse]
