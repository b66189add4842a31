"""The emulated AWS as a kubelet asks it: an answer serves for a moment, because many pods ask the same at once."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from hallmark.twin.clients import Clients
from hallmark.twin.kube.kinds import Object

T = TypeVar("T")
FAILURES = (ClientError, BotoCoreError, LookupError, ValueError)
"""Not answered, or in a way that is not understood."""
FRESH = 2.0
"""Seconds for which an answer of AWS is used again."""


@dataclass(frozen=True)
class Instance:
    """The EC2 instance that a node is, as far as its network matters.

    Attributes:
        groups: Its security groups: pods have them, too (VPC CNI, EKS user guide).
        address: Its private address.
        subnet: Its subnet.
        vpc: Its VPC.
        is_public: Whether it has a public address.
    """

    groups: frozenset[str] = frozenset()
    address: str = ""
    subnet: str = ""
    vpc: str = ""
    is_public: bool = False


class Cloud:
    """One account.

    Args:
        clients: Reach it in the emulated AWS.
    """

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self._answers: dict[str, tuple[float, Any]] = {}
        self._lock = asyncio.Lock()

    async def ask(self, work: Callable[[], T], otherwise: T) -> T:
        """Have questions asked in a thread, those of one pod after those of another.

        Args:
            work: Asks them, by :meth:`fresh`.
            otherwise: What holds if AWS does not answer.
        """
        async with self._lock:
            try:
                return await asyncio.to_thread(work)
            except FAILURES:
                return otherwise

    def fresh(self, key: str, read: Callable[[], T]) -> T:
        """An answer, read again once it has aged; blocking.

        Raises:
            ClientError: AWS refuses.
            BotoCoreError: It does not answer.
        """
        until, answer = self._answers.get(key, (0.0, None))
        if time.monotonic() >= until:
            answer = read()
            self._answers[key] = (time.monotonic() + FRESH, answer)
        known: T = answer
        return known

    def instance(self, node: Object | None) -> Instance | None:
        """The instance that a node is; None for a node that is none. Blocking."""
        identity = ((node or {}).get("spec") or {}).get("providerID", "").rpartition("/")[2]
        return self.fresh(identity, lambda: self._describe(identity)) if identity else None

    def rules(self, groups: tuple[str, ...], kind: str) -> list[Mapping[str, Any]]:
        """The rules of security groups. Blocking.

        Args:
            groups: Their ids.
            kind: ``IpPermissions`` or ``IpPermissionsEgress``.
        """

        def read() -> list[Mapping[str, Any]]:
            found = self.clients("ec2").describe_security_groups(GroupIds=list(groups))["SecurityGroups"]
            return [rule for group in found for rule in group[kind]]

        return self.fresh(f"{kind} {groups}", read) if groups else []

    def _describe(self, identity: str) -> Instance:
        reservations = self.clients("ec2").describe_instances(InstanceIds=[identity])["Reservations"]
        found = reservations[0]["Instances"][0]
        cards = found.get("NetworkInterfaces", [])
        groups = [*found.get("SecurityGroups", []), *(group for card in cards for group in card.get("Groups", []))]
        return Instance(
            groups=frozenset(group["GroupId"] for group in groups),
            address=found.get("PrivateIpAddress", ""),
            subnet=found.get("SubnetId", ""),
            vpc=found.get("VpcId", ""),
            is_public=bool(found.get("PublicIpAddress")),
        )
