"""Whether one statement applies to a request: its actions, its resources, its conditions.

Sources: IAM User Guide, "IAM JSON policy elements: Action, NotAction, Resource, NotResource".
"""

from functools import lru_cache

from hallmark.policy.conditions import holds
from hallmark.policy.document import Effect, Statement
from hallmark.policy.matching import Truth, every, matches, negate, resolve, some
from hallmark.policy.request import Request, Unknown


def applies(statement: Statement, request: Request) -> Truth:
    """Tell whether a statement applies, its principals left aside."""
    action = action_matches(statement, request.action)
    if action is False or (resource := _resource_matches(statement, request)) is False:
        return False
    return every([action, resource, *(holds(e, request, variables=statement.variables) for e in statement.conditions)])


def action_matches(statement: Statement, action: str) -> Truth:
    """Tell whether a statement is about an action, in any case; a wildcard in it stands for unknown text."""
    found = _names(statement.actions, action)
    return negate(found) if statement.not_action else found


def settle(truth: Truth, effect: Effect, unknown: Unknown) -> bool:
    """Decide what is open: for the grant with ``GRANTS``, against it otherwise."""
    if truth is not None:
        return truth
    return (effect is Effect.ALLOW) == (unknown is Unknown.GRANTS)


@lru_cache(maxsize=8192)  # as `like`: the same question for every role and check
def _names(patterns: tuple[str, ...], action: str) -> Truth:
    return some(matches(pattern.lower(), action.lower()) for pattern in patterns)


def _resource_matches(statement: Statement, request: Request) -> Truth:
    # AWS keeps a `*` in the middle of an ARN's part from crossing a colon; here it crosses, as in most tools.
    patterns = [resolve(each, request.values) if statement.variables else each for each in statement.resources]
    found = some(matches(each, request.resource) if isinstance(each, str) else each for each in patterns)
    return negate(found) if statement.not_resource else found
