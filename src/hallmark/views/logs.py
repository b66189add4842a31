"""Whether what the application writes really arrives in CloudWatch: events, not only a group that could hold them."""

from datetime import datetime

from hallmark.model import Call
from hallmark.views.base import View, cached_property

FRESH_MINUTES = 15
"""Age above which an event proves nothing about now (OBS-1)."""


class Logs(View):
    """Log events of the application."""

    @cached_property
    def fresh_groups(self) -> tuple[str, ...]:
        """Application log groups with an event of the release's namespace that is young enough.

        What the group of all applications holds is searched for the name of the namespace, which every shipper of
        Kubernetes logs adds to an event; a group that is named after the namespace or the release needs no search.
        """
        names = [group.name for group in self.views.observability.application_log_groups]
        answers = self.ask_all(self._search(name) for name in names)
        return tuple(name for name, answer in zip(names, answers, strict=True) if answer["events"])

    def _search(self, group: str) -> Call:
        taken = datetime.fromisoformat(self.evidence.collected_at).timestamp()
        start = int((taken - FRESH_MINUTES * 60) * 1000)
        asked = {"logGroupName": group, "startTime": start, "limit": 1}
        own = {self.scope("namespace"), self.scope("release")} & set(group.split("/"))
        pattern = {} if own else {"filterPattern": f'"{self.scope("namespace")}"'}
        return Call.of("logs", "filter_log_events", **asked, **pattern)
