"""The nouns of a grade: frozen records, standard library only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How binding a clause of the reference architecture is."""

    P0 = "P0"
    REC = "REC"
    P1 = "P1"
    OUT = "OUT"
    ATT = "ATT"


class Verdict(StrEnum):
    """What a check concluded.

    ERROR means it could not tell: it never scores and never hides. NOT_APPLICABLE means that this kind of cluster
    cannot have what is asked for: it decides nothing, and blocks nothing.
    """

    PASS = "PASS"  # noqa: S105  (a verdict, not a password)
    FAIL = "FAIL"
    BLOCKED = "BLOCKED"
    ERROR = "ERROR"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class Status(StrEnum):
    """What became of one question to the target. The four are kept apart to the end."""

    OBSERVED = "observed"
    ABSENT = "absent"
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True)
class Clause:
    """One numbered requirement of the reference architecture.

    Attributes:
        id: For example ``NET-5``.
        level: How binding it is.
        section: Section of the reference, for example ``4``.
        domain: Heading the scorecard groups it under, for example ``Network and ingress``.
        text: The requirement in Hallmark's words.
        observed: How it is observed and when it holds.
        needs: What must be read to decide it: ``aws``, ``cluster``, ``http``, ``files``, ``attest``.
        labs: Tracks that teach it: ``L1`` … ``L4``.
        decision: The written decision it rests on (``D1`` … ``D11``), or empty.
    """

    id: str
    level: Level
    section: str
    domain: str
    text: str
    observed: str
    needs: tuple[str, ...] = ()
    labs: tuple[str, ...] = ()
    decision: str = ""


@dataclass(frozen=True)
class Call:
    """One question: an AWS operation, objects of the cluster, a command, a file. Equal calls are asked once.

    It changes nothing, with one exception: ``platform.round_trip`` writes traces to a project ``hallmark-probe-…`` of
    its own, reads them back and deletes the project.

    Attributes:
        service: A boto3 service name, ``kubernetes`` for the cluster, ``platform`` for what answers at the public
            name, or ``workstation`` / ``files`` for what is on this machine.
        operation: The boto3 method name, or what to look at.
        params: JSON of the parameters with sorted keys; use :meth:`of` to build it.
    """

    service: str
    operation: str
    params: str = "{}"

    @classmethod
    def of(cls, service: str, operation: str, **params: Any) -> "Call":
        """Build a call; parameters must be JSON values.

        >>> Call.of("ec2", "describe_subnets", SubnetIds=["subnet-1"]).key
        'ec2.describe_subnets{"SubnetIds":["subnet-1"]}'
        """
        return cls(service, operation, json.dumps(params, sort_keys=True, separators=(",", ":")))

    @property
    def key(self) -> str:
        """The identity of the call, as stored in evidence."""
        return f"{self.service}.{self.operation}{self.params}"

    @property
    def arguments(self) -> dict[str, Any]:
        """The parameters as a dictionary."""
        arguments: dict[str, Any] = json.loads(self.params)
        return arguments


@dataclass(frozen=True)
class Answer:
    """What came back for one call.

    Attributes:
        status: Observed, absent, denied or failed.
        value: The answer (redacted JSON) when observed, else None.
        code: Cause when not observed, see :class:`hallmark.errors.Unobservable`.
        message: One line for a person when not observed.
        milliseconds: How long the target took.
    """

    status: Status
    value: Any = None
    code: str = ""
    message: str = ""
    milliseconds: int = 0


@dataclass(frozen=True)
class Lab:
    """One lab: a folder of the same name in ``labs/``, ``graders/`` and ``solutions/``.

    Attributes:
        id: The folder name.
        title: Infinitive phrase shown to learners.
        track: ``preflight``, ``deployment``, ``sharp-edges`` or ``failure``.
        summary: One sentence.
        minutes: Estimated working time in minutes.
        order: Position in its track.
        targets: Where it can run: ``twin``, ``aws``, ``localstack``.
        start: Where the learner begins: ``current`` (as it is), ``empty`` account, ``baseline`` (what Terraform
            builds) or ``deployed`` (that and the release).
        hints: Escalating hints, least revealing first.
        clauses: Clauses the lab teaches.
        edges: Sharp edges of the catalogue it is about, for example ``SE-15``.
        workspace: Whether the grader reads the learner's copy of ``start/`` in ``work/<lab>/`` as the Terraform root.
    """

    id: str
    title: str
    track: str
    summary: str
    minutes: int
    order: int
    targets: tuple[str, ...]
    start: str
    hints: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    workspace: bool = False


@dataclass(frozen=True)
class CheckSpec:
    """What a check declares about itself.

    Attributes:
        id: ``<lab>/<test function without test_>``.
        title: First line of its docstring: the requirement in a learner's words.
        clauses: Clauses it proves.
        level: The most binding level of its clauses.
        points: What it is worth.
        requires: Ids of checks that must pass first.
        why: Why the requirement matters, one sentence.
        page: Docs page that teaches it, relative to the site root.
    """

    id: str
    title: str
    clauses: tuple[str, ...]
    level: Level
    points: int
    requires: tuple[str, ...] = ()
    why: str = ""
    page: str = ""


@dataclass(frozen=True)
class Result:
    """The verdict of one check, and for a verdict other than PASS what a person needs to go on.

    Attributes:
        check: The check's own declaration.
        verdict: What was concluded.
        expected: What the reference asks for (FAIL).
        observed: What was found, or why nothing could be (FAIL, ERROR, NOT_APPLICABLE).
        where: The resource to open (FAIL).
        next: The next command (FAIL, ERROR).
        code: Machine-readable cause (ERROR).
        cause: Id of the check that blocks this one (BLOCKED).
        note: A remark that does not change the verdict, such as a Valkey cache (PASS, decision D6).
    """

    check: CheckSpec
    verdict: Verdict
    expected: str = ""
    observed: str = ""
    where: str = ""
    next: str = ""
    code: str = ""
    cause: str = ""
    note: str = ""


@dataclass(frozen=True)
class Scorecard:
    """The verdicts of one attempt. Everything printed is made from it.

    Attributes:
        lab: Lab id.
        title: Lab title.
        results: One result a check, in the order of the grader.
        earned: Points of passed P0 checks.
        possible: Points of all P0 checks.
        recommended_met: Passed checks below P0.
        recommended: All checks below P0.
        target: What was graded: kind, account, region, cluster, host.
        collected_at: When the evidence was taken, ISO 8601 UTC.
        evidence_digest: SHA-256 of the evidence, hexadecimal.
        versions: Versions of Hallmark and of what produced the evidence.
    """

    lab: str
    title: str
    results: tuple[Result, ...]
    earned: int
    possible: int
    recommended_met: int
    recommended: int
    target: Mapping[str, str] = field(default_factory=dict)
    collected_at: str = ""
    evidence_digest: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
