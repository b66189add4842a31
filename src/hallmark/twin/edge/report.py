"""Asking the running edge what it counted."""

import http.client
import json
from contextlib import closing
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault
from hallmark.twin.process import RESPONDS_WITHIN


def read(state: Path) -> dict[str, Any]:
    """Counters and the last requests; see :meth:`hallmark.twin.edge.counters.Counters.report`.

    Args:
        state: The edge's folder.

    Raises:
        EnvironmentFault: It does not run, or does not answer.
    """
    try:
        port = int(json.loads((state / "edge.json").read_bytes())["port"])
        shown = {"Authorization": f"Bearer {(state / 'edge.token').read_text(encoding='utf-8')}"}
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=RESPONDS_WITHIN)) as connection:
            connection.request("GET", "/status", headers=shown)
            report: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, ValueError, LookupError, http.client.HTTPException) as error:
        raise EnvironmentFault("The twin's load balancers do not answer.", "run: hallmark twin up") from error
    return report
