"""What is read lazily or without prose answers as before."""

import subprocess
import sys
from typing import Any

import boto3
import pytest
from botocore.loaders import Loader

from hallmark.twin import descriptions
from hallmark.twin.aws.lean import Regions
from hallmark.twin.clients import Clients

SERVICES = ("acm", "ec2", "eks", "elasticache", "elbv2", "iam", "logs", "rds", "route53", "s3", "sts", "wafv2")
SERVER = "import hallmark.twin.aws.server; "


@pytest.mark.parametrize("service", SERVICES)
def test_a_lean_description_offers_what_the_whole_one_does(service: str) -> None:
    """Operations, their members, and what botocore reads with its prose."""
    lean = Clients("http://127.0.0.1:1", "111122223333", "us-east-1")(service).meta.service_model
    whole = boto3.session.Session().client(service, "us-east-1").meta.service_model

    assert lean.operation_names == whole.operation_names
    for name in lean.operation_names:
        shapes = [model.operation_model(name).input_shape for model in (lean, whole)]
        assert len({tuple(shape.members) if shape else () for shape in shapes}) == 1, name
    names = [[each.name for each in model.client_context_parameters] for model in (lean, whole)]
    assert names[0] == names[1]


def test_a_lean_description_has_no_prose() -> None:
    """The key stays, the text goes."""
    lean = descriptions.loader().load_service_model("eks", "service-2")
    whole = Loader().load_service_model("eks", "service-2")

    assert lean["operations"]["CreateCluster"]["documentation"] == ""
    assert whole["operations"]["CreateCluster"]["documentation"] != ""


def test_offers_are_read_for_the_region_that_is_asked_for() -> None:
    """Once, and with the kind of place that moto adds."""
    asked: list[str] = []

    def read(path: str) -> list[dict[str, str]]:
        asked.append(path)
        return [{"InstanceType": "m5.large", "Location": "eu-west-1"}]

    regions = Regions("region", read, {"eu-west-1": [], "us-east-1": []})

    expected = [{"InstanceType": "m5.large", "Location": "eu-west-1", "LocationType": "region"}]
    assert regions["eu-west-1"] == regions.get("eu-west-1") == expected
    assert asked == ["ec2/resources/instance_type_offerings/region/eu-west-1.json"]
    assert regions.get("mars-1", []) == []


def test_the_server_keeps_no_list_of_what_it_made() -> None:
    """What is deleted is freed; moto alone would keep it."""
    make = "from moto.ec2.models import ec2_backends as b; b['1' * 12]['us-east-1'].create_vpc('10.0.0.0/16'); "
    ask = make + "from moto.ec2.models.vpcs import VPC; print(len(VPC.instances_tracked))"
    alone, ours = [_said(before + ask) for before in ("", SERVER)]

    assert int(alone) > int(ours) == 0


def test_the_server_offers_what_moto_does() -> None:
    """In a process of its own, because moto reads its tables only once."""
    ask = "from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS as o; print(o['region']['us-east-1'])"
    alone, ours = [_said(before + ask) for before in ("", SERVER)]

    assert alone == ours
    assert "m5.large" in ours


def _said(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_images_are_made_when_they_are_asked_for(aws: Clients, account: str, emulator: Any) -> None:
    """A save that was made before has none of them; an account brought back from it has them all the same."""
    aws("ec2").create_vpc(CidrBlock="10.7.0.0/16")
    without = emulator.control.snapshot(account)

    images = aws("ec2").describe_images(Owners=["amazon"])["Images"]
    assert len(images) > 1000
    assert len(without) < len(emulator.control.snapshot(account))
    emulator.control.restore(account, without)
    assert aws("ec2").describe_images(ImageIds=[images[0]["ImageId"]])["Images"][0]["Name"] == images[0]["Name"]
