"""A twin that nobody uses lives on: its logs tell it, and the key in people's shells is good after a reset."""

import json
import re
import time
from typing import Any

import pytest

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("sharp-edges")]  # it shares their twin
GROUP = "/aws/containerinsights/"
PROBED = re.compile(r'"GET /health HTTP/1\.1" 200 0 "-" "kube-probe/')
WITHIN = 60.0
"""Seconds in which a probe is made, logged and shipped; a grade looks back for fifteen minutes."""


def test_an_idle_twin_has_fresh_log_events(person: Any, wait_for: Any) -> None:
    """Nobody asks for anything; the kubelet does, and what the frontend says of it is in CloudWatch soon."""
    since = int(time.time() * 1000)
    logs = person.aws("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    name = next(each["logGroupName"] for each in groups if each["logGroupName"].endswith("/application"))

    def probes() -> list[str]:
        found = logs.filter_log_events(logGroupName=name, startTime=since)["events"]
        told = [json.loads(each["message"]) for each in found]
        ours = [each["log"] for each in told if each["kubernetes"]["namespace_name"] == "langsmith"]
        return [line for line in ours if PROBED.search(line)]

    wait_for(probes, WITHIN)


def test_the_api_key_is_good_after_a_reset(person: Any) -> None:
    """It came with the snapshot; the platform of another moment would not know a newer one."""
    key, entrance = person.twin.api_key(), person.twin.entrance()
    person.twin.reset()
    with entrance.client() as client:
        answer = client.post("/api/v1/runs", json={}, headers={"x-api-key": key})
    assert answer.status_code not in {401, 403}, answer.text
    assert person.twin.api_key() == key
