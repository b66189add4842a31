"""Scorecards made by hand: every verdict, nothing at all, a great many, and what an attacker would name a subnet."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from hallmark.model import CheckSpec, Level, Result, Scorecard, Verdict
from hallmark.reference import Reference, load

Make = Callable[..., Result]
MakeCard = Callable[[Iterable[Result]], Scorecard]


def make(name: str, verdict: Verdict, clause: str = "NET-5", level: Level = Level.P0, **fields: Any) -> Result:
    """Return a result of check ``lab-one/<name>``; *fields* beyond those of a result belong to the check."""
    own = {"title", "points", "requires", "why", "page", "clauses"}
    declared: dict[str, Any] = {
        "title": f"{name} holds.",
        "points": 2,
        "clauses": (clause,),
        "why": "It matters.",
        "page": "p/",
    }
    spec = CheckSpec(id=f"lab-one/{name}", level=level, **(declared | {k: v for k, v in fields.items() if k in own}))
    return Result(check=spec, verdict=verdict, **{k: v for k, v in fields.items() if k not in own})


def card_of(results: Iterable[Result]) -> Scorecard:
    """Return a scorecard of *results* whose totals are right."""
    results = tuple(results)
    required = [result for result in results if result.check.level is Level.P0]
    other = [result for result in results if result.check.level is not Level.P0]
    return Scorecard(
        lab="lab-one",
        title="Build the foundation and prove it",
        results=results,
        earned=sum(result.check.points for result in required if result.verdict is Verdict.PASS),
        possible=sum(result.check.points for result in required),
        recommended_met=sum(result.verdict is Verdict.PASS for result in other),
        recommended=len(other),
        target={
            "target": "aws",
            "region": "us-east-1",
            "cluster": "a-cluster",
            "host": "langsmith.hallmark.example",
            "account": "999988887777",
            "bucket": "",
        },
        collected_at="2026-11-24T12:00:00Z",
        evidence_digest="ab12" * 16,
        versions={"hallmark": "0.1.0", "boto3": "1.44.5"},
    )


def database_public() -> Result:
    """Return a miss that holds up two other checks."""
    return make(
        "postgres_private",
        Verdict.FAIL,
        "NET-5",
        title="The PostgreSQL database is in private subnets.",
        points=3,
        clauses=("NET-5", "SB-4"),
        expected="every subnet of the database's subnet group has no route to an internet gateway",
        observed="subnet-0a1b2c3d4e5f60718 routes 0.0.0.0/0 to igw-0123456789abcdef0, and the instance is public",
        where="arn:aws:rds:us-east-1:999988887777:db:hallmark-production-like-database-with-a-long-name",
        next="aws rds describe-db-instances --query 'DBInstances[].{id:DBInstanceIdentifier,open:PubliclyAccessible}'",
        why="A database with a public address is one password away from everybody.",
        page="generated/clauses/#net-5",
    )


def every_verdict() -> Scorecard:
    """Return a scorecard with each verdict, each level that is graded, a note, and blocked checks."""
    return card_of(
        [
            make("vpc", Verdict.PASS, "NET-1", title="Everything lives in a single VPC."),
            make(
                "waf",
                Verdict.ERROR,
                "ARCH-4",
                title="A web application firewall stands in the path of every request.",
                observed="wafv2.get_web_acl_for_resource: not authorised",
                code="denied",
                next="hallmark collect -o evidence.json",
                why="Without it nobody slows down a flood of requests.",
                page="generated/clauses/#arch-4",
            ),
            database_public(),
            make("redis", Verdict.BLOCKED, "RD-1", cause="lab-one/postgres_private", title="A Redis cache exists."),
            make(
                "stores", Verdict.BLOCKED, "SB-4", cause="lab-one/postgres_private", title="Stores take only the nodes."
            ),
            make("engine", Verdict.PASS, "RD-3", title="The cache is Redis.", note="Valkey is accepted (decision D6)."),
            make(
                "metrics",
                Verdict.NOT_APPLICABLE,
                "CMP-4",
                title="The metrics API is available.",
                observed="This cluster's API server cannot have a Metrics Server.",
            ),
            make("tls_to_pods", Verdict.PASS, "NET-10", Level.REC, title="TLS goes on to the pods."),
            make(
                "egress",
                Verdict.FAIL,
                "EGR-2",
                Level.REC,
                title="Outbound traffic is restricted.",
                expected="egress rules that name destinations",
                observed="0.0.0.0/0 on every port",
                where="sg-0a1b2c3d",
                why="What leaves is what leaks.",
                page="generated/clauses/#egr-2",
            ),
        ]
    )


def hostile() -> Scorecard:
    """Return a scorecard whose every text tries to break out of its format."""
    evil = "</td><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)> \"' & ]]> {{ 7*7 }} {% x %}"
    evil += " [bold red]not markup[/] :smile: \x1b[31mred\x1b[0m \x07\x00 \u202etxt.exe \ud800 \uffff"
    texts: dict[str, Any] = dict.fromkeys(
        ("title", "why", "page", "expected", "observed", "where", "next", "code"), evil
    )
    results = [
        make("fail", Verdict.FAIL, **texts),
        make("error", Verdict.ERROR, **texts),
        make("blocked", Verdict.BLOCKED, title=evil, cause="lab-one/fail"),
        make("pass", Verdict.PASS, title=evil, note=evil, clauses=(evil,)),
    ]
    card = card_of(results)
    return replace(card, lab=evil, title=evil, target={evil: evil, "cluster": evil}, versions={evil: evil})


def many() -> Scorecard:
    """Return 200 results over the reference, each fifth of them a miss with a very long observation."""
    clauses = [clause for clause in load().clauses.values() if clause.level in {Level.P0, Level.REC}]
    results = [
        make(
            f"check_{number}",
            Verdict.PASS if number % 5 else Verdict.FAIL,
            clauses[number % len(clauses)].id,
            clauses[number % len(clauses)].level,
            title=clauses[number % len(clauses)].text,
            expected="" if number % 5 else "something else",
            observed="" if number % 5 else "subnet-0123456789abcdef0 and so on, " * 200,
            next=""
            if number % 5
            else f"aws ec2 describe-subnets --subnet-ids {'subnet-0123456789abcdef0 ' * 20}".strip(),
        )
        for number in range(200)
    ]
    return card_of(results)


@pytest.fixture
def reference() -> Reference:
    """The reference of this version."""
    return load()


@pytest.fixture
def a_result() -> Make:
    """Make a result; see :func:`make`."""
    return make


@pytest.fixture
def a_card() -> MakeCard:
    """Make a scorecard of results."""
    return card_of


CARDS = {
    "every verdict": every_verdict,
    "empty": lambda: card_of([]),
    "all passed": lambda: card_of([make("one", Verdict.PASS), make("two", Verdict.PASS, "PG-1")]),
    "hostile": hostile,
    "many": many,
}


@pytest.fixture(params=CARDS, ids=lambda name: name.replace(" ", "-"))
def any_card(request: pytest.FixtureRequest) -> Scorecard:
    """Each of the hand-made scorecards in turn."""
    return CARDS[request.param]()


@pytest.fixture
def mixed() -> Scorecard:
    """The scorecard with every verdict."""
    return every_verdict()


@pytest.fixture
def hostile_card() -> Scorecard:
    """The scorecard that tries to break out."""
    return hostile()


@pytest.fixture
def many_card() -> Scorecard:
    """The scorecard with 200 results."""
    return many()


@pytest.fixture
def passed_card() -> Scorecard:
    """A scorecard in which everything passed."""
    return CARDS["all passed"]()


@pytest.fixture
def empty_card() -> Scorecard:
    """A scorecard without results."""
    return card_of([])
