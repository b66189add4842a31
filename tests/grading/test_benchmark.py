"""The benchmark counts what it says it counts."""

from hallmark.grading import benchmark
from hallmark.grading.judge import Check
from hallmark.model import Answer, Call, CheckSpec, Level, Status
from hallmark.views.network import Network

FIRST, SECOND = Call.of("ec2", "describe_vpcs"), Call.of("ec2", "describe_subnets")


class _Source:
    """Answers everything at once."""

    def answer(self, _: Call) -> Answer:
        return Answer(Status.OBSERVED, {"Vpcs": []})


def _two_after_each_other(network: Network) -> None:
    network.evidence.ask(FIRST)
    network.evidence.ask(SECOND)


def test_calls_are_counted_and_the_longest_chain_is_found() -> None:
    """Three equal checks: two distinct calls, six made by the naive way, a chain of two."""
    checks = [Check(CheckSpec(f"l/{n}", n, ("NET-1",), Level.P0, 1), _two_after_each_other) for n in "abc"]

    ours, naive, floor = benchmark.measure(checks, lambda: {"aws": _Source()}, {}, 0.0)

    assert (ours.calls, naive.calls, floor.calls, floor.distinct) == (2, 6, 2, 2)


def test_the_platform_is_asked_once_and_left_out() -> None:
    """A trip that writes is no read to be repeated: for the record alone it is made."""
    made: list[str] = []

    class Platform(_Source):
        def answer(self, call: Call) -> Answer:
            made.append(call.key)
            return super().answer(call)

    def both(network: Network) -> None:
        network.evidence.ask(FIRST)
        network.evidence.ask(Call.of("platform", "round_trip"))

    checks = [Check(CheckSpec(f"l/{n}", n, ("NET-1",), Level.P0, 1), both) for n in "abc"]

    rows = benchmark.measure(checks, lambda: {"aws": _Source(), "platform": Platform()}, {}, 0.0)

    assert made == ["platform.round_trip{}"]
    assert [(row.calls, row.distinct) for row in rows] == [(1, 1), (3, 1), (1, 1)]


def test_what_lies_on_this_machine_is_counted_but_no_part_of_the_floor() -> None:
    """A file is read before the only call of AWS: the chain is that call alone."""

    def file_then_aws(network: Network) -> None:
        network.evidence.ask(Call.of("files", "inventory", path="work"))
        network.evidence.ask(FIRST)

    checks = [Check(CheckSpec("l/a", "a", ("NET-1",), Level.P0, 1), file_then_aws)]

    ours, _, floor = benchmark.measure(checks, lambda: {"aws": _Source(), "files": _Source()}, {}, 0.0)

    assert (ours.calls, floor.distinct, floor.calls) == (2, 2, 1)


def test_no_check_asks_nothing() -> None:
    """The floor of no question is no call."""
    assert benchmark.measure([], lambda: {"aws": _Source()}, {}, 0.0)[2].calls == 0
