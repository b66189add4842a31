"""The scheduler's filters, scores and words, as tables."""

from decimal import Decimal
from typing import Any

import pytest

from hallmark.twin.controllers.workloads.scheduling import filters, resources, scores, taints, volumes, words
from hallmark.twin.controllers.workloads.scheduling.places import Place, Refusal
from hallmark.twin.controllers.workloads.scheduling.volumes import NotYet, Volumes

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
REQUIRED, PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)


def node(name: str = "a", zone: str = "z1", ready: str = "True", labels: Any = None, **spec: Any) -> Any:
    """A node with 4 CPU, 8Gi and room for 10 pods."""
    offered = {"cpu": "4", "memory": "8Gi", "pods": "10"}
    return {
        "metadata": {"name": name, "labels": {HOST: name, ZONE: zone, **(labels or {})}},
        "spec": spec,
        "status": {"allocatable": offered, "conditions": [{"type": "Ready", "status": ready}]},
    }


def pod(name: str = "p", cpu: str = "1", app: str = "web", owner: str = "", **spec: Any) -> Any:
    """A pod that requests CPU."""
    references = [{"uid": owner, "kind": "ReplicaSet", "name": owner, "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "namespace": "n", "labels": {"app": app}, "ownerReferences": references},
        "spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": cpu}}}], **spec},
    }


def anti(topology: str, strength: str = REQUIRED) -> Any:
    """Anti-affinity to pods of the same app."""
    term = {"topologyKey": topology, "labelSelector": {"matchLabels": {"app": "web"}}}
    terms = [term] if strength == REQUIRED else [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {strength: terms}}


def near(topology: str) -> Any:
    """Affinity to pods of the same app."""
    term = {"topologyKey": topology, "labelSelector": {"matchLabels": {"app": "web"}}}
    return {"podAffinity": {REQUIRED: [term]}}


def on_nodes(*expressions: Any) -> Any:
    """Required node affinity of one term."""
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}}}


TAINT = {"key": "pool", "value": "clickhouse", "effect": "NoSchedule"}
PORT = [{"name": "main", "ports": [{"containerPort": 80, "hostPort": 80}]}]
TAINTED, SELECTED = "node(s) had untolerated taint(s)", "node(s) didn't match Pod's node affinity/selector"


@pytest.mark.parametrize(
    ("wants", "place", "expected"),
    [
        (pod(), Place(node()), None),
        (pod(cpu="5"), Place(node()), Refusal(("Insufficient cpu",), final=True)),
        (pod(cpu="2"), Place(node(), [pod(cpu="3")]), Refusal(("Insufficient cpu",), final=False)),
        (pod(cpu="1"), Place(node(), [pod(cpu="3")]), None),
        (pod(), Place(node(), [pod(cpu="10m")] * 10), Refusal(("Too many pods",), final=False)),
        (pod(overhead={"cpu": "4"}), Place(node()), Refusal(("Insufficient cpu",), final=True)),
        (pod(), Place(node(unschedulable=True)), Refusal(("node(s) were unschedulable",))),
        (pod(tolerations=[{"operator": "Exists"}]), Place(node(unschedulable=True)), None),
        (pod(), Place(node(taints=[TAINT])), Refusal((TAINTED,))),
        (pod(tolerations=[{"key": "pool", "value": "clickhouse"}]), Place(node(taints=[TAINT])), None),
        (pod(tolerations=[{"key": "pool", "value": "other"}]), Place(node(taints=[TAINT])), Refusal((TAINTED,))),
        (pod(), Place(node(taints=[{**TAINT, "effect": "PreferNoSchedule"}])), None),
        (pod(), Place(node(ready="False")), Refusal((TAINTED,))),
        (pod(), Place(node(ready="Unknown")), Refusal((TAINTED,))),
        (pod(nodeSelector={ZONE: "z1"}), Place(node()), None),
        (pod(nodeSelector={ZONE: "z2"}), Place(node()), Refusal((SELECTED,))),
        (pod(affinity=on_nodes({"key": ZONE, "operator": "In", "values": ["z1"]})), Place(node()), None),
        (
            pod(affinity=on_nodes({"key": ZONE, "operator": "NotIn", "values": ["z1"]})),
            Place(node()),
            Refusal((SELECTED,)),
        ),
        (pod(affinity=on_nodes({"key": "gpu", "operator": "Exists"})), Place(node()), Refusal((SELECTED,))),
        (
            pod(affinity=on_nodes({"key": "cores", "operator": "Gt", "values": ["3"]})),
            Place(node(labels={"cores": "4"})),
            None,
        ),
        (pod(affinity=on_nodes()), Place(node()), Refusal((SELECTED,))),
        (
            {**pod(), "spec": {"containers": PORT}},
            Place(node(), [{**pod(), "spec": {"containers": PORT}}]),
            Refusal(("node(s) didn't have free ports for the requested pod ports",), final=False),
        ),
    ],
)
def test_one_node(wants: Any, place: Place, expected: Refusal | None) -> None:
    """The first filter that refuses is the reason, with whether evicting others could help."""
    assert filters.refusal(wants, place, [place]) == expected


