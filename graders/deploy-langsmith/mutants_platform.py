"""What can be wrong with the whole way, and what only looks wrong."""

from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status

INFO, SESSIONS = "/api/v1/info", "/api/v1/sessions?limit=1"
PAGE = {"status": 200, "content_type": "text/html; charset=utf-8", "shape": "", "selected": {}}
FIREWALL = {"status": 403, "content_type": "text/html", "server": "awselb/2.0", "shape": "", "selected": {}}


def _handshake(edit: Edit, **changed: Any) -> None:
    next(edit.each("platform", "handshake")).update(changed)


def _reply(edit: Edit, operation: str, path: str, changed: dict[str, Any]) -> None:
    edit.answers("platform", operation, path=path)[0].update(changed)


def _ends(edit: Edit, step: str, outcome: str, status: int, server: str = "nginx") -> None:
    """Let the trace's way end here."""
    trip = next(edit.each("platform", "round_trip"))
    names = [one["step"] for one in trip["steps"]]
    trip["steps"] = trip["steps"][: names.index(step) + 1]
    trip["steps"][-1].update(outcome=outcome, status=status, server=server)
    trip["complete"] = False


@mutant(breaks=["certificate_accepted"])
def certificate_of_a_stranger(edit: Edit) -> None:
    """Self-signed: no client trusts it."""
    _handshake(edit, problem="self-signed certificate")


@mutant(breaks=["certificate_accepted"])
def certificate_ran_out(edit: Edit) -> None:
    """The DNS record of its validation is gone, so ACM did not renew it."""
    _handshake(edit, problem="certificate has expired", not_after="2020-01-01T00:00:00Z")


@mutant(breaks=["certificate_accepted"])
def certificate_runs_out_soon(edit: Edit) -> None:
    """It was imported, and nobody renews it."""
    _handshake(edit, not_after="2020-01-01T00:00:00Z")


@mutant(breaks=["certificate_accepted"])
def certificate_of_another_name(edit: Edit) -> None:
    """What is trusted is for somebody else, at the address that was set by hand."""
    _handshake(edit, names=["www.example.com"])


@mutant(breaks=["certificate_accepted"])
def port_443_speaks_plainly(edit: Edit) -> None:
    """HTTP on the port of HTTPS."""
    _handshake(edit, version="", names=[], issuer="", not_after="", problem="wrong version number")


@mutant(breaks=[])
def certificate_is_a_wildcard(edit: Edit) -> None:
    """One label below its parent."""
    _handshake(edit, names=["*.hallmark.example"])


@mutant(breaks=[])
def old_versions_are_hung_up_on(edit: Edit) -> None:
    """No alert, the connection is closed: refused as well."""
    _handshake(edit, version="TLSv1.2", old={"TLSv1": "closed", "TLSv1.1": "closed"})


@mutant(breaks=["old_tls_refused"])
def old_version_is_spoken(edit: Edit) -> None:
    """The default policy of a load balancer that was made by hand."""
    _handshake(edit, old={"TLSv1": "refused", "TLSv1.1": "accepted"})


@mutant(breaks=["plain_text_redirected"])
def port_80_answers(edit: Edit) -> None:
    """The redirect is configured, and something else answers."""
    next(edit.each("platform", "redirect")).update(status=200, location="")


@mutant(breaks=["plain_text_redirected"])
def port_80_leads_away(edit: Edit) -> None:
    """The redirect goes to a host of somebody else."""
    next(edit.each("platform", "redirect")).update(location="https://www.example.com/")


@mutant(breaks=["plain_text_redirected"])
def port_80_leads_to_a_name_that_only_begins_alike(edit: Edit) -> None:
    """What begins like the host is not the host."""
    next(edit.each("platform", "redirect")).update(location="https://langsmith.hallmark.example.evil.example/")


@mutant(breaks=["plain_text_redirected"])
def port_80_leads_to_port_80(edit: Edit) -> None:
    """A redirect that stays without TLS."""
    next(edit.each("platform", "redirect")).update(location="http://langsmith.hallmark.example/")


@mutant(breaks=["plain_text_redirected"])
def port_80_leads_where_nobody_listens(edit: Edit) -> None:
    """The redirect names another port."""
    next(edit.each("platform", "redirect")).update(location="https://langsmith.hallmark.example:8443/")


@mutant(breaks=[])
def port_80_leads_to_443_in_so_many_words(edit: Edit) -> None:
    """As a load balancer writes it."""
    next(edit.each("platform", "redirect")).update(status=301, location="https://langsmith.hallmark.example:443/")


@mutant(breaks=[])
def port_80_is_closed(edit: Edit) -> None:
    """Nobody listens there: as good as a redirect."""
    edit.status("platform", "redirect", Status.ABSENT, "NotFound")


@mutant(breaks=["platform_answers"])
def front_is_up_and_api_is_gone(edit: Edit) -> None:
    """The single-page application answers the API's path, with 200."""
    _reply(edit, "get", INFO, PAGE)


@mutant(breaks=["platform_answers"])
def balancer_has_no_targets(edit: Edit) -> None:
    """No frontend is ready."""
    _reply(edit, "get", INFO, {**FIREWALL, "status": 503})


@mutant(breaks=["platform_answers"])
def something_else_answers(edit: Edit) -> None:
    """JSON of another application at the same address."""
    _reply(edit, "get", INFO, {"selected": {}})


