"""How large each ReplicaSet becomes next, as tables; numbers worked out by hand from the Kubernetes documentation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hallmark.twin.controllers.clock import written
from hallmark.twin.controllers.workloads import deployment_status, rollout
from hallmark.twin.controllers.workloads.counts import fenceposts, share
from hallmark.twin.controllers.workloads.rollout import DESIRED, MOST, REVISION

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


def template(image: str) -> Any:
    """A pod template."""
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": image}]}}


def deployment(replicas: int, surge: Any = "25%", unavailable: Any = "25%", **spec: Any) -> Any:
    """A Deployment with a rolling update."""
    update = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": update}
    return {
        "metadata": {"name": "web", "namespace": "n", "uid": "1", "generation": 1},
        "spec": {"replicas": replicas, "strategy": strategy, "template": template("new"), **spec},
    }


def replica_set(name: str, size: int, available: Any = None, image: str = "old", told: Any = None) -> Any:
    """A ReplicaSet; its age is in its name."""
    ready = size if available is None else available
    return {
        "metadata": {"name": name, "creationTimestamp": name, "annotations": told or {}, "generation": 1},
        "spec": {"replicas": size, "template": template(image)},
        "status": {"replicas": size, "availableReplicas": ready, "readyReplicas": ready, "observedGeneration": 1},
    }


@pytest.mark.parametrize(
    ("value", "of", "up", "expected"),
    [(3, 10, True, 3), ("25%", 10, True, 3), ("25%", 10, False, 2), ("100%", 7, False, 7), ("0%", 7, True, 0)],
)
def test_shares(value: Any, of: int, up: bool, expected: int) -> None:  # noqa: FBT001  (a table's column)
    """Numbers stay; percentages round as asked."""
    assert share(value, of, up=up) == expected


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [
        ("25%", "25%", 4, (1, 1)),
        ("25%", "25%", 10, (3, 2)),
        (0, "10%", 3, (0, 1)),
        (0, 0, 3, (0, 1)),
        (2, 0, 3, (2, 0)),
    ],
)
def test_fenceposts(surge: Any, unavailable: Any, replicas: int, expected: tuple[int, int]) -> None:
    """Surge rounds up, unavailable down; both 0 would never move."""
    assert fenceposts({"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}, replicas) == expected


@pytest.mark.parametrize(
    ("wanted", "new", "old", "expected"),
    [
        # 4 replicas, one surge, one unavailable: first the new set grows by the surge, then the old one shrinks.
        (deployment(4), ("n", 0), [("a", 4)], {"n": 1}),
        (deployment(4), ("n", 1, 0), [("a", 4)], {"a": 3}),
        (deployment(4), ("n", 2, 0), [("a", 3)], {}),
        (deployment(4), ("n", 2, 1), [("a", 3)], {"a": 2}),
        (deployment(4), ("n", 4, 4), [("a", 1)], {"a": 0}),
        (deployment(4), ("n", 4, 4), [("a", 0)], {}),
        # Old pods that are not available go first, from the oldest set on.
        (deployment(4), ("n", 0), [("a", 3, 0), ("b", 1)], {"n": 1}),
        (deployment(4), ("n", 1, 0), [("a", 3, 2), ("b", 1)], {"a": 2}),
        # Ten replicas: three more, two fewer.
        (deployment(10), ("n", 3, 0), [("a", 10)], {"a": 8}),
        (deployment(10), ("n", 5, 0), [("a", 8)], {}),
        # A new set that is too large shrinks.
        (deployment(2), ("n", 3), [], {"n": 2}),
        # No surge: nothing grows before something old is gone.
        (deployment(2, surge=0, unavailable=1), ("n", 0), [("a", 2)], {"a": 1}),
    ],
)
def test_steps_of_a_rolling_update(wanted: Any, new: Any, old: Any, expected: dict[str, int]) -> None:
    """One step at a time, within maxSurge and maxUnavailable."""
    assert rollout.step(wanted, replica_set(*new), [replica_set(*each) for each in old]) == expected


def test_recreate_empties_first() -> None:
    """Old sets go to nothing before the new one grows."""
    wanted = deployment(3, strategy={"type": "Recreate"})

    assert rollout.step(wanted, replica_set("n", 0), [replica_set("a", 3)]) == {"a": 0}
    assert rollout.step(wanted, replica_set("n", 0), [replica_set("a", 0)]) == {"n": 3}


@pytest.mark.parametrize(
    ("replicas", "old", "expected"),
    [(3, [], 3), (4, [4], 1), (4, [5], 0), (4, [2, 1], 2)],
)
def test_size_of_a_new_set(replicas: int, old: list[int], expected: int) -> None:
    """As much as the surge leaves room for."""
    assert rollout.first_size(deployment(replicas), [replica_set(str(size), size) for size in old]) == expected


@pytest.mark.parametrize(
    ("wanted", "new", "old", "expected"),
    [
        (deployment(5), ("n", 3), [], {"n": 5}),
        (deployment(0), ("n", 3), [("a", 0)], {"n": 0}),
        # In the middle of a rollout both grow by their share: of 20 replicas and a surge of 5, 8 tenths and 2 tenths.
        (deployment(20, surge="25%"), ("n", 2), [("a", 8)], {"a": 20, "n": 5}),
        (deployment(5, surge=0), ("n", 5), [("a", 5)], {"a": 2, "n": 3}),
    ],
)
def test_scaling_in_proportion(wanted: Any, new: Any, old: Any, expected: dict[str, int]) -> None:
    """A change of `replicas` is shared; with one active set it takes all."""
    told: Any = {DESIRED: "10", MOST: "10"}
    sets = [replica_set(name, size, told=told) for name, size in old]
    assert rollout.scaled(wanted, replica_set(new[0], new[1], image="new", told=told), sets) == expected


def test_a_change_of_replicas_is_noticed() -> None:
    """By the annotation of the sets that have pods."""
    assert rollout.is_scaled(deployment(3), [replica_set("a", 2, told={DESIRED: "2"})])
    assert not rollout.is_scaled(deployment(3), [replica_set("a", 3, told={DESIRED: "3"}), replica_set("b", 0)])


def test_history_is_limited() -> None:
    """The oldest revisions without pods go; a set that still has pods stays."""
    sets = [replica_set(str(number), 0, told={REVISION: str(number)}) for number in (3, 1, 2)]
    busy = replica_set("0", 1, told={REVISION: "0"})

    gone = rollout.forgettable(deployment(1, revisionHistoryLimit=2), [*sets, busy])
    assert [each["metadata"]["name"] for each in gone] == ["1"]


def test_the_new_set_has_the_template() -> None:
    """Whatever its hash label says; of two, the older one."""
    sets = [replica_set("a", 1), replica_set("c", 1, image="new"), replica_set("b", 1, image="new")]
    sets[1]["spec"]["template"]["metadata"] = {"labels": {"app": "web", "pod-template-hash": "x"}}

    new, old = rollout.split(deployment(1), sets)
    assert new is sets[2]
    assert [each["metadata"]["name"] for each in old] == ["a", "c"]


def progressing(reason: str, age: float, name: str = "n") -> Any:
    """A condition of some age that names the new ReplicaSet."""
    moment = written(NOW - timedelta(seconds=age))
    times = {"lastTransitionTime": moment, "lastUpdateTime": moment}
    return {"type": "Progressing", "status": "True", "reason": reason, "message": f'ReplicaSet "{name}"', **times}


def judge(found: Any, new: Any, before: dict[str, int] | None = None, **spec: Any) -> tuple[str, str, str]:
    """Status, reason and message of the condition Progressing after one look."""
    wanted = deployment(2, progressDeadlineSeconds=60, **spec)
    wanted["status"] = {**(before or {}), "conditions": [found] if found else []}
    told = deployment_status.calculate(wanted, new, [], NOW)
    (result,) = [each for each in told["conditions"] if each["type"] == "Progressing"]
    return result["status"], result["reason"], result["message"]


SAME = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 1, "availableReplicas": 1}


@pytest.mark.parametrize(
    ("found", "available", "before", "expected"),
    [
        (None, 0, {}, ("True", "NewReplicaSetCreated", 'Created new replica set "n"')),
        (
            progressing("NewReplicaSetAvailable", 900, "old"),
            0,
            SAME,
            ("True", "NewReplicaSetCreated", 'Created new replica set "n"'),
        ),
        (
            progressing("NewReplicaSetCreated", 5),
            1,
            {},
            ("True", "ReplicaSetUpdated", 'ReplicaSet "n" is progressing.'),
        ),
        (
            progressing("ReplicaSetUpdated", 5),
            2,
            SAME,
            ("True", "NewReplicaSetAvailable", 'ReplicaSet "n" has successfully progressed.'),
        ),
        (progressing("ReplicaSetUpdated", 59), 1, SAME, ("True", "ReplicaSetUpdated", 'ReplicaSet "n"')),
        (
            progressing("ReplicaSetUpdated", 61),
            1,
            SAME,
            ("False", "ProgressDeadlineExceeded", 'ReplicaSet "n" has timed out progressing.'),
        ),
        # Once complete, a pod that is lost later is not a rollout that failed.
        (progressing("NewReplicaSetAvailable", 900), 1, SAME, ("True", "NewReplicaSetAvailable", 'ReplicaSet "n"')),
    ],
)
def test_progress(found: Any, available: int, before: dict[str, int], expected: tuple[str, str, str]) -> None:
    """Created, moving, done, late: by what changed since the last look, and by the deadline."""
    assert judge(found, replica_set("n", 2, available, "new"), before) == expected


def test_a_pause_stops_the_clock() -> None:
    """Paused and resumed are reasons of their own; a lack of progress that was reported stays."""
    new = replica_set("n", 2, 1, "new")
    assert judge(progressing("ReplicaSetUpdated", 900), new, SAME, paused=True)[:2] == ("Unknown", "DeploymentPaused")
    assert judge(progressing("DeploymentPaused", 900), new, SAME)[:2] == ("Unknown", "DeploymentResumed")
    late = progressing("ProgressDeadlineExceeded", 5)
    assert judge(late, new, SAME, paused=True)[1] == "ProgressDeadlineExceeded"


def test_numbers_and_availability() -> None:
    """What is missing counts as unavailable; within maxUnavailable the Deployment is available all the same."""
    told = deployment_status.calculate(deployment(4), replica_set("n", 2, 1), [replica_set("a", 3, 2)], NOW)

    numbers = {name: value for name, value in told.items() if name != "conditions"}
    assert numbers == {
        "observedGeneration": 1,
        "replicas": 5,
        "updatedReplicas": 2,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "unavailableReplicas": 2,
    }
    assert [(each["type"], each["status"]) for each in told["conditions"]] == [("Available", "True")]


def test_when_to_look_again() -> None:
    """One second after the deadline, and not at all when the rollout is done."""
    wanted = deployment(2, progressDeadlineSeconds=60)
    wanted["status"] = {"conditions": [progressing("ReplicaSetUpdated", 20)]}
    assert deployment_status.late_in(wanted, NOW) == 41
    wanted["status"] = {"conditions": [progressing("NewReplicaSetAvailable", 20)]}
    assert deployment_status.late_in(wanted, NOW) is None
