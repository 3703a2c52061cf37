"""The grid that a model was trained on, as stored in its checkpoint."""

import logging
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyproj

from stormdraw.errors import StormdrawError
from stormdraw.grids import SAME_POINT, Grid

logger = logging.getLogger(__name__)

# Spacings that differ by less count as equal, since coordinates are read back from files.
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class TrainedGrid:
    """A map projection (a pyproj definition), the spacing (dy, dx), the first point and the shape.

    Spacing and `corner`, (y, x) of the first point, are in metres, or in degrees if geographic;
    `shape` is (y, x).
    """

    crs: str
    spacing: tuple[float, float]
    corner: tuple[float, float]
    shape: tuple[int, int]

    @staticmethod
    def of(grid: Grid) -> "TrainedGrid":
        """The description of a grid."""
        return TrainedGrid(grid.crs, grid.spacing, (grid.y[0], grid.x[0]), grid.shape)

    @staticmethod
    def from_dict(content: dict[str, Any]) -> "TrainedGrid":
        """The inverse of `to_dict`."""
        rows, columns = content["shape"]
        (dy, dx), (y, x) = content["spacing"], content["corner"]
        return TrainedGrid(content["crs"], (dy, dx), (y, x), (rows, columns))

    def to_dict(self) -> dict[str, Any]:
        """The content for a checkpoint: only strings, numbers and lists."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @property
    def whole(self) -> Grid:
        """The grid with all its coordinates."""
        y, x = (
            tuple((corner + spacing * np.arange(points)).tolist())
            for corner, spacing, points in zip(self.corner, self.spacing, self.shape, strict=True)
        )
        return Grid(self.crs, x, y)

    def check(self, grid: Grid, origin: str) -> None:
        """Raise StormdrawError if `grid` has another projection or spacing.

        A model learns changes over its grid length on its map. Another part of the same map, or a
        larger one, has another climate, but the model still applies; a warning is logged. `origin`
        names the model in messages.
        """
        same_map = grid.crs == self.crs or grid.projection == pyproj.CRS(self.crs)
        alike = all(
            math.isclose(own, other, rel_tol=_TOLERANCE)
            for own, other in zip(self.spacing, grid.spacing, strict=True)
        )
        if not (same_map and alike):
            raise StormdrawError(
                f"{origin} was trained on a grid of {_description(self.crs, self.spacing)}, but "
                f"the fields have one of {_description(grid.crs, grid.spacing)}; delete its "
                "model.pt to train again, take another checkpoint, or restore the former `fields` "
                "section"
            )
        here = TrainedGrid.of(grid)
        apart = [
            abs(own - other) / spacing
            for own, other, spacing in zip(self.corner, here.corner, self.spacing, strict=True)
        ]
        if here.shape != self.shape or max(apart) > SAME_POINT:
            logger.warning(
                "%s was trained on another part of this map: %d x %d points from y = %.0f, x = "
                "%.0f; the fields have %d x %d points from y = %.0f, x = %.0f",
                *(origin, *self.shape, *self.corner, *grid.shape, grid.y[0], grid.x[0]),
            )


def _description(crs: str, spacing: tuple[float, float]) -> str:
    unit = "degrees" if crs.startswith("+proj=longlat") else "m"
    return f"{spacing[1]:g} x {spacing[0]:g} {unit} ({crs.removesuffix(' +no_defs')})"