@mutant(breaks=[])
def information_needs_a_key(edit: Edit) -> None:
    """The chart can close it to the public; then it is asked for with the key."""
    told = dict(edit.answers("platform", "get", path=INFO)[0])
    edit.put(Call.of("platform", "authorized", path=INFO), told)
    _reply(edit, "get", INFO, {"status": 401, "shape": "object", "selected": {}})


@mutant(breaks=["license_valid"])
def license_ran_out(edit: Edit) -> None:
    """It was not renewed."""
    edit.answers("platform", "get", path=INFO)[0]["selected"]["valid_until"] = "2020-01-01T00:00:00Z"


@mutant(breaks=["anonymous_refused", "everything_protected"])
def nobody_is_asked_for_a_key(edit: Edit) -> None:
    """Authentication is configured, and off."""
    _reply(edit, "get", SESSIONS, {"status": 200, "shape": "list"})


@mutant(breaks=["anonymous_refused", "everything_protected"])
def firewall_refuses_instead(edit: Edit) -> None:
    """A 403 by the firewall: what the platform would do, nobody knows."""
    _reply(edit, "get", SESSIONS, FIREWALL)


@mutant(breaks=["key_accepted"])
def nobody_is_let_in(edit: Edit) -> None:
    """The salt was changed: every key is a stranger's."""
    _reply(edit, "authorized", SESSIONS, {"status": 401, "shape": "object"})


@mutant(breaks=["key_accepted"])
def any_key_opens(edit: Edit) -> None:
    """A header is demanded, its content is not looked at."""
    _reply(edit, "forged", SESSIONS, {"status": 200, "shape": "list"})


@mutant(breaks=["key_accepted"])
def key_brings_a_page(edit: Edit) -> None:
    """200 for the right key, and no data."""
    _reply(edit, "authorized", SESSIONS, PAGE)


@mutant(breaks=["everything_protected"])
def one_path_is_open(edit: Edit) -> None:
    """Queries of runs ask nobody for a key."""
    _reply(edit, "post", "/api/v1/runs/query", {"status": 200, "shape": "object"})


@mutant(breaks=["trace_comes_back"])
def ingestion_refuses(edit: Edit) -> None:
    """Redis is gone."""
    _ends(edit, "small_run", "refused", 500)


@mutant(breaks=["trace_comes_back"])
def ingestion_accepts_and_forgets(edit: Edit) -> None:
    """No worker takes what was accepted."""
    _ends(edit, "small_read", "unseen", 404)


@mutant(breaks=["trace_comes_back"])
def traces_cannot_be_read(edit: Edit) -> None:
    """ClickHouse is gone."""
    _ends(edit, "small_read", "refused", 503)


@mutant(breaks=["trace_comes_back"])
def traces_never_end(edit: Edit) -> None:
    """What finishes a run is lost."""
    _ends(edit, "outputs_read", "unseen", 200)


@mutant(breaks=["trace_comes_back"])
def traces_come_back_altered(edit: Edit) -> None:
    """Another input than was sent."""
    _ends(edit, "small_read", "altered", 200)


@mutant(breaks=[])
def project_is_left_behind(edit: Edit) -> None:
    """It could not be deleted: a remark."""
    next(edit.each("platform", "round_trip"))["cleanup"].update(outcome="refused", status=500)


@mutant(breaks=["firewall_lets_traces_in"])
def firewall_blocks_large_bodies(edit: Edit) -> None:
    """The common rule set as it comes."""
    _ends(edit, "large_run", "refused", 403, "awselb/2.0")


@mutant(breaks=["large_trace_comes_back"])
def large_bodies_are_too_large(edit: Edit) -> None:
    """The frontend's own limit."""
    _ends(edit, "large_run", "refused", 413)


@mutant(breaks=["large_trace_comes_back"])
def bucket_refuses(edit: Edit) -> None:
    """Who takes traces writes large payloads itself, and the bucket refuses them."""
    _ends(edit, "large_run", "refused", 500)


@mutant(breaks=["large_trace_comes_back"])
def only_small_traces_come_back(edit: Edit) -> None:
    """A worker that cannot write to the bucket writes no row either."""
    _ends(edit, "large_read", "unseen", 404)


@mutant(breaks=["large_trace_comes_back"])
def large_traces_come_back_empty(edit: Edit) -> None:
    """The role of the ingest queue may not write to the bucket: the row is there, the payload is not."""
    _ends(edit, "large_read", "unseen", 200)


@mutant(breaks=["large_trace_comes_back"])
def large_traces_come_back_altered(edit: Edit) -> None:
    """Another payload than was sent."""
    _ends(edit, "large_read", "altered", 200)


@mutant(breaks=["large_trace_comes_back"])
def large_traces_cannot_be_read(edit: Edit) -> None:
    """The role of the backend may not read from the bucket."""
    _ends(edit, "large_read", "refused", 500)


@mutant(breaks=["trace_found_and_judged"])
def feedback_is_lost(edit: Edit) -> None:
    """Accepted, and never there."""
    _ends(edit, "feedback_read", "unseen", 200)


@mutant(breaks=["trace_found_and_judged"])
def queries_find_everything(edit: Edit) -> None:
    """The filter is not looked at."""
    _ends(edit, "query", "altered", 200)
