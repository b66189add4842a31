"""What a load balancer does with one request: web ACL, listener rules, answer."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from hallmark.twin.edge import listening, pages
from hallmark.twin.edge.counters import Counters, Sample
from hallmark.twin.edge.forwarding import Forwarder
from hallmark.twin.edge.records import Listener, Protection, State
from hallmark.twin.edge.requests import Incoming
from hallmark.twin.edge.waf import acl
from hallmark.twin.edge.waf.rates import Rates
from hallmark.twin.edge.waf.request import LIMIT

KIBIBYTE = 1024
STOPPED = {"Captcha": 405, "Challenge": 202}
"""What a client without a token gets."""
CLIENT_LEFT = 460


class Balancing:
    """Answers requests for any load balancer.

    Args:
        forwarder: Knows targets.
        counters: Are told about each request.
        source: The clients' public address.
    """

    def __init__(self, forwarder: Forwarder, counters: Counters, source: str) -> None:
        self._forwarder = forwarder
        self._counters = counters
        self._source = source
        self._rates = Rates()

    async def answer(self, request: web.BaseRequest, state: State, listener: Listener) -> web.StreamResponse:
        """Answer a request that came in on a listener."""
        incoming, began = Incoming(request, listener, self._source), time.monotonic()
        decision, status, rule = acl.Decision(), CLIENT_LEFT, ""
        answer: web.StreamResponse
        try:
            if state.protection:
                async with asyncio.timeout(state.idle):
                    decision = await self._decision(incoming, state.protection)
            if decision.action != "Allow":
                rule, answer = decision.rule, _stopped(decision, state.protection)
            else:
                incoming.inserted = _inserted(decision.settings)
                rule, answer = await self._follow(incoming, state, listener)
            status = answer.status
        except TimeoutError:
            answer = pages.page(status := 408)
        finally:
            by = "waf" if decision.action != "Allow" else "target" if incoming.answered else "elb"
            spent = round((time.monotonic() - began) * 1000, 1)
            counted, line = tuple(decision.counted), incoming.line
            sample = Sample(state.balancer.name, line.method, line.path, status, by, rule, counted, spent)
            self._counters.record(sample, protected=state.protection is not None)
        return answer

    async def _decision(self, incoming: Incoming, protection: Protection) -> acl.Decision:
        inspected = await incoming.inspected(body_limit(protection.acl))
        return acl.decide(protection.acl, inspected, self._rates, protection.references)

    async def _follow(self, incoming: Incoming, state: State, listener: Listener) -> tuple[str, web.StreamResponse]:
        """The rule that holds, and the answer of its last action: those before it only authenticate."""
        rule = listening.choose(listener.rules, incoming.line)
        action = max(rule["Actions"], key=lambda each: int(each.get("Order") or 0))
        return f"{listener.port}: {rule['Priority']}", await self._act(incoming, state, action)

    async def _act(self, incoming: Incoming, state: State, action: Mapping[str, Any]) -> web.StreamResponse:
        match action["Type"]:
            case "forward":
                return await self._forwarder.forward(incoming, state, action)
            case "redirect":
                settings = action["RedirectConfig"]
                status = int(settings["StatusCode"].removeprefix("HTTP_"))
                return pages.redirect(status, listening.location(settings, incoming.line))
            case "fixed-response":
                settings = action["FixedResponseConfig"]
                text, kind = settings.get("MessageBody") or "", settings.get("ContentType") or ""
                return pages.fixed(int(settings["StatusCode"]), text, kind)
        return pages.page(561)


def body_limit(settings: Mapping[str, Any]) -> int:
    """Bytes of a body that the web ACL sees."""
    sizes = (settings.get("AssociationConfig") or {}).get("RequestBody") or {}
    chosen = (sizes.get("APPLICATION_LOAD_BALANCER") or {}).get("DefaultSizeInspectionLimit", "")
    return int(chosen.removeprefix("KB_")) * KIBIBYTE if chosen else LIMIT


def _inserted(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    handling = settings.get("CustomRequestHandling") or {}
    return [(each["Name"], each["Value"]) for each in handling.get("InsertHeaders", ())]


def _stopped(decision: acl.Decision, protection: Protection | None) -> web.Response:
    if decision.action in STOPPED:
        answer = pages.page(STOPPED[decision.action])
        answer.headers["x-amzn-waf-action"] = decision.action.lower()
        return answer
    custom = decision.settings.get("CustomResponse")
    if not custom or not protection:
        return pages.page(403)
    bodies = protection.acl.get("CustomResponseBodies") or {}
    body = bodies.get(custom.get("CustomResponseBodyKey", ""), {"Content": "", "ContentType": "TEXT_PLAIN"})
    kind = {"TEXT_HTML": "text/html", "APPLICATION_JSON": "application/json"}.get(body["ContentType"], "text/plain")
    answer = pages.fixed(int(custom["ResponseCode"]), body["Content"], kind)
    for each in custom.get("ResponseHeaders") or ():
        answer.headers[each["Name"]] = each["Value"]
    return answer
