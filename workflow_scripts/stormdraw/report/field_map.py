"""Draw a field on a map."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from stormdraw.report.field_colours import Scale
from stormdraw.report.graticule import MapGrid


def frame(axes: Axes) -> None:
    """A line around a map, and none of a grid within it."""
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)


def draw_field(axes: Axes, field: np.ndarray, grid: MapGrid, scale: Scale) -> AxesImage:
    """Draw a field (y, x) in a frame."""
    frame(axes)
    return axes.imshow(
        np.ma.masked_invalid(field),
        origin="lower",
        extent=grid.extent,
        cmap=scale.colours,
        norm=scale.norm,
        interpolation="nearest",
    )
