"""The systems whose products may be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stormdraw.settings import Settings

# GRIB2 has one octet for the number of forecasts in an ensemble (product definition template 4.2,
# octet 36). 255 (all ones) means a missing value.
MOST_MEMBERS = 254


def candidates(settings: Settings) -> list[str]:
    """The contenders, or only the system that report.products_of names.

    Calibrated twins are no candidates: choosing between them and their originals on the scored
    cases would be biased. Nor are forecasts of others that merely take part. Without contenders,
    the references with known members are candidates.
    """
    if settings.report.products_of is not None:
        return [settings.report.products_of]
    contenders = [
        system.name
        for system in settings.ensembles.given_in_role("contender")
        if not system.of_others
    ]
    references = settings.ensembles.in_role("reference")
    published = [system for system in references if system.made_from is None]
    return contenders or [system.name for system in published if system.has_members]


def require_products_fit(settings: Settings) -> None:
    """Raise ValueError if a candidate has more members than its GRIB2 products can record."""
    for name in candidates(settings):
        members = settings.ensembles.system(name).most_members(settings)
        if members > MOST_MEMBERS:
            raise ValueError(
                f"ensembles.systems: {name} has {members} members, but GRIB2 products can record "
                f"at most {MOST_MEMBERS}; reduce its `members` to {MOST_MEMBERS} or fewer, or set "
                "report.products_of to a smaller ensemble"
            )
