"""Targets that are slow, dead, gone or elsewhere, and what the load balancer says then."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from aiohttp import web

from hallmark.waiting import until

HOST = "langsmith.example.com"
TARGET, PORT = "10.7.0.9", 8080


@pytest.fixture
def targets(stage: Any) -> Iterator[Any]:
    """The stage; its target is put back afterwards."""
    yield stage
    stage.backstage.place(stage.backstage.echo)
    stage.becomes(200)


def says(answer: httpx.Response, words: str) -> None:
    """The load balancer's own page."""
    assert answer.headers["Server"] == "awselb/2.0"
    assert answer.text == (
        f"<html>\r\n<head><title>{words}</title></head>\r\n<body>\r\n<center><h1>{words}</h1></center>\r\n"
        "</body>\r\n</html>\r\n"
    )


def test_no_target(targets: Any) -> None:
    """503, because nobody is registered: no ready frontend, or a wrong selector."""
    elb = targets.clients("elbv2")
    group = {"TargetGroupArn": targets.ids["targets"], "Targets": [{"Id": TARGET, "Port": PORT}]}
    elb.deregister_targets(**group)
    try:
        says(targets.becomes(503), "503 Service Temporarily Unavailable")
    finally:
        elb.register_targets(**group)


def test_a_dead_target(targets: Any) -> None:
    """502, because the connection is refused; likewise when the pod serves no such port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        dead = closed.getsockname()[1]
    targets.backstage.addresses[TARGET] = {"address": "127.0.0.1", "ports": {str(PORT): dead}, "closed": {}}
    says(targets.becomes(502), "502 Bad Gateway")
    targets.backstage.addresses[TARGET] = {"address": "127.0.0.1", "ports": {}, "closed": {}}
    targets.becomes(502)


def test_an_address_nobody_has(targets: Any) -> None:
    """504: packets to it are lost. An address outside the loopback is one that nobody has."""
    del targets.backstage.addresses[TARGET]
    says(targets.becomes(504), "504 Gateway Time-out")
    targets.backstage.addresses[TARGET] = {"address": "192.0.2.1", "ports": {str(PORT): 80}, "closed": {}}
    targets.becomes(504)


def test_the_nodes_security_group_is_closed(targets: Any) -> None:
    """504 until it lets the load balancer in: pods have the security groups of their node."""
    ec2 = targets.clients("ec2")
    nodes = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=targets.ids["vpc"])["GroupId"]
    instance = ec2.run_instances(
        ImageId="ami-0a1b2c3d4e5f67890", MinCount=1, MaxCount=1, SubnetId=targets.ids["subnet-a"],
        SecurityGroupIds=[nodes],
    )["Instances"][0]["InstanceId"]  # fmt: skip
    try:
        targets.becomes(504)
        source = [{"GroupId": targets.ids["group"]}]
        rule = {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, "UserIdGroupPairs": source}
        ec2.authorize_security_group_ingress(GroupId=nodes, IpPermissions=[rule])
        targets.becomes(200)
    finally:
        ec2.terminate_instances(InstanceIds=[instance])


def test_a_network_policy_keeps_the_load_balancer_out(targets: Any) -> None:
    """504, and checks time out, where one of its own addresses, which it has in its subnets, is not let in."""
    assert until(lambda: _health(targets)["State"] == "healthy", 60, 0.5)
    closed = targets.backstage.addresses[TARGET]["closed"]
    closed["10.7.0.254"] = closed["10.7.1.254"] = [80]  # another port than the target's
    targets.becomes(200)
    closed["10.7.1.254"] = [PORT]
    says(targets.becomes(504), "504 Gateway Time-out")
    assert until(lambda: _health(targets)["State"] == "unhealthy", 60, 0.5)
    assert _health(targets)["Reason"] == "Target.Timeout"
    closed.clear()
    targets.becomes(200)
    assert until(lambda: _health(targets) == {"State": "healthy"}, 60, 0.5)
    assert targets.backstage.sources == {"10.7.0.254", "10.7.1.254"}


def test_a_pod_that_was_restarted(targets: Any) -> None:
    """The same address in the cluster, another port on this machine: no request is lost."""

    async def second(_: web.Request) -> web.StreamResponse:
        return web.Response(text="second")

    assert targets.ask().status_code == 200
    targets.backstage.place(second)
    assert targets.ask("POST", content=b"x" * 20_000).text == "second"


def test_a_slow_target(targets: Any) -> None:
    """504 after the idle time-out (SE-17)."""

    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0 if request.path == "/quick" else 4)
        return web.Response(text="at last")

    targets.backstage.place(slow)
    idle(targets, 1)
    try:
        assert targets.becomes(200, url="/quick").text == "at last"
        says(targets.becomes(504), "504 Gateway Time-out")
    finally:
        idle(targets, 60)


def idle(stage: Any, seconds: int) -> None:
    """Set the idle time-out."""
    attribute = {"Key": "idle_timeout.timeout_seconds", "Value": str(seconds)}
    stage.clients("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=stage.ids["balancer"], Attributes=[attribute]
    )


def test_a_target_that_hangs_up(targets: Any) -> None:
    """502 before its answer began; an answer that breaks off ends the client's connection."""

    async def rude(request: web.Request) -> web.StreamResponse:
        assert request.transport
        if request.path == "/half":
            half = web.StreamResponse(headers={"Content-Length": "100"})
            await half.prepare(request)
            await half.write(b"x" * 50)
            await asyncio.sleep(0.05)
        request.transport.abort()
        return web.Response()

    targets.backstage.place(rude)
    targets.becomes(502)
    with pytest.raises(httpx.RemoteProtocolError):
        targets.ask(url="/half")


