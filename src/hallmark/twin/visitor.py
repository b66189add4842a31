"""The platform of the twin as a target: by the way people come in, with a key that is made when it is first needed."""

import threading
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from hallmark.errors import EnvironmentFault, HallmarkError
from hallmark.model import Answer, Call, Status
from hallmark.targets.platform import KEYED, PlatformSource
from hallmark.targets.profile import Profile

if TYPE_CHECKING:
    from hallmark.twin.supervisor import Twin


class Visitor:
    """Answers calls of the service ``platform`` about the twin, see :class:`hallmark.targets.platform.PlatformSource`.

    Nothing is looked for before the first call: most labs ask the platform nothing. A key of the environment is never
    used: it is for another platform, which is nobody's business here.

    Args:
        profile: The settings of the target; how it is reached, the twin says.
        twin: The twin, which is up.
    """

    def __init__(self, profile: Profile, twin: "Twin") -> None:
        self._profile = profile
        self._twin = twin
        # One key for all who need one; who needs none does not wait for it.
        self._making = {keyed: threading.Lock() for keyed in (True, False)}

    def answer(self, call: Call) -> Answer:
        """Ask once; a twin that no way leads into, or that gives no key, does not answer."""
        try:
            with self._making[keyed := call.operation in KEYED]:
                source = self._member if keyed else self._anybody
        except HallmarkError as error:
            return Answer(Status.FAILED, None, "unreachable", error.message)
        return source.answer(call)

    @cached_property
    def _anybody(self) -> PlatformSource:
        return PlatformSource(self._way)

    @cached_property
    def _member(self) -> PlatformSource:
        return PlatformSource(self._way, self._twin.api_key())

    @cached_property
    def _way(self) -> Profile:
        entrance = self._twin.entrance()
        if entrance is None:
            raise EnvironmentFault("Nothing leads to LangSmith: the twin has no load balancers.")
        return replace(self._profile, url="", proxy=entrance.proxy, ca=str(entrance.authority))
