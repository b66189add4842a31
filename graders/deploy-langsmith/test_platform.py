"""The whole way, from outside: TLS, authentication, and traces that come back as they were sent."""

from urllib.parse import urlsplit

import pytest

from hallmark.errors import Miss
from hallmark.views.edge import Edge
from hallmark.views.ingresses import Ingresses
from hallmark.views.platform import Platform, Reply, Step
from hallmark.views.release import Release

DAYS = 30
FORBIDDEN = 403
HTTPS = 443
MOVED = frozenset({301, 302, 307, 308})
LOOK = {
    "project": "backend", "small_run": "platform-backend", "small_read": "ingest-queue", "outputs": "platform-backend",
    "outputs_read": "ingest-queue", "large_run": "platform-backend", "large_read": "ingest-queue",
    "feedback": "backend", "feedback_read": "ingest-queue", "query": "backend",
}  # fmt: skip
"""Who does the work of each step of a trace's way."""
READER = "backend"
"""Who answers every read: what is refused is not missing."""


def _curl(platform: Platform, reply: Reply) -> str:
    return f"curl -si -X {reply.method} '{platform.url}{reply.path}'"


def _rules(ingresses: Ingresses) -> str:
    arn = ingresses.balancer.arn if ingresses.balancer else ""
    return f"aws wafv2 get-web-acl-for-resource --resource-arn {arn} --query WebACL.Rules"


def _stopped(step: Step, platform: Platform, release: Release, ingresses: Ingresses) -> Miss:
    """Return what to say of a step that failed: whoever refused it has to be asked."""
    component = READER if step.is_read and step.outcome == "refused" else LOOK[step.name]
    log = f"kubectl -n {platform.scope('namespace')} logs deployment/{release.full_name}-{component} --tail=50"
    return Miss(
        expected="a trace that is accepted, and read back as it was sent within 60 s",
        observed=step.words,
        where=platform.url,
        next=_rules(ingresses) if step.by_balancer and step.status == FORBIDDEN else log,
    )


@pytest.mark.check(
    "NET-9",
    "SB-1",
    points=3,
    requires=["name_leads_to_ingress", "entrance_encrypted"],
    why="A warning that users click away today hides the attack of tomorrow, and no SDK clicks.",
)
def test_certificate_accepted(platform: Platform, edge: Edge) -> None:
    """A careful client accepts what the host shows: TLS 1.2 or later, its name, 30 days left."""
    seen = platform.handshake
    asked = {
        "expected": f"TLS 1.2 or later, with a certificate for {edge.host} that clients trust for {DAYS} days and more",
        "where": platform.url,
        "next": f"openssl s_client -connect {edge.host}:443 -servername {edge.host} </dev/null",
    }
    if not seen.is_modern or seen.problem:
        raise Miss(observed=seen.problem or seen.version or "no TLS", **asked)
    if not {edge.host, f"*.{edge.host.partition('.')[2]}"} & {name.lower() for name in seen.names}:
        raise Miss(observed=f"a certificate for {', '.join(seen.names) or 'no name'}", **asked)
    if platform.days_left(seen.not_after) <= DAYS:
        raise Miss(observed=f"valid until {seen.not_after}", **asked)


@pytest.mark.check(
    "SB-1",
    points=2,
    requires=["certificate_accepted"],
    why="TLS 1.0 and 1.1 are broken: whoever sits in between decides which version both sides settle for.",
)
def test_old_tls_refused(platform: Platform, edge: Edge) -> None:
    """TLS 1.0 and 1.1 are refused."""
    if spoken := platform.handshake.spoken:
        raise Miss(
            expected="no version before TLS 1.2",
            observed=f"accepts {' and '.join(spoken)}",
            where=platform.url,
            next=f"openssl s_client -tls1_1 -cipher 'ALL:@SECLEVEL=0' -connect {edge.host}:443 </dev/null",
        )


@pytest.mark.check(
    "SB-1",
    points=2,
    requires=["name_leads_to_ingress", "entrance_encrypted"],
    why="An API key that was sent in plain text once is everybody's.",
)
def test_plain_text_redirected(platform: Platform, ingresses: Ingresses, edge: Edge) -> str:
    """Port 80 does nothing but send clients to HTTPS."""
    balancer = ingresses.balancer
    if balancer is not None and all(listener.port != 80 for listener in edge.listeners(balancer)):
        return "No listener on port 80."
    reply = platform.redirect
    if reply is None:
        return "Nothing answers on port 80."
    place = urlsplit(reply.location.lower())
    leads = (place.scheme, place.hostname, place.port or HTTPS)
    if reply.status not in MOVED or leads != ("https", edge.host, HTTPS):
        raise Miss(
            expected=f"a redirect to https://{edge.host}",
            observed=f"status {reply.status}, location {reply.location or 'none'}",
            where=f"http://{edge.host}",
            next=f"curl -si http://{edge.host}/",
        )
    return ""


@pytest.mark.check(
    "ARCH-11",
    points=3,
    requires=["application_ready", "certificate_accepted"],
    why="A 200 proves little: the single-page application answers every path nobody else does, with 200.",
)
def test_platform_answers(platform: Platform) -> None:
    """The API behind the host tells its version."""
    reply = platform.info
    if not reply.is_data or not reply.selected.get("version"):
        raise Miss(
            expected="200 and JSON with a version",
            observed=reply.words,
            where=f"{platform.url}{reply.path}",
            next=_curl(platform, reply),
        )


