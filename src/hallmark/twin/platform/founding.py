"""The one organisation and its first workspace: made by a Job with passwords, else by who comes first."""

from typing import Any
from uuid import uuid4

from hallmark.twin.platform.database import Database

ORGANIZATION, WORKSPACE = "Default", "Workspace 1"
FIRST = "select id from organizations order by created_at limit 1"
MAKE = """
with made as (insert into organizations (id, display_name) values (%s, %s) returning id)
insert into tenants (id, organization_id, display_name) select %s, id, %s from made
"""


def organization(database: Database, name: str = "", workspace: str = "") -> Any:
    """Id of the organisation, which is made if there is none."""
    if found := database.ask(FIRST):
        return found[0]["id"]
    database.ask(MAKE, made := uuid4(), name or ORGANIZATION, uuid4(), workspace or WORKSPACE)
    return made
