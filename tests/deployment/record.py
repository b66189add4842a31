"""Record the AWS half of a deployment anew: ``python tests/deployment/record.py`` while the twin is up.

Needed when a check asks AWS something the record does not hold, or when the baseline changes.
"""

import json
import sys
from dataclasses import asdict
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from hallmark import reference
from hallmark.cli.app import App
from hallmark.evidence.redact import Redactor
from hallmark.grading import plugin
from hallmark.model import Answer, Call
from hallmark.targets.aws import AwsSource

FIRST = (
    ("rds", "describe_db_instances"), ("elasticache", "describe_replication_groups"), ("s3", "list_buckets"),
    ("iam", "list_roles"), ("elbv2", "describe_load_balancers"), ("secretsmanager", "list_secrets"),
)  # fmt: skip
"""What the objects of the cluster are made from."""
ADDED = frozenset({"describe_volumes", "filter_log_events"})
"""Operations that the conftest answers itself."""


class Recording:
    """Asks the twin and keeps what it says."""

    def __init__(self, source: AwsSource) -> None:
        self._source = source
        self.answers: dict[str, Any] = {}

    def answer(self, call: Call) -> Answer:
        """Ask, redact, keep."""
        found = self._source.answer(call)
        kept = asdict(found) | {"value": Redactor({}, b"of the record").redact(found.value), "milliseconds": 0}
        self.answers[call.key] = kept
        return found


def main() -> None:
    """Write ``foundation.json`` beside this file."""
    here = Path(__file__).parent
    ours = _conftest(here / "conftest.py")
    app = App.of({})
    profile = app.profile()
    aws = Recording(AwsSource(profile))
    managed = [{"Name": "tag:eks:cluster-name", "Values": [profile.cluster]}]
    for service, operation in FIRST:
        aws.answer(Call.of(service, operation))
    aws.answer(Call.of("ec2", "describe_instances", Filters=managed))
    checks = plugin.checks(ours.ROOT / "graders" / ours.LAB, reference.load())
    made = ours.objects(ours.foundation(aws.answers))
    ours.Deployment(made, ours.SERVED, checks, ours.Added(aws), profile.scope()).evidence()
    text = json.dumps({"scope": profile.scope(), "answers": aws.answers}, indent=1, sort_keys=True)
    ours.RECORD.write_text(text + "\n", encoding="utf-8")


def _conftest(path: Path) -> ModuleType:
    spec = spec_from_file_location("deployment_conftest", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