@pytest.mark.check(
    "EGR-1",
    points=2,
    requires=["platform_answers"],
    why="Without a valid license the platform stops, and nobody is told in time.",
)
def test_license_valid(platform: Platform) -> str:
    """The license the platform knows of has not run out."""
    until = platform.info.selected.get("valid_until", "")
    days = platform.days_left(until)
    if days <= 0:
        raise Miss(
            expected="a license that is valid",
            observed=f"it ran out at {until}",
            where=f"{platform.url}{platform.info.path}",
            next=_curl(platform, platform.info),
        )
    return f"The license runs out in {days:.0f} days." if days <= DAYS else ""


@pytest.mark.check(
    "AUTH-1",
    points=4,
    requires=["auth_configured", "platform_answers"],
    why="What is configured is not yet what is enforced: only a refusal proves it.",
)
def test_anonymous_refused(platform: Platform) -> None:
    """Without a key the platform itself refuses."""
    reply = platform.anonymous
    if not reply.is_refusal:
        raise Miss(
            expected="401 or 403 by the platform, neither a page nor the firewall's",
            observed=reply.words,
            where=f"{platform.url}{reply.path}",
            next=_curl(platform, reply),
        )


@pytest.mark.check(
    "AUTH-2",
    points=4,
    requires=["anonymous_refused"],
    why="A platform that refuses everybody is as safe as one that is switched off.",
)
def test_key_accepted(platform: Platform) -> None:
    """An API key is accepted, and one that was made up is not."""
    right, wrong = platform.authorized, platform.forged
    if not right.is_data or right.shape != "list":
        raise Miss(
            expected="200 and a list of projects for the key",
            observed=right.words,
            where=f"{platform.url}{right.path}",
            next=f'{_curl(platform, right)} -H "x-api-key: ${{HALLMARK_API_KEY:-$LANGSMITH_API_KEY}}"',
        )
    if not wrong.is_refusal:
        raise Miss(
            expected="401 for a key that was made up",
            observed=wrong.words,
            where=f"{platform.url}{wrong.path}",
            next=f"{_curl(platform, wrong)} -H 'x-api-key: lsv2_pt_made_up'",
        )


@pytest.mark.check(
    "SB-7",
    points=2,
    requires=["anonymous_refused"],
    why="One path that asks nobody gives away what all others protect.",
)
def test_everything_protected(platform: Platform) -> None:
    """Projects, runs, datasets and workspaces all ask for authentication."""
    for reply in platform.protected:
        if not reply.is_refusal:
            raise Miss(
                expected="401 or 403 by the platform without a key",
                observed=reply.words,
                where=f"{platform.url}{reply.path}",
                next=_curl(platform, reply),
            )


@pytest.mark.check(
    "ARCH-11",
    points=5,
    requires=["key_accepted"],
    why="Accepted is not stored: with the workers gone the platform says 202 to every trace and keeps none.",
)
def test_trace_comes_back(platform: Platform, release: Release, ingresses: Ingresses) -> str:
    """A trace is accepted, and read back as it was sent."""
    trip = platform.round_trip
    if failed := trip.failure("project", "small_run", "small_read", "outputs", "outputs_read"):
        raise _stopped(failed, platform, release, ingresses)
    left = "" if trip.is_clean else " A project hallmark-probe-… could not be deleted: delete it."
    return f"Readable after {trip.milliseconds('small_read') / 1000:.1f} s.{left}"


@pytest.mark.check(
    "SB-5",
    points=3,
    requires=["firewall_in_path", "trace_comes_back"],
    why="Common rule sets block bodies above 8 KB, which most traces are: firewall on, data gone.",
)
def test_firewall_lets_traces_in(platform: Platform, ingresses: Ingresses) -> None:
    """A trace of 64 KB passes the firewall."""
    failed = platform.round_trip.failure("large_run")
    if failed and failed.by_balancer:  # what refuses behind it is not the firewall
        raise Miss(
            expected="2xx for a trace of 64 KB: SizeRestrictions_BODY set to count for the paths that take traces",
            observed=failed.words,
            where=platform.url,
            next=_rules(ingresses),
        )


@pytest.mark.check(
    "S3-1",
    points=4,
    requires=["blob_storage_on", "firewall_lets_traces_in"],
    why="Small traces take another way: only a large one proves bucket, role and endpoint.",
)
def test_large_trace_comes_back(platform: Platform, release: Release, ingresses: Ingresses) -> None:
    """A trace of 64 KB, which goes to the bucket, is read back as it was sent."""
    if failed := platform.round_trip.failure("large_run", "large_read"):
        raise _stopped(failed, platform, release, ingresses)


@pytest.mark.check(
    "ARCH-11",
    points=2,
    requires=["large_trace_comes_back"],
    why="What can be read by its id is not yet found: lists, charts and rules ask the analytical store.",
)
def test_trace_found_and_judged(platform: Platform, release: Release, ingresses: Ingresses) -> None:
    """Feedback is kept, and a query finds the trace it asks for."""
    if failed := platform.round_trip.failure("feedback", "feedback_read", "query"):
        raise _stopped(failed, platform, release, ingresses)
