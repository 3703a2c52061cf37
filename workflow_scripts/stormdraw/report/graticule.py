"""Draw parallels and meridians on a map, labelled at its edges."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from stormdraw.grids import Grid
from stormdraw.report.map_outlines import outlines

# The lines bend so little that more points along them would not be visible.
_MOST_POINTS = 16

# The widest of these steps that gives a map at least two parallels, or two meridians.
_DEGREES = MaxNLocator(1, steps=[1, 2, 5, 10], min_n_ticks=2)


@dataclass(frozen=True)
class MapGrid:
    """The grid of a map: x and y in km, latitude and longitude (y, x) in degrees.

    `lines` are coasts and borders, (point, 2) each: x and y in km.
    """

    x: np.ndarray
    y: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    lines: tuple[np.ndarray, ...] = ()

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The outer edges of the grid cells in km: left, right, bottom, top."""
        half_x = (self.x[1] - self.x[0]) / 2
        half_y = (self.y[1] - self.y[0]) / 2
        return (
            float(self.x[0] - half_x),
            float(self.x[-1] + half_x),
            float(self.y[0] - half_y),
            float(self.y[-1] + half_y),
        )

    @property
    def aspect(self) -> float:
        """Height over width."""
        left, right, bottom, top = self.extent
        return (top - bottom) / (right - left)


def map_grid(grid: Grid) -> MapGrid:
    """The map of a grid, with its coasts and borders."""
    longitude, latitude = grid.longitude_latitude()
    across, up = grid.kilometres_a_unit
    x, y = np.array(grid.x) * across, np.array(grid.y) * up
    return MapGrid(x, y, latitude, longitude, outlines(grid))


def degrees_within(low: float, high: float) -> np.ndarray:
    """Round values between two angles in degrees, at least two."""
    degrees = np.asarray(_DEGREES.tick_values(low, high))
    return degrees[(degrees >= low) & (degrees <= high)]


def draw_graticule(axes: Axes, grid: MapGrid, left: bool, bottom: bool) -> None:
    """Draw coasts, borders, parallels and meridians; label the latter at the left and bottom."""
    parallels = degrees_within(grid.latitude[:, 0].min(), grid.latitude[:, 0].max())
    meridians = degrees_within(grid.longitude[0].min(), grid.longitude[0].max())
    style: dict[str, Any] = {
        "colors": "#111111",
        "linewidths": 0.3,
        "alpha": 0.35,
        "linestyles": "solid",
    }
    if grid.lines:
        axes.add_collection(
            LineCollection(grid.lines, colors="#111111", linewidths=0.6), autolim=False
        )
    rows, columns = _sampled(grid.y.size), _sampled(grid.x.size)
    x, y = grid.x[columns], grid.y[rows]
    if parallels.size:
        axes.contour(x, y, grid.latitude[np.ix_(rows, columns)], levels=parallels, **style)
    if meridians.size:
        axes.contour(x, y, grid.longitude[np.ix_(rows, columns)], levels=meridians, **style)
    axes.set_yticks(
        np.interp(parallels, grid.latitude[:, 0], grid.y) if left else [],
        [angle_text(angle, "N", "S") for angle in parallels] if left else [],
    )
    axes.set_xticks(
        np.interp(meridians, grid.longitude[0], grid.x) if bottom else [],
        [angle_text(angle, "E", "W") for angle in meridians] if bottom else [],
    )
    axes.tick_params(length=2, labelsize=6.5, pad=1.5)


def _sampled(count: int) -> np.ndarray:
    """Evenly spaced indices from first to last: enough for a smooth line in a small file."""
    return np.unique(np.linspace(0, count - 1, _MOST_POINTS).round().astype(int))


def angle_text(angle: float, positive: str, negative: str) -> str:
    """43.5 -> '43.5°N', -116 -> '116°W'."""
    size = f"{abs(round(float(angle), 6)):g}°"
    if abs(angle) < 1e-9:
        return size
    return size + (positive if angle > 0 else negative)


def draw_scale_bar(axes: Axes, grid: MapGrid) -> None:
    """Draw a scale bar of round length, about a quarter of the map's width, at the lower left."""
    left, right, bottom, top = grid.extent
    width = right - left
    length = next((step for step in (500, 200, 100, 50, 20, 10, 5, 2) if step <= width * 0.3), 1)
    x, y = left + 0.05 * width, bottom + 0.05 * (top - bottom)
    axes.plot([x, x + length], [y, y], color="white", linewidth=4.0, solid_capstyle="butt")
    axes.plot([x, x + length], [y, y], color="#111111", linewidth=1.8, solid_capstyle="butt")
    axes.text(
        x,
        y + 0.02 * (top - bottom),
        f"{length} km",
        fontsize=6.5,
        va="bottom",
        bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1.0},
    )
