"""The two halves of a target, AWS and the cluster in it, read and written as one."""

from typing import Protocol

from hallmark.evidence.snapshot import CLUSTER
from hallmark.model import Answer, Call
from hallmark.targets.cluster_writer import ClusterWriter
from hallmark.targets.profile import Profile
from hallmark.targets.writer import AwsWriter, NotWritten, Outcome

SET_CERTIFICATE = "set_certificate"


class Writer(Protocol):
    """What a fault reads and writes with."""

    def answer(self, call: Call) -> Answer:
        """Ask once and say what became of it."""

    def write(self, call: Call) -> Outcome:
        """Make one write.

        Raises:
            NotWritten: The target refused it, or could not be reached.
        """


class Target:
    """Sends each call to the half it is for; the cluster is not looked for before the first call to it.

    Args:
        profile: The target.
        aws: Its AWS; default: made from the profile.
        cluster: Its cluster; the same.
    """

    def __init__(self, profile: Profile, aws: Writer | None = None, cluster: Writer | None = None) -> None:
        self._aws = aws or AwsWriter(profile)
        self._cluster = cluster or ClusterWriter(profile)

    def answer(self, call: Call) -> Answer:
        """Ask once and say what became of it."""
        return self._half(call).answer(call)

    def write(self, call: Call) -> Outcome:
        """Make one write.

        Raises:
            NotWritten: The target refused it, or could not be reached.
        """
        return self._half(call).write(self._named(call))

    def _named(self, call: Call) -> Call:
        """Put in a certificate's ARN: ACM gives it when the certificate is imported, later than a fault is planned."""
        if call.operation != SET_CERTIFICATE or not (mark := call.arguments.get("mark")):
            return call
        arn = self._aws.certificate(str(mark)) if isinstance(self._aws, AwsWriter) else ""
        if not arn:
            raise NotWritten("NoCertificate", certain=True)
        which = {name: call.arguments[name] for name in ("namespace", "name")}
        return Call.of(call.service, call.operation, **which, certificate=arn)

    def _half(self, call: Call) -> Writer:
        return self._cluster if call.service == CLUSTER else self._aws
