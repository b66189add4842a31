"""What a person sees who comes in by the platform's public name: the proof of a symptom that no API call can give.

One look is a handshake, then a trace's way there and back. What is told is the first thing that goes wrong.
"""

from dataclasses import dataclass, field

from hallmark.errors import Unobservable
from hallmark.faults.reader import Reader

PATIENCE = 8.0
"""Seconds a trace may take to be readable before a look counts it as not there; on the twin it takes one."""
HANDSHAKE, WAY_IN = "handshake", "way in"
_BALANCER = "awselb"


@dataclass(frozen=True)
class Sight:
    """The first thing that goes wrong.

    Attributes:
        step: ``way in``, ``handshake``, a step of a trace's way such as ``small_run``; empty: nothing goes wrong.
        outcome: What became of it: ``refused``, ``unseen``, ``untrusted``, ``timeout``, ``unreachable`` …
        status: HTTP status; 0: none.
        by_balancer: Whether the load balancer, or its firewall, answered by itself.
        words: The same for people; equal sights may be told in other words.
    """

    step: str = ""
    outcome: str = ""
    status: int = 0
    by_balancer: bool = False
    words: str = field(default="a trace goes there and back", compare=False)

    @property
    def is_whole(self) -> bool:
        """Whether nothing goes wrong."""
        return not self.step


def look(read: Reader) -> Sight:
    """Look once; it takes an API key."""
    try:
        shown = read.ask("platform", "handshake")
        if shown["problem"]:
            return Sight(HANDSHAKE, "untrusted", words=f"the certificate is not accepted: {shown['problem']}")
        raw = read.ask("platform", "round_trip")
    except Unobservable as cause:
        return Sight(WAY_IN, cause.code, words=cause.message)
    if raw["complete"]:
        return Sight()
    last = raw["steps"][-1]
    by_balancer = str(last["server"]).lower().startswith(_BALANCER)
    by = f" by {last['server']}" if last["server"] else ""
    words = f"{last['step']}: {last['outcome']}, status {last['status'] or 'none'}{by}"
    return Sight(last["step"], last["outcome"], last["status"], by_balancer, words)
