"""Routes as AWS keeps them: those of gateway endpoints follow their lists of tables, and what leads nowhere says so.

Sources: AWS PrivateLink guide, "Gateway endpoints"; EC2 API reference, ``Route``: a route is a ``blackhole`` while its
target is not there or not attached.
"""

from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.internet_gateways import InternetGateway
from moto.ec2.models.route_tables import Route

from hallmark.twin.aws.extension.patching import Function, around


def install() -> None:
    """Mend what moto makes of routes."""
    route: Any = Route
    route.state = property(_state)
    around(EC2Backend, "create_vpc_endpoint")(_create_vpc_endpoint)
    around(EC2Backend, "modify_vpc_endpoint")(_modify_vpc_endpoint)


def _state(route: Route) -> str:
    nat, gateway = route.nat_gateway, route.gateway
    is_detached = isinstance(gateway, InternetGateway) and gateway.vpc is None
    return "blackhole" if is_detached or (nat and nat.state != "available") else "active"


def _create_vpc_endpoint(original: Function, backend: EC2Backend, *args: Any, **kwargs: Any) -> Any:
    endpoint = original(backend, *args, **kwargs)
    endpoint.vpc_endpoint_type = endpoint.vpc_endpoint_type or "Gateway"  # moto cannot delete one without a type
    return endpoint


def _modify_vpc_endpoint(original: Function, backend: EC2Backend, vpc_id: str, *args: Any, **kwargs: Any) -> None:
    endpoint = backend.describe_vpc_endpoints(vpc_end_point_ids=[vpc_id])[0]  # moto calls its id so
    before = set(endpoint.route_table_ids)
    original(backend, vpc_id, *args, **kwargs)
    if listed := endpoint.destination_prefix_list_id:
        after = set(endpoint.route_table_ids)
        for table in before - after:
            backend.delete_route(table, listed)
        for table in after - before:
            backend.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=listed)
