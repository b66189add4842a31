"""What every verb starts from: the project, its state directory, and the target.

What reaches the target is imported where it is used: it takes half a second, and most verbs do not need it.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from hallmark import catalog
from hallmark.errors import EnvironmentFault, HallmarkError
from hallmark.model import Lab
from hallmark.targets.profile import Profile, load

# ruff: noqa: PLC0415  (see above)

if TYPE_CHECKING:
    from hallmark.evidence.collect import Source
    from hallmark.twin.supervisor import Twin


@dataclass(frozen=True)
class App:
    """The project a command runs in.

    Attributes:
        flags: Settings of the target given on the command line.
    """

    flags: Mapping[str, object]

    @classmethod
    def of(cls, flags: Mapping[str, object]) -> "App":
        """Make it from the options of the group."""
        return cls({name: value for name, value in flags.items() if value is not None})

    @cached_property
    def root(self) -> Path:
        """The clone of the repository."""
        return catalog.project_root()

    @cached_property
    def home(self) -> Path:
        """Where everything that is made at run time lies: ``HALLMARK_HOME``, else ``.hallmark`` in the project."""
        return Path(os.environ.get("HALLMARK_HOME") or self.root / ".hallmark")

    @cached_property
    def console(self) -> Console:
        """Results, on standard output."""
        return Console(highlight=False, emoji=False)

    @cached_property
    def status(self) -> Console:
        """Progress and remarks, on standard error."""
        return Console(stderr=True, highlight=False, emoji=False)

    @cached_property
    def twin(self) -> "Twin":
        """The twin of this project.

        Raises:
            EnvironmentFault: Its packages are not installed.
        """
        try:
            from hallmark.twin.supervisor import Twin  # an extra: learners on AWS do not install it
        except ModuleNotFoundError as error:
            hint = 'python -m pip install -e ".[twin]"'
            raise EnvironmentFault(f"the twin needs packages that are not installed ({error.name}).", hint) from error
        return Twin(self.home, self.root)

    def settings(self, lab: Lab | None = None) -> Profile:
        """Read the target's settings without starting anything."""
        profile = load(self.root, flags=self.flags)
        if lab and lab.workspace:
            return replace(profile, terraform=f"work/{lab.id}")
        return profile

    def profile(self, lab: Lab | None = None) -> Profile:
        """Read the target's settings; a twin is started, and a fault that outlived its time is reverted."""
        from hallmark.faults import runner

        profile = self.settings(lab)
        if profile.target == "twin":
            self.twin.up(self.say)
            profile = replace(profile, endpoint=self.twin.endpoint, account=self.twin.account)
        if runner.expired(self.home):
            self.say("A fault has outlived its time; reverting it first.")
            runner.revert(self.home, profile, expired_only=True)
        return profile

    def sources(self, profile: Profile) -> dict[str, "Source"]:
        """What answers the calls of a collection."""
        from hallmark.targets.aws import AwsSource
        from hallmark.targets.cluster import ClusterSource
        from hallmark.targets.files import FilesSource
        from hallmark.targets.workstation import WorkstationSource

        return {
            "aws": AwsSource(profile),
            "kubernetes": ClusterSource(profile),
            "files": FilesSource(self.root),
            "workstation": WorkstationSource(profile),
            "platform": self._platform(profile),
        }

    def people(self, profile: Profile) -> "Source | None":
        """Who looks at the platform as its users do while it is broken; None, which is told: no way in, or no key."""
        from hallmark.targets.platform import KEYS

        if (found := self._member(profile)) is None:
            self.say(f"The look from outside is left out: there is no way in, or no API key ({KEYS[0]}).")
        return found

    def _member(self, profile: Profile) -> "Source | None":
        from hallmark.faults.sight import PATIENCE
        from hallmark.targets.platform import PlatformSource, key_of

        if profile.target != "twin":
            key = key_of(os.environ)
        elif entrance := self.twin.entrance():
            profile = replace(profile, url="", proxy=entrance.proxy, ca=str(entrance.authority))
            key = self.twin_key()
        else:
            return None
        return PlatformSource(profile, key, PATIENCE) if key else None

    def twin_key(self) -> str:
        """The API key of the twin's platform; empty: there is no release, or it does not answer now."""
        with suppress(HallmarkError):
            return self.twin.api_key()
        return ""

    def _platform(self, profile: Profile) -> "Source":
        from hallmark.targets.platform import PlatformSource, key_of

        if profile.target != "twin":
            return PlatformSource(profile, key_of(os.environ))
        from hallmark.twin.visitor import Visitor  # an extra, as the twin itself

        return Visitor(profile, self.twin)

    def default_lab(self) -> Lab:
        """Grade this when no lab is named: the first of the deployment track, which holds the reference's checks."""
        return next(lab for lab in catalog.labs(self.root) if lab.track == "deployment")

    def say(self, line: str) -> None:
        """Tell the person what is going on."""
        self.status.print(line, markup=False, soft_wrap=True)
