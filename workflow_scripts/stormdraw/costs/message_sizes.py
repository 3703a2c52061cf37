"""The size of a GRIB2 message of each variable in the public archives.

Differences of offsets in real inventories: those that a base model states, and HREF's mean of
2026-08-10 (f24). Sizes vary with the weather: reflectivity and CAPE by a factor of two between a
quiet and a stormy day. Models without an inventory are assumed to need as many bytes per point as
the base model that has one, whose packing they share.
"""

import functools

from stormdraw.archive.base_model import BaseModel, base_model, base_model_names, base_models
from stormdraw.archive.driving_registry import driving_model, larger_scale_models
from stormdraw.archive.series import Series

# HREF's mean; its spread is on the same grid.
_HREF = {"T2M": 631_668, "D2M": 610_019, "CAPE": 594_261, "CIN": 613_776, "WIND10": 426_298}

_OWN = {"href": _HREF}

# Grids other than that of base models, which the NAM nest and REFS use as well.
_POINTS = {"href": 1025 * 1473, "hiresw": 1025 * 1473}

# An inventory of a whole file, which is fetched to find its messages.
INVENTORY_BYTES = 10_000


@functools.cache  # a year has some hundred thousand messages
def message_bytes(model: str, variable: str, points: int | None = None) -> int:
    """The size of one message of a Herbie model on `points` points, or on the model's own grid.

    A variable without an inventory counts as the largest with one. A larger-scale model says itself
    what a message takes, in a mirror as well.
    """
    if model in larger_scale_models():
        return driving_model(model).message_bytes
    measured = _measured()
    own = _OWN.get(model, {})
    if variable in own and points is None:
        return own[variable]
    size = measured.message_bytes.get(variable, max(measured.message_bytes.values()))
    return size * (points or _points(model)) // measured.points


def file_bytes(series: Series, points: int | None = None) -> int:
    """The size of one file of a series whose part of the base model's grid has so many points.

    It counts as many bytes of the whole file's as that is a share of the whole grid.
    """
    whole = _measured().points
    return series.file_bytes * (whole if points is None else points) // whole


def _measured() -> BaseModel:
    """The base model that states sizes of messages."""
    return next(model for model in base_models() if model.message_bytes)


def _points(model: str) -> int:
    if model in base_model_names():
        return base_model(model).points
    return _POINTS.get(model, _measured().points)
