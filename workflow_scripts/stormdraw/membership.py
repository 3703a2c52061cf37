"""The members of a reference ensemble, and the files that a system needs.

HREF v3 over CONUS: five models, each with its newest run and an older one (NOAA-EMC/HREF,
`href_getmbr.sh`). HiResW runs only at 00 and 12 UTC, so at 06 and 18 UTC both its runs are older.
The earlier HREF v2 had eight other members: HiResW's ARW, NSSL and NMMB and the NAM nest, each with
the run of 12 hours before, and no HRRR.

REFS v1: RRFS's control run, its five perturbed members and HRRR, each with the run of six hours
before: 14 members to 42 h, 13 to 48 h, 12 to 53 h, then the six new runs of RRFS.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stormdraw.errors import StormdrawError
from stormdraw.variables import scored_variables


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


# The first cycles of HREF's versions, and the longest leads of published products in hours.
_HREF_V3, _HREF_V2 = datetime(2021, 5, 11, 12), datetime(2017, 11, 1, 12)
_PUBLISHED_HOURS = {"href": 48, "refs": 60}
_PUBLISHED_HOURS_V2 = 36
_HREF_V2_MEMBERS = 8

# The variables of HREF's mean files: no reflectivity, and wind only as speed. REFS is its
# successor; its spread files are known to hold these and more.
PRODUCT_VARIABLES = ("T2M", "D2M", "CAPE", "CIN", "WIND10")


def product_variables(names: Sequence[str]) -> list[str]:
    """The scored variables of a state of `names` that mean and spread files hold."""
    return [name for name in scored_variables(list(names)) if name in PRODUCT_VARIABLES]


# (name, model, product, options, ages at 00/12 UTC, ages at 06/18 UTC, longest lead)
_HREF_PAIRS: tuple[
    tuple[str, str, str, tuple[tuple[str, str | int], ...], tuple[int, int], tuple[int, int], int],
    ...,
] = (
    ("nam_nest", "nam", "conusnest.hiresf", (), (0, 6), (0, 6), 60),
    ("hrrr", "hrrr", "sfc", (), (0, 6), (0, 6), 48),
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

    Raises StormdrawError if the ensemble has no cycle at that hour, or had other members then.
    """
    _require_cycle(reference, cycle)
    if reference == "refs":
        return _refs_members()
    if cycle < _HREF_V3:
        raise StormdrawError(
            f"HREF had other members at {cycle:%Y-%m-%d %H} UTC than those that can be fetched, "
            f"which it has since its version 3 of {_HREF_V3:%Y-%m-%d %H} UTC"
        )
    return _href_members(cycle)


def published_members(reference: str, cycle: datetime, lead: int) -> int:
    """How many members the mean and spread are of that `href` or `refs` published for a lead.

    Raises StormdrawError if the ensemble has no cycle at that hour.
    """
    _require_cycle(reference, cycle)
    if reference == "href" and cycle < _HREF_V3:
        return _HREF_V2_MEMBERS
    return sum(member.reaches(lead) for member in members_at(reference, cycle))


def published_hours(reference: str, cycle: datetime) -> int:
    """The longest lead in hours of the mean and spread that `href` or `refs` published at a cycle.

    0 before HREF's version 2. Raises StormdrawError if the ensemble has no cycle at that hour.
    """
    _require_cycle(reference, cycle)
    if reference == "href" and cycle < _HREF_V3:
        return 0 if cycle < _HREF_V2 else _PUBLISHED_HOURS_V2
    return _PUBLISHED_HOURS[reference]


def _require_cycle(reference: str, cycle: datetime) -> None:
    if cycle.hour % 6:
        raise StormdrawError(
            f"{reference.upper()} has no cycle at {cycle:%Y-%m-%d %H} UTC: 00, 06, 12, 18 only"
        )


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


@dataclass(frozen=True)
class Need:
    """Forecasts of the archive that a system needs for every case.

    `source` is one of `stormdraw.archive.wanted`. `ages` are the hours before a case at which runs
    of the base model started; `members` is the minimum number of members, or 0 if there are none.
    """

    source: str
    ages: tuple[int, ...] = ()
    members: int = 0
