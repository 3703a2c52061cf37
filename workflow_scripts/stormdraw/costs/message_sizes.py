"""The size of a GRIB2 message of each variable in the public archives.

Differences of offsets in real inventories: HRRR of 2022-10-14 at 01 UTC (f00) and at 09 UTC (f05),
and HREF's mean of 2026-08-10 (f24). Sizes vary with the weather: reflectivity and CAPE by a factor
of two between a quiet and a stormy day. Other models have no inventory here; they are assumed to
need as many bytes per point as HRRR, whose packing they share.
"""

from stormdraw.grids import HRRR

# The mean of the two HRRR inventories, in bytes.
_HRRR = {
    "REFC": (464_700 + 639_682) // 2,
    "T2M": (1_165_556 + 1_274_522) // 2,
    "D2M": (1_183_200 + 1_245_088) // 2,
    "U10": 2_381_615,
    "V10": 2_381_615,
    "CAPE": (492_922 + 439_927) // 2,
    "CIN": (262_012 + 496_717) // 2,
    "OROG": 2_153_695,
}
# HREF's mean; its spread is on the same grid.
_HREF = {"T2M": 631_668, "D2M": 610_019, "CAPE": 594_261, "CIN": 613_776, "WIND10": 426_298}

_HRRR_POINTS = HRRR.shape[0] * HRRR.shape[1]
# Grids other than HRRR's 3 km grid, which the NAM nest and RRFS use as well.
_POINTS = {"href": 1025 * 1473, "hiresw": 1025 * 1473}

# An inventory of a whole HRRR file, which is fetched to find its messages.
INVENTORY_BYTES = 10_000


def message_bytes(model: str, variable: str, points: int | None = None) -> int:
    """The size of one message of a Herbie model on `points` points, or on the model's own grid.

    A variable without an inventory counts as the largest with one.
    """
    own = _HREF if model == "href" else {}
    if variable in own and points is None:
        return own[variable]
    size = _HRRR.get(variable, max(_HRRR.values()))
    return size * (points or _POINTS.get(model, _HRRR_POINTS)) // _HRRR_POINTS
