"""Clients of AWS that can only reach the twin: its endpoint and its account are always given.

They are botocore's own: boto3 would make the same ones, and brings transfers of files that no part of the twin needs.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

from hallmark.twin.descriptions import loader

SECRET = "twin"  # noqa: S105  (the emulator takes any; the account number is what matters)
_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3})


@dataclass(frozen=True)
class Clients:
    """Makes clients for one account of one emulator.

    Attributes:
        endpoint: URL of the emulator.
        account: 12-digit account number, which is the access key.
        region: AWS region.
    """

    endpoint: str
    account: str
    region: str

    def __call__(self, service: str) -> Any:
        """A client of a service, for example ``clients("ec2")``; made once."""
        return _client(service, self)


@cache
def _session() -> Any:
    core = botocore.session.Session()
    core.register_component("data_loader", loader())
    return core


@cache
def _client(service: str, clients: Clients) -> Any:
    return _session().create_client(
        service,
        region_name=clients.region,
        endpoint_url=clients.endpoint,
        aws_access_key_id=clients.account,
        aws_secret_access_key=SECRET,
        config=_CONFIG,
    )
