"""Short cuts through moto give what moto gives."""

from collections import OrderedDict
from types import MappingProxyType

import pytest
from moto.core.model import ServiceModel
from moto.core.serialize import AttributePicker, AttributePickerContext, XFormedAttributePicker, never_return
from moto.core.utils import get_service_model
from moto.ec2.models import ec2_backends

from hallmark.twin.aws import extension


class DBInstance:
    """An object as moto keeps them: names of its own, a property, an alias."""

    class Meta:
        """moto's way to name what has another name."""

        serialization_aliases = MappingProxyType({"Engine": "kind.name"})

    def __init__(self) -> None:
        self.identifier = "main"
        self.kind = {"name": "postgres"}
        self.DBInstanceClass = "db.m6g.large"

    @property
    def allocated_storage(self) -> int:
        """Computed when asked for."""
        return 100


OBJECTS = (
    DBInstance(),
    {"DBInstanceIdentifier": "main", "allocated_storage": 100, "Engine": None},
    OrderedDict(EngineVersion="16.4"),
    "text",
)


@pytest.fixture(scope="module", name="rds")
def _rds() -> ServiceModel:
    extension.install()
    return get_service_model("rds")


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: type(obj).__name__)
def test_a_member_has_the_value_moto_finds(rds: ServiceModel, obj: object) -> None:
    """The first time, and when the names are known: the same value for each member as by moto's own search."""
    picker = XFormedAttributePicker(response_transformers={".Engine": never_return, "EngineVersion": bool})
    shape = rds.shape_for("DBInstance")
    for _ in range(2):
        for key, member in shape.members.items():
            member.parent = shape
            context = AttributePickerContext(obj, key, member, key_path="DescribeDBInstances.DBInstance")

            assert AttributePicker.__call__(picker, context) == picker(context)


def test_a_resource_has_the_tags_moto_finds() -> None:
    """Its own alone, in the same order and with the same kind; none when it has none."""
    extension.install()
    backend = ec2_backends["111122223333"]["us-east-1"]
    vpcs = [backend.create_vpc("10.0.0.0/16") for _ in range(3)]
    for vpc in vpcs[:2]:
        vpc.add_tags({"Name": vpc.id, "app": "langsmith"})

    assert [vpc.get_tags() for vpc in vpcs] == [backend.describe_tags({"resource-id": [vpc.id]}) for vpc in vpcs]
    assert len(vpcs[0].get_tags()) == 2
    assert not vpcs[2].get_tags()
