"""What RDS offers, as far as the reference architecture can ask for it: PostgreSQL and Aurora PostgreSQL.

Source: RDS release notes for PostgreSQL and Aurora PostgreSQL, and the RDS user guide's instance class tables.
Other engines are outside the reference; they are left to moto.
"""

import re

ENGINE_VERSIONS: dict[str, tuple[str, ...]] = {
    "postgres": (
        *(f"13.{minor}" for minor in range(15, 24)),
        *(f"14.{minor}" for minor in range(12, 23)),
        *(f"15.{minor}" for minor in range(7, 18)),
        *(f"16.{minor}" for minor in range(3, 14)),
        *(f"17.{minor}" for minor in range(1, 10)),
        *(f"18.{minor}" for minor in range(1, 4)),
    ),
    "aurora-postgresql": (
        *(f"13.{minor}" for minor in range(15, 24)),
        *(f"14.{minor}" for minor in range(12, 23)),
        *(f"15.{minor}" for minor in range(7, 18)),
        *(f"16.{minor}" for minor in range(3, 14)),
        *(f"17.{minor}" for minor in range(4, 10)),
    ),
}
"""Engine versions that can be created, oldest first. The newest minor versions are generous by a few."""

_SIZES = "micro|small|medium|large|(2|4|8|12|16|24|32|48)?xlarge"
_FAMILIES = "t3|t4g|[mr]5d?|r5b|[mr]6(g|gd|i|id|idn|in)|[mr]7[gi]|[mr]8g|x2(g|idn|iedn)"
_CLASS = re.compile(rf"db\.(serverless|({_FAMILIES})\.({_SIZES}))")


def is_instance_class(name: str) -> bool:
    """Whether RDS knows an instance class of this name."""
    return _CLASS.fullmatch(name) is not None


def resolve(engine: str, version: str) -> str | None:
    """The full version that RDS takes for a full (``16.8``) or a major one (``16``); None if it has none such.

    Versions of engines outside this catalogue are returned as they are.
    """
    if engine not in ENGINE_VERSIONS:
        return version
    matching = [one for one in ENGINE_VERSIONS[engine] if one == version or one.startswith(f"{version}.")]
    return matching[-1] if matching else None


def family(engine: str, version: str) -> str:
    """The parameter group family of an engine version, for example ``postgres16``."""
    return f"{engine}{version.partition('.')[0]}"
