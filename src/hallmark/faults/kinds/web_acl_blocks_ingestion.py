"""No trace arrives: the firewall in front of the platform blocks the paths they are sent to.

Whoever sends or reads a trace gets 403 with an HTML page, whose server is awselb: the request has not reached the
platform, so no log of it says a word. Client libraries log a warning, drop the trace and go on, so the application
that is traced works. The user interface, projects and sign-in work. Pods are ready, targets healthy, queues empty.

The fault adds one rule to the web ACL of the load balancer. Its inverse writes the recorded definition back.
"""

from typing import Any

from hallmark.faults import balancers
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.sight import Sight

SHOWS_WITHIN = 180.0
"""A changed web ACL takes from seconds to minutes to be everywhere (AWS WAF developer guide)."""
SEEN = Sight("small_run", "refused", 403, by_balancer=True, words="POST /api/v1/runs: 403, an HTML page of awselb/2.0")
NAME = "block-run-paths"
PATH = "/api/v1/runs"
_HIGHEST = 1_000_000


def plan(read: Reader) -> list[Step]:
    """Add the rule at the first free place; the inverse writes the recorded definition."""
    acl, token = balancers.web_acl(read)
    taken = {rule["Priority"] for rule in acl["Rules"]}
    priority = next(number for number in range(_HIGHEST) if number not in taken)
    what = f"block paths that begin with {PATH}"
    return [balancers.rewrite(acl, token, [*acl["Rules"], _rule(priority)], what)]


def observe(read: Reader) -> Observation:
    """Look whether the rule is there, and at the rest of the web ACL."""
    acl, _ = balancers.web_acl(read)
    others = [rule for rule in acl["Rules"] if rule["Name"] != NAME]
    unaffected = {
        "the web ACL": {name: acl.get(name) for name in balancers.DEFINITION if name != "Rules"},
        "its other rules": others,
    }
    return Observation(len(others) < len(acl["Rules"]), unaffected)


def _rule(priority: int) -> dict[str, Any]:
    return {
        "Name": NAME,
        "Priority": priority,
        "Action": {"Block": {}},
        "VisibilityConfig": {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": NAME},
        "Statement": {
            "ByteMatchStatement": {
                "SearchString": PATH,
                "FieldToMatch": {"UriPath": {}},
                "PositionalConstraint": "STARTS_WITH",
                "TextTransformations": [{"Priority": 0, "Type": "NORMALIZE_PATH"}],
            }
        },
    }
