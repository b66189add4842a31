"""What is done to given servers beside the work of a store: a look before they are used, and the removal of ours."""

import logging

from hallmark.errors import EnvironmentFault
from hallmark.twin.stores.given import postgres, redis
from hallmark.twin.stores.given.address import POSTGRES, Address
from hallmark.twin.stores.given.server import Owner

LOG = logging.getLogger(__name__)


def require(address: Address, twin: str) -> None:
    """Refuse a server that is unfit, or not free for a twin.

    Raises:
        GivenFault: It is; nothing was done to it.
    """
    if address.setting == POSTGRES:
        with postgres.connected(address) as connection:
            postgres.require_fit(address, connection)
    else:
        with redis.connected(address) as client:
            redis.require_fit(address, client)
            redis.require_free(address, client, twin)


def erase(address: Address, owner: Owner) -> None:
    """Remove what is marked as of one store; a server that does not play along keeps it."""
    try:
        (postgres.erase if address.setting == POSTGRES else redis.erase)(address, owner)
    except EnvironmentFault as error:
        LOG.warning("what is marked as of %s stays. %s", owner.key, error.message)