HERE = Place(node("a"), [pod("other")])
NEXT = Place(node("b"))
FAR = Place(node("c", "z2"))
NOT_NEAR = "node(s) didn't match pod affinity rules"
NOT_APART = "node(s) didn't match pod anti-affinity rules"
NOT_WELCOME = "node(s) didn't satisfy existing pods anti-affinity rules"
UNEVEN = "node(s) didn't match pod topology spread constraints"


def spread(key: str, **more: Any) -> Any:
    """A topology spread constraint with a skew of one."""
    selector = {"matchLabels": {"app": "web"}}
    return [{"topologyKey": key, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector, **more}]


@pytest.mark.parametrize(
    ("wants", "expected"),
    [
        (pod(affinity=anti(HOST)), [NOT_APART, None, None]),
        (pod(affinity=anti(ZONE)), [NOT_APART, NOT_APART, None]),
        (pod(affinity=near(ZONE)), [None, None, NOT_NEAR]),
        (pod(app="db", affinity=near(HOST)), [None, NOT_NEAR, NOT_NEAR]),
        (pod(topologySpreadConstraints=spread(HOST)), [UNEVEN, None, None]),
        (pod(topologySpreadConstraints=spread(ZONE)), [UNEVEN, UNEVEN, None]),
        (pod(topologySpreadConstraints=spread(HOST, whenUnsatisfiable="ScheduleAnyway")), [None, None, None]),
        (pod(topologySpreadConstraints=spread("rack")), [f"{UNEVEN} (missing required label)"] * 3),
    ],
)
def test_neighbours(wants: Any, expected: list[str | None]) -> None:
    """A pod of the same app runs on node a: what that means for a, for b in the same zone, and for c in another."""
    places = [HERE, NEXT, FAR]
    found = [filters.refusal(wants, place, places) for place in places]

    assert [each.reasons[0] if each else None for each in found] == expected


def test_the_first_of_a_group_finds_its_place() -> None:
    """Affinity to its own kind does not keep the first one out."""
    assert filters.refusal(pod(affinity=near(ZONE)), NEXT, [NEXT, FAR]) is None


def test_pods_that_want_to_be_alone_are_left_alone() -> None:
    """The anti-affinity of a pod that runs keeps others out."""
    alone = Place(node("a"), [pod("other", affinity=anti(HOST))])

    assert filters.refusal(pod(), alone, [alone, NEXT]) == Refusal((NOT_WELCOME,), final=False)
    assert filters.refusal(pod(app="db"), alone, [alone, NEXT]) is None


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "pool", "operator": "Exists"}, True),
        ({"key": "pool", "value": "clickhouse", "effect": "NoSchedule"}, True),
        ({"key": "pool", "value": "clickhouse", "effect": "NoExecute"}, False),
        ({"key": "pool"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"value": "clickhouse"}, False),
    ],
)
def test_tolerations(toleration: Any, expected: bool) -> None:  # noqa: FBT001  (a table's column)
    """Key, value and effect have to fit; Exists asks for no value, and without key for nothing."""
    assert taints.tolerates(toleration, TAINT) is expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [{"resources": {"requests": {"cpu": "250m"}}}] * 2}, "0.5"),
        (
            {
                "containers": [{"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [{"resources": {"requests": {"cpu": "2"}}}],
            },
            "2",
        ),
        (
            {
                "containers": [{"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [
                    {"resources": {"requests": {"cpu": "500m"}}, "restartPolicy": "Always"},
                    {"resources": {"requests": {"cpu": "1"}}},
                ],
                "overhead": {"cpu": "100m"},
            },
            "1.6",
        ),
    ],
)
def test_requests(spec: Any, expected: str) -> None:
    """Containers together or the largest init container; sidecars stay; overhead comes on top."""
    assert resources.requests({"spec": spec})["cpu"] == Decimal(expected)


@pytest.mark.parametrize(
    ("wants", "places", "expected"),
    [
        # Free room.
        (pod(), [Place(node("a"), [pod(cpu="2", app="x")]), Place(node("b"))], "b"),
        # Pods of one workload apart, on nodes and in zones.
        (pod(owner="rs"), [Place(node("a"), [pod(owner="rs", cpu="1m")]), Place(node("b"), [pod(cpu="2")])], "b"),
        (pod(owner="rs"), [Place(node("a"), [pod(owner="rs")]), Place(node("b")), Place(node("c", "z2"))], "c"),
        # What the pod would rather have.
        (
            pod(
                affinity={
                    "nodeAffinity": {
                        PREFERRED: [
                            {
                                "weight": 1,
                                "preference": {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["z2"]}]},
                            }
                        ]
                    }
                }
            ),
            [Place(node("a")), Place(node("c", "z2"))],
            "c",
        ),
        (pod(affinity=anti(HOST, PREFERRED)), [Place(node("a"), [pod(cpu="1m")]), Place(node("b"))], "b"),
        (pod(), [Place(node("a", taints=[{**TAINT, "effect": "PreferNoSchedule"}])), Place(node("b"))], "b"),
        # Equals: the first by name.
        (pod(), [Place(node("b")), Place(node("a"))], "a"),
    ],
)
def test_the_best_node(wants: Any, places: list[Place], expected: str) -> None:
    """Room, distance, preferences."""
    assert scores.best(wants, places, places).name == expected


