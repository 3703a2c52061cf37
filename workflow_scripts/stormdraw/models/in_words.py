"""What the cards of models have in common: a grid, a period and a method in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from stormdraw.grids import Grid
from stormdraw.models.settings import ModelSettings


def grid_in_words(grid: Grid) -> str:
    """Its shape and spacing, and the latitudes and longitudes that it covers."""
    longitude, latitude = grid.longitude_latitude()
    unit = "degrees" if grid.geographic else "m"
    return (
        f"{grid.shape[0]} x {grid.shape[1]} points, {grid.spacing[1]:g} x {grid.spacing[0]:g} "
        f"{unit}; latitude {np.min(latitude):.2f} to {np.max(latitude):.2f}, longitude "
        f"{np.min(longitude):.2f} to {np.max(longitude):.2f} degrees"
    )


def period_in_words(period: Mapping[str, Any] | None) -> str:
    """Its start and end; `none` without one."""
    return "none" if period is None else f"{period['start']} to {period['end']} UTC"


def method_in_words(settings: ModelSettings) -> str:
    """How it makes an hour."""
    if settings.prediction != "target":
        return f"diffusion, predicts {settings.prediction} of {settings.target}"
    one = "a member and hour" if settings.by_chance else "an hour, deterministic"
    return f"one pass of the network {one}, loss {settings.loss.kind}"
