"""The systems whose products may be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stormdraw.settings import Settings

# GRIB2 has one octet for the number of forecasts in an ensemble (product definition template 4.2,
# octet 36), of which all ones stand for a missing value.
MOST_MEMBERS = 254


def candidates(settings: Settings) -> list[str]:
    """The systems that models make, or the one named.

    Of a calibrated system and its uncalibrated twin, the first: which of them is better is no
    choice to make on the cases that are scored. Without a model it is the reference, if its members
    are known.
    """
    if settings.report.products_of is not None:
        return [settings.report.products_of]
    ours = [system.name for system in settings.ensembles.given_in_role("contender")]
    references = settings.ensembles.in_role("reference")
    published = [system for system in references if system.made_from is None]
    return ours or [system.name for system in published if system.has_members]


def require_products_fit(settings: Settings) -> None:
    """Raise ValueError if a candidate has more members than its products can tell of."""
    for name in candidates(settings):
        members = settings.ensembles.system(name).most_members(settings)
        if members > MOST_MEMBERS:
            raise ValueError(
                f"ensembles.systems: {name} has {members} members, but the GRIB2 files of its "
                f"products can tell of at most {MOST_MEMBERS}; set its `members` to at most that, "
                "or report.products_of to a system that has fewer"
            )
