"""Who asks: threads that are reused and end, and a pace that a burst cannot outrun."""

import threading

from hallmark.evidence import workers
from hallmark.evidence.workers import Pace, Workers
from hallmark.model import Answer, Call, Status
from hallmark.waiting import until

CALL = Call.of("ec2", "describe_vpcs")


def test_a_few_calls_go_at_once_then_one_by_one() -> None:
    """The bucket is full at first, and fills by a token each interval."""
    now = [0.0]
    pace = Pace(lambda: now[0])

    assert [pace.take() for _ in range(workers.AT_ONCE + 1)] == [True] * workers.AT_ONCE + [False]
    assert pace.wait == workers.PACE
    now[0] += workers.PACE
    assert [pace.take(), pace.take()] == [True, False]


def test_what_was_not_used_is_not_saved_up() -> None:
    """After a long pause the bucket holds as much as at first."""
    now = [0.0]
    pace = Pace(lambda: now[0])
    now[0] += 3600

    assert sum(pace.take() for _ in range(100)) == workers.AT_ONCE


def test_as_many_ask_at_once_as_there_are_workers() -> None:
    """Each of them waits for all others: with one fewer nobody would be answered."""
    crew = Workers()
    everybody = threading.Barrier(workers.WORKERS)
    for _ in range(workers.WORKERS):
        crew.ask(CALL, lambda _: Answer(Status.OBSERVED, everybody.wait(5)))
    found: list[int] = []
    while len(found) < workers.WORKERS:
        found += [answer.value for _, answer in crew.answers(5)]
    crew.dismiss()

    assert sorted(found) == list(range(workers.WORKERS))


def test_dismissed_workers_end() -> None:
    """A collection leaves no thread behind."""
    Workers().dismiss()

    assert until(lambda: not any(thread.name.startswith("ask-") for thread in threading.enumerate()), 5)


def test_no_answer_in_time_is_none() -> None:
    """Waiting ends at the deadline."""
    crew = Workers()
    found = crew.answers(0.01)
    crew.dismiss()

    assert found == []
