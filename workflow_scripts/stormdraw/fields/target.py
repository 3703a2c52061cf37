"""The target grid: a part of the archive's, or block averages of that part."""

from dataclasses import dataclass

import numpy as np

from stormdraw.errors import StormdrawError
from stormdraw.fields.coarsening import coarse_grid, coarsen
from stormdraw.fields.settings import Crop, Fields
from stormdraw.grids import Grid


@dataclass(frozen=True)
class Target:
    """How fields on the archive's grid become fields on the target grid: cropped, then averaged."""

    crop: Crop | None = None
    factor: int = 1

    @classmethod
    def of(cls, settings: Fields) -> "Target":
        """The target that a configuration asks for."""
        return cls(settings.crop, settings.coarsen)

    def grid(self, archive: Grid) -> Grid:
        """The target grid on an archive's grid.

        Raises StormdrawError if it asks for more than there is.
        """
        rows, columns = archive.shape
        if self.crop is not None:
            if self.crop.rows[1] > rows or self.crop.columns[1] > columns:
                raise StormdrawError(
                    f"fields.crop asks for rows {self.crop.rows} and columns {self.crop.columns}, "
                    f"but the archive's grid has {rows} x {columns} points"
                )
            archive = archive.crop(slice(*self.crop.rows), slice(*self.crop.columns))
        if min(archive.shape) <= self.factor > 1:
            raise StormdrawError(
                f"fields.coarsen is {self.factor}, but the grid has only {archive.shape[0]} x "
                f"{archive.shape[1]} points; take a smaller factor or a larger crop"
            )
        return coarse_grid(archive, self.factor)

    def cropped(self, field: np.ndarray) -> np.ndarray:
        """The part of a field (y, x) on the archive's grid."""
        if self.crop is None:
            return field
        return field[slice(*self.crop.rows), slice(*self.crop.columns)]

    def averaged(self, field: np.ndarray, name: str) -> np.ndarray:
        """Block averages of a variable's cropped field (y, x)."""
        return coarsen(field, self.factor, name)
