"""Who is in the reference ensemble at a cycle, and which of their files to ask for.

HREF v3.1 over CONUS: five models, each with its newest run and an older one (NOAA-EMC/HREF,
`href_getmbr.sh`). HiResW runs only at 00 and 12 UTC, so at 06 and 18 UTC both its runs are older.

REFS v1: RRFS's control run, its five perturbed members and HRRR, and the same of six hours before:
14 members to 42 h, 13 to 48 h, 12 to 53 h, then the six new ones of RRFS.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stormdraw.errors import StormdrawError
from stormdraw.times import hours


@dataclass(frozen=True)
class Member:
    """One member: a Herbie model, product and options, started `age` hours before the cycle.

    `longest_lead` is the length of its own run in hours.
    """

    name: str
    model: str
    product: str
    age: int
    longest_lead: int
    options: tuple[tuple[str, str | int], ...] = field(default=())

    def own_lead(self, lead: int) -> int:
        """The lead of the member's own run that is valid `lead` hours after the cycle."""
        return lead + self.age

    def reaches(self, lead: int) -> bool:
        """Whether the member's run is long enough."""
        return self.own_lead(lead) <= self.longest_lead


# HRRR runs this long from 00, 06, 12 and 18 UTC, and only to 18 h from other hours.
_HRRR_LONG, _HRRR_SHORT = 48, 18

# (name, model, product, options, ages at 00/12 UTC, ages at 06/18 UTC, longest lead)
_HREF_PAIRS: tuple[
    tuple[str, str, str, tuple[tuple[str, str | int], ...], tuple[int, int], tuple[int, int], int],
    ...,
] = (
    ("nam_nest", "nam", "conusnest.hiresf", (), (0, 6), (0, 6), 60),
    ("hrrr", "hrrr", "sfc", (), (0, 6), (0, 6), _HRRR_LONG),
    ("hiresw_fv3", "hiresw", "fv3_5km", (("domain", "conus"),), (0, 12), (6, 18), 60),
    ("hiresw_arw", "hiresw", "arw_5km", (("domain", "conus"),), (0, 12), (6, 18), 48),
    (
        "hiresw_arw_mem2",
        "hiresw",
        "arw_5km",
        (("domain", "conus"), ("member", 2)),
        (0, 12),
        (6, 18),
        48,
    ),
)


# (name, model, product, options, length of the new run, and of the one six hours older)
_REFS_PAIRS: tuple[
    tuple[str, str, str, tuple[tuple[str, str | int], ...], tuple[int, int]], ...
] = (
    # REFS uses the older runs of RRFS for 53 h, although they are long enough for one hour more.
    ("rrfs", "rrfs", "2dfld", (("domain", "conus"),), (60, 59)),
    *(
        (
            f"rrfs_m{number}",
            "rrfs",
            "2dfldnomads",
            (("domain", "conus"), ("member", number)),
            (60, 59),
        )
        for number in range(1, 6)
    ),
    ("hrrr", "hrrr", "sfc", (), (48, 48)),
)

_REFS_AGES = (0, 6)


def members_at(reference: str, cycle: datetime) -> list[Member]:
    """The members of `href` or `refs` at a cycle.

    Raises StormdrawError if the ensemble has no cycle at that hour.
    """
    if cycle.hour % 6:
        raise StormdrawError(
            f"{reference.upper()} has no cycle at {cycle:%Y-%m-%d %H} UTC: 00, 06, 12, 18 only"
        )
    return _refs_members() if reference == "refs" else _href_members(cycle)


def _href_members(cycle: datetime) -> list[Member]:
    main_cycle = cycle.hour % 12 == 0
    return [
        Member(f"{name}_{age:02d}h", model, product, age, longest_lead, options)
        for name, model, product, options, main_ages, between_ages, longest_lead in _HREF_PAIRS
        for age in (main_ages if main_cycle else between_ages)
    ]


def _refs_members() -> list[Member]:
    return [
        Member(f"{name}_{age:02d}h", model, product, age, longest_lead, options)
        for name, model, product, options, longest_leads in _REFS_PAIRS
        for age, longest_lead in zip(_REFS_AGES, longest_leads, strict=True)
    ]


def lagged_runs(case: datetime, ages: Sequence[int]) -> list[Member]:
    """HRRR's own runs that started so many hours before a case, the newest first."""
    return [hrrr_run(case, age) for age in sorted(ages)]


def hrrr_run(case: datetime, age: int = 0) -> Member:
    """HRRR's own run that started `age` hours before a case, as an ensemble of one."""
    start = case - hours(age)
    return Member(
        f"hrrr_{age:02d}h", "hrrr", "sfc", age, _HRRR_SHORT if start.hour % 6 else _HRRR_LONG
    )
