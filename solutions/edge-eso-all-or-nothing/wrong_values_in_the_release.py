"""The values are written into the release."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands
from hallmark.twin.release import locate

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """The chart makes a Secret of its own, and everybody who may read releases has what is in it."""
    held = author.values(client, scope)
    config = {
        "existingSecretName": "",
        "langsmithLicenseKey": held["langsmith_license_key"],
        "apiKeySalt": held["api_key_salt"],
        "basicAuth": {
            "jwtSecret": held["jwt_secret"],
            "initialOrgAdminPassword": held["initial_org_admin_password"],
        },
    }
    place = ("-n", scope["namespace"], "--reuse-values", "--wait", "--timeout=180s")
    values = json.dumps({"config": config})
    client.helm("upgrade", scope["release"], locate.offline().reference, *place, "-f", "-", stdin=values)
