"""What passed through the edge: counts by load balancer and the last requests, without anything secret."""

from collections import Counter, defaultdict, deque
from dataclasses import asdict, dataclass, field
from typing import Any

SAMPLES = 100


@dataclass(frozen=True)
class Sample:
    """One request: never its headers, its query or its body.

    Attributes:
        balancer: Name of the load balancer.
        method, path, status: Of the request and its answer.
        by: Who answered: ``waf``, ``elb`` or ``target``.
        rule: What decided: a rule of the web ACL or of the listener.
        counted: Rules of the web ACL that only counted.
        milliseconds: How long it took.
    """

    balancer: str
    method: str
    path: str
    status: int
    by: str
    rule: str
    counted: tuple[str, ...]
    milliseconds: float


@dataclass
class Counts:
    """Counts of one load balancer: connections, answers by who gave them and status, rules of the web ACL."""

    connections: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    allowed: int = 0
    stopped: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)


class Counters:
    """Everything that is counted since the process began."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self._balancers: defaultdict[str, Counts] = defaultdict(Counts)
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)

    def connected(self, balancer: str) -> None:
        """Count a connection that was let in."""
        self._balancers[balancer].connections += 1

    def record(self, sample: Sample, *, protected: bool) -> None:
        """Count a request and keep it as one of the last.

        Args:
            sample: The request.
            protected: Whether a web ACL looked at it.
        """
        counts = self._balancers[sample.balancer]
        counts.answers[f"{sample.by} {sample.status}"] += 1
        counts.counted.update(sample.counted)
        if sample.by == "waf":
            counts.stopped[sample.rule] += 1
        elif protected:
            counts.allowed += 1
        self._samples.append(sample)

    def report(self) -> dict[str, Any]:
        """All of it as JSON has it; the newest request is the last."""
        return {
            "refused": dict(self.refused),
            "balancers": {name: vars(counts) for name, counts in self._balancers.items()},
            "requests": [asdict(each) for each in self._samples],
        }