def test_answers_are_streamed(targets: Any) -> None:
    """The first part is there before the last one is made; a body without a length, too."""
    told = asyncio.Event()

    async def parts(request: web.Request) -> web.StreamResponse:
        if request.method == "PUT":
            told.set()
            return web.Response()
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"first")
        async with asyncio.timeout(20):
            await told.wait()
        await answer.write(b"last")
        return answer

    targets.backstage.place(parts)
    targets.becomes(200, "PUT")
    told.clear()
    with targets.client() as client, client.stream("GET", f"https://{HOST}/") as answer:
        received = answer.iter_raw()
        assert next(received) == b"first"
        targets.ask("PUT")
        assert b"".join(received) == b"last"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PATCH"])
def test_methods_and_codings_pass(targets: Any, method: str) -> None:
    """A compressed answer stays compressed, and HEAD has no body."""

    async def coded(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"\x1f\x8bnot really", headers={"X-Method": request.method, "Content-Type": "a/b"})

    targets.backstage.place(coded)
    answer = targets.becomes(200, method)
    assert (answer.headers["X-Method"], answer.headers["Content-Length"]) == (method, "12")
    assert answer.content == (b"" if method == "HEAD" else b"\x1f\x8bnot really")


def test_a_large_body_in_both_ways(targets: Any) -> None:
    """32 MB there and back, unchanged."""

    async def back(request: web.Request) -> web.StreamResponse:
        return web.Response(body=await request.read())

    targets.backstage.place(back)
    content = bytes(range(256)) * (32 * 4096)
    assert targets.becomes(200, "POST", content=content).content == content


def test_invalid_header_names_are_dropped(stage: Any) -> None:
    """Only if the load balancer is told so; names with an underscore are what that is about."""

    def arrives() -> bool:
        return "X_Trace" in stage.ask(headers={"X_Trace": "1"}).json()["headers"]

    def strict(value: str) -> None:
        attribute = {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": value}
        stage.clients("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=stage.ids["balancer"], Attributes=[attribute]
        )

    assert arrives()
    strict("true")
    try:
        assert until(lambda: not arrives(), 20)
    finally:
        strict("false")
    assert until(arrives, 20)


def _health(stage: Any) -> dict[str, str]:
    """What AWS says of the only target."""
    every = stage.clients("elbv2").describe_target_health(TargetGroupArn=stage.ids["targets"])
    found: dict[str, str] = every["TargetHealthDescriptions"][0]["TargetHealth"]
    return found


def test_health_is_what_checks_find(targets: Any) -> None:
    """Well after one good check; sick after two bad ones in a row, with the reason; well again after as many."""
    assert until(lambda: _health(targets)["State"] == "healthy", 20)

    async def broken(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503 if request.path == "/health" else 200)

    targets.backstage.place(broken)
    assert until(lambda: _health(targets)["State"] == "unhealthy", 60, 0.5)
    assert _health(targets) == {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [503]",
    }
    targets.becomes(200)  # with nobody else it is asked all the same

    targets.backstage.place(targets.backstage.echo)
    assert until(lambda: _health(targets) == {"State": "healthy"}, 60, 0.5)


def test_a_new_target_is_asked_at_once_and_checked(targets: Any) -> None:
    """Alone it is asked before it is checked: only where nobody is registered there is nobody to ask."""
    elb, group = targets.clients("elbv2"), targets.ids["targets"]
    other, old = {"Id": "10.7.0.10", "Port": PORT}, {"Id": TARGET, "Port": PORT}
    targets.backstage.place(targets.backstage.echo, other["Id"])
    elb.register_targets(TargetGroupArn=group, Targets=[other])
    elb.deregister_targets(TargetGroupArn=group, Targets=[old])
    try:
        assert _health(targets)["State"] == "initial"
        targets.becomes(200)
        assert until(lambda: _health(targets) == {"State": "healthy"}, 20)
    finally:
        elb.register_targets(TargetGroupArn=group, Targets=[old])
        elb.deregister_targets(TargetGroupArn=group, Targets=[other])
