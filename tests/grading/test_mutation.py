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


PODS = {
    Call.of("kubernetes", "list", version="v1", resource="pods"): ("a", "b"),
    Call.of("kubernetes", "list", version="v1beta1", resource="pods", group="metrics.k8s.io"): ("a",),
}
LISTS = Snapshot({
    call.key: Answer(Status.OBSERVED, {"items": [{"metadata": {"name": name}} for name in names]})
    for call, names in PODS.items()
})  # fmt: skip


def _names(snapshot: Snapshot) -> list[list[str]]:
    return [[one["metadata"]["name"] for one in answer.value["items"]] for answer in snapshot.answers.values()]


def test_objects_of_a_cluster_are_found_by_resource_and_name() -> None:
    """Two groups may have a resource of one name; parameters tell them apart."""
    edit = Edit(LISTS)

    assert len(list(edit.objects("pods"))) == 3
    assert len(list(edit.objects("pods", "a"))) == 2
    assert len(list(edit.objects("pods", version="v1"))) == 2
    with pytest.raises(AuthorError, match="no pods c to change"):
        list(edit.objects("pods", "c"))


def test_an_object_that_is_removed_is_gone_from_every_list() -> None:
    """And the evidence it was taken from still has it."""
    edit = Edit(LISTS)
    edit.remove("pods", "a")

    assert _names(edit.snapshot) == [["b"], []]
    assert _names(LISTS) == [["a", "b"], ["a"]]
