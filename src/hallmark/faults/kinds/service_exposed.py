"""There is a second way in, without TLS, redirect and firewall (sharp edge SE-01).

People see nothing: everything works. The Service of the frontend has an EXTERNAL-IP, in EC2 there is one more load
balancer, and plain HTTP on its port 80 gives the user interface. The Ingress, its load balancer and its certificate are
untouched.

The fault sets the type of the Service that leads to the component. Its inverse sets the recorded type; whoever made the
load balancer takes it away again.
"""

from typing import Any

from hallmark.errors import Absent
from hallmark.faults import changes, release
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.release import Object, name
from hallmark.model import Call

SHOWS_WITHIN = 180.0
"""AWS takes a minute or two for a load balancer."""
EXPOSED = "LoadBalancer"
_OF_THE_TYPE = frozenset({
    "type", "externalTrafficPolicy", "allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort",
})  # fmt: skip
"""Fields that come and go with the type (Kubernetes API reference, ServiceSpec)."""


def plan(read: Reader, component: str = "frontend") -> list[Step]:
    """Set the type of the component's Service; the inverse sets the recorded one."""
    one = _service(read, component)
    recorded = one["spec"].get("type", "ClusterIP")
    which = {"namespace": one["metadata"]["namespace"], "name": name(one)}
    step = Step(
        what=f"change the type from {recorded} to {EXPOSED}",
        back=f"change the type to {recorded}",
        resource=f"Service {name(one)}",
        do=Call.of("kubernetes", "set_service_type", **which, type=EXPOSED),
        undo=Call.of("kubernetes", "set_service_type", **which, type=recorded),
    )
    return [step]


def observe(read: Reader, component: str = "frontend") -> Observation:
    """Look whether the Service has an address of its own, and at all other objects of the namespace."""
    one = _service(read, component)
    addresses = one.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    unaffected = changes.surroundings(read, f"Service {name(one)}") | {"its ports and pods": _rest(one)}
    return Observation(one["spec"].get("type") == EXPOSED and bool(addresses), unaffected)


def _service(read: Reader, component: str) -> Object:
    """Return the Service that selects the pods of a component."""
    wanted = release.selector(release.workload(read, component)).items()
    for one in release.own_objects(read, "services"):
        if wanted <= (one["spec"].get("selector") or {}).items():
            return one
    raise Absent(f"no Service leads to {component}")


def _rest(one: Object) -> dict[str, Any]:
    ports = [{key: value for key, value in port.items() if key != "nodePort"} for port in one["spec"]["ports"]]
    kept = {key: value for key, value in one["spec"].items() if key not in _OF_THE_TYPE}
    return {**kept, "ports": ports}
