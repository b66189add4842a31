"""A mutant is killed when the right checks fail, and only they."""

from collections.abc import Callable

import pytest

from hallmark.errors import AuthorError, Miss
from hallmark.evidence.snapshot import Snapshot
from hallmark.grading.judge import Check
from hallmark.grading.mutation import Edit, Mutant, mutant, try_mutant
from hallmark.model import Answer, Call, CheckSpec, Level, Status
from hallmark.views.network import Network

VPCS = Call.of("ec2", "describe_vpcs")
HEALTHY = Snapshot({VPCS.key: Answer(Status.OBSERVED, {"Vpcs": [{"VpcId": "vpc-1", "Tags": [{"Key": "a"}]}]})})


def _check(name: str, holds: Callable[[dict[str, object]], bool]) -> Check:
    def test(network: Network) -> None:
        if not holds(network.ask("ec2", "describe_vpcs")["Vpcs"][0]):
            raise Miss(expected="it holds", observed="it does not")

    return Check(CheckSpec(f"lab/{name}", name, ("NET-1",), Level.P0, 1), test)


CHECKS = [
    _check("has_id", lambda vpc: "VpcId" in vpc),
    _check("is_tagged", lambda vpc: bool(vpc["Tags"])),
    _check("blind", lambda _: True),
]


def _mutant(name: str, *breaks: str) -> Mutant:
    def without(edit: Edit) -> None:
        for vpc in edit.each("ec2", "describe_vpcs", "Vpcs"):
            del vpc[name]

    return Mutant("m", "d", breaks, without)


@pytest.mark.parametrize(
    ("change", "missed", "hurt"),
    [
        (_mutant("VpcId", "has_id"), (), ()),
        (_mutant("VpcId", "has_id", "blind"), ("lab/blind",), ()),
        (_mutant("VpcId"), (), ("lab/has_id",)),
        (_mutant("Tags", "is_tagged"), ("lab/is_tagged",), ()),
    ],
    ids=["killed", "missed by a blind check", "hurts another", "an error is not a failure"],
)
def test_what_a_mutant_shows(change: Mutant, missed: tuple[str, ...], hurt: tuple[str, ...]) -> None:
    """Missed and hurt are kept apart, and an ERROR does not count as noticing."""
    outcome = try_mutant(change, CHECKS, HEALTHY)

    assert (outcome.missed, outcome.hurt) == (missed, hurt)


def test_the_solution_stays_as_it_is() -> None:
    """A mutant works on a copy."""
    before = HEALTHY.to_json()
    try_mutant(_mutant("VpcId", "has_id"), CHECKS, HEALTHY)

    assert HEALTHY.to_json() == before


def test_a_mutant_that_changes_nothing_is_its_authors_error() -> None:
    """A path that leads nowhere must not look like a mutant that was killed."""

    @mutant(breaks=["has_id"])
    def nowhere(edit: Edit) -> None:
        """Nothing is there."""
        for each in edit.each("ec2", "describe_vpcs", "Nothing"):
            each.clear()

    with pytest.raises(AuthorError, match="nothing at 'Nothing'"):
        try_mutant(nowhere, CHECKS, HEALTHY)
    with pytest.raises(AuthorError, match="not a check"):
        try_mutant(_mutant("VpcId", "no_such_check"), CHECKS, HEALTHY)