def claim(phase: str, **more: Any) -> Any:
    """A claim ``data``."""
    metadata = {"name": "data", **more.pop("metadata", {})}
    return {"metadata": metadata, "spec": {"storageClassName": "gp3", **more}, "status": {"phase": phase}}


MOUNTS = pod(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
LATER = {"volumeBindingMode": "WaitForFirstConsumer", "provisioner": "ebs.csi.aws.com"}
IMMEDIATE = {"volumeBindingMode": "Immediate", "provisioner": "ebs.csi.aws.com"}


@pytest.mark.parametrize(
    ("found", "volume", "class_", "message"),
    [
        (None, None, LATER, 'persistentvolumeclaim "data" not found'),
        (claim("Pending"), None, IMMEDIATE, "pod has unbound immediate PersistentVolumeClaims"),
        (claim("Pending", volumeName="pv"), None, LATER, "pod has unbound immediate PersistentVolumeClaims"),
        (claim("Pending"), None, None, "pod has unbound immediate PersistentVolumeClaims"),
        (
            claim("Pending", metadata={"deletionTimestamp": "now"}),
            None,
            LATER,
            'persistentvolumeclaim "data" is being deleted',
        ),
        (
            claim("Lost", volumeName="pv"),
            None,
            LATER,
            'persistentvolumeclaim "data" bound to non-existent persistentvolume "pv"',
        ),
        (
            claim("Bound", volumeName="pv"),
            None,
            LATER,
            "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
        ),
    ],
)
def test_claims_that_are_not_usable(found: Any, volume: Any, class_: Any, message: str) -> None:
    """The pod can run nowhere yet; the message is the scheduler's."""
    with pytest.raises(NotYet) as caught:
        volumes.needed(MOUNTS, lambda _: found, lambda _: volume, lambda _: class_)

    assert str(caught.value) == message


def in_zone(zone: str) -> Any:
    """A volume that lives in one zone."""
    term = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}
    return {"spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}}


def test_a_claim_is_bound_before_its_status_says_so() -> None:
    """Its volume's name and the note of the binding are enough, as they are for the real scheduler."""
    noted = {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}
    found = claim("Pending", volumeName="pv", metadata=noted)
    needs = volumes.needed(MOUNTS, lambda _: found, lambda _: in_zone("z2"), lambda _: IMMEDIATE)
    assert needs == Volumes(bound=(in_zone("z2"),))


def test_a_volume_decides_the_zone() -> None:
    """A bound volume keeps its pod out of other zones; a class may allow only some; a class without driver none."""
    needs = volumes.needed(MOUNTS, lambda _: claim("Bound", volumeName="pv"), lambda _: in_zone("z2"), lambda _: LATER)
    assert needs == Volumes(bound=(in_zone("z2"),))
    conflict = Refusal(("node(s) didn't match PersistentVolume's node affinity",))
    assert filters.refusal(MOUNTS, Place(node()), [], needs) == conflict
    assert filters.refusal(MOUNTS, FAR, [], needs) is None

    allowed = {**LATER, "allowedTopologies": [{"matchLabelExpressions": [{"key": ZONE, "values": ["z2"]}]}]}
    nothing = Refusal(("node(s) didn't find available persistent volumes to bind",))
    for class_, expected in ((allowed, nothing), ({**LATER, "provisioner": "kubernetes.io/no-provisioner"}, nothing)):
        waiting = Volumes(delayed=((claim("Pending"), class_),))
        assert filters.refusal(MOUNTS, Place(node()), [], waiting) == expected
    assert filters.refusal(MOUNTS, FAR, [], Volumes(delayed=((claim("Pending"), allowed),))) is None


def test_the_node_for_which_volumes_are_made() -> None:
    """It is remembered on the claim."""
    chosen = claim("Pending", metadata={"annotations": {"volume.kubernetes.io/selected-node": "c"}})

    assert Volumes(delayed=((chosen, LATER),)).chosen == "c"
    assert Volumes(delayed=((claim("Pending"), LATER),)).chosen == ""


def test_words() -> None:
    """Counted, sorted as text, and with what preemption would have to say."""
    refusals = [
        Refusal((TAINTED,)),
        Refusal((TAINTED,)),
        Refusal(("Insufficient cpu", "Insufficient memory"), final=False),
    ]

    assert words.nowhere(refusals) == (
        "0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 2 node(s) had untolerated taint(s). "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
    )
    assert words.nowhere([]) == words.not_yet("whatever", 0) == "no nodes available to schedule pods"
