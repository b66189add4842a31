"""A real server of the twin for a whole test session, and a fresh AWS account for each test."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hallmark.twin.aws.seal import Seal
from hallmark.twin.clients import Clients
from hallmark.twin.control import Control
from hallmark.waiting import until

REGION = "us-east-1"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
_worker = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", "0"))))
_accounts = itertools.count(200_000_000_000 + _worker * 1_000_000)

Refusal = Callable[[str, str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Emulator:
    """A server that runs for the tests."""

    state: Path
    port: int
    control: Control

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Network:
    """A VPC with an internet gateway and one subnet in each of three zones."""

    vpc: str
    subnets: list[str]
    group: str


@contextmanager
def serving(state: Path, *more: str) -> Iterator[Emulator]:
    """Run a server on a free port until the block ends."""
    command = [sys.executable, "-m", "hallmark.twin.aws.server", "--port", "0", "--state", str(state), *more]
    about = state / "server.json"
    state.mkdir(parents=True, exist_ok=True)
    about.unlink(missing_ok=True)
    with (state / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            assert until(lambda: about.exists() or process.poll() is not None, 60)
            port = json.loads(about.read_text())["port"]
            control = Control(port, Seal.of(state).token)
            assert until(control.health, 60), (state / "log").read_text()
            yield Emulator(state, port, control)
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The server that all tests of the extension share."""
    with serving(tmp_path_factory.mktemp("emulator"), "--no-autosave") as running:
        yield running


@pytest.fixture
def account() -> str:
    """An account that nobody else uses."""
    return f"{next(_accounts):012d}"


@pytest.fixture
def aws(emulator: Emulator, account: str) -> Clients:
    """boto3 clients of the test's own account."""
    return Clients(emulator.endpoint, account, REGION)


@pytest.fixture
def network(aws: Clients) -> Network:
    """A network to put things into."""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(ZONES)
    ]
    group = ec2.create_security_group(GroupName="data", Description="data", VpcId=vpc)["GroupId"]
    return Network(vpc, subnets, group)


@pytest.fixture
def role(aws: Clients) -> str:
    """ARN of a role that anything may use here."""
    created = aws("iam").create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps({"Statement": []}))
    arn: str = created["Role"]["Arn"]
    return arn


@pytest.fixture
def cluster(aws: Clients, network: Network, role: str) -> dict[str, Any]:
    """An EKS cluster in the network, with access entries."""
    created: dict[str, Any] = aws("eks").create_cluster(
        name="lab",
        roleArn=role,
        resourcesVpcConfig={"subnetIds": network.subnets},
        accessConfig={"authenticationMode": "API"},
    )["cluster"]
    return created


@pytest.fixture
def refused() -> Refusal:
    """Expect AWS's refusal: its code and a part of its words."""

    @contextmanager
    def expect(code: str, words: str) -> Iterator[None]:
        with pytest.raises(ClientError) as caught:
            yield
        error = caught.value.response["Error"]
        assert error["Code"] == code, error
        assert words in error["Message"], error

    return expect


@pytest.fixture
def serve() -> Callable[..., AbstractContextManager[Emulator]]:
    """Run further servers; see `serving`."""
    return serving
