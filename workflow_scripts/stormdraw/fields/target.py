"""The target grid, and how fields from any grid are put on it."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from stormdraw.curvilinear import SourceGrid, extent
from stormdraw.errors import StormdrawError
from stormdraw.fields.coarsening import coarse_grid, coarsen, fine_grid
from stormdraw.fields.quality import Finding, align_floor, check
from stormdraw.fields.regridding import Regridder, regridder
from stormdraw.fields.settings import Fields, Suspicious
from stormdraw.fields.source_fields import SourceField
from stormdraw.fields.states import read_grid_of
from stormdraw.grids import Grid
from stormdraw.variables import other_components, variable, vectors


@dataclass(frozen=True)
class Checks:
    """How a source's fields are checked, and how findings label them.

    `bounded` is False for a spread, to which neither the floors nor the bounds of variables apply.
    `no_echo` is the reflectivity in dBZ that the source's model writes where there is no echo, if
    it is known.
    """

    valid: datetime
    suspicious: Suspicious
    member: str = ""
    bounded: bool = True
    no_echo: float | None = None


@dataclass(frozen=True)
class Target:
    """The target grid: a part of the archive's, or block averages over `factor` points per side."""

    grid: Grid
    factor: int = 1

    @classmethod
    def of(cls, settings: Fields, archive: Grid) -> "Target":
        """The target that a configuration asks for, on an archive's grid.

        Raises StormdrawError if it asks for more than the archive has.
        """
        rows, columns = archive.shape
        crop, factor = settings.crop, settings.coarsen
        if crop is not None:
            if crop.rows[1] > rows or crop.columns[1] > columns:
                raise StormdrawError(
                    f"fields.crop asks for rows {crop.rows} and columns {crop.columns}, "
                    f"but the archive's grid has {rows} x {columns} points"
                )
            archive = archive.crop(slice(*crop.rows), slice(*crop.columns))
        if min(archive.shape) < 2 * factor:
            raise StormdrawError(
                f"fields.coarsen is {factor}, but the grid has only {archive.shape[0]} x "
                f"{archive.shape[1]} points, and two blocks per side are needed; choose a smaller "
                "factor or a larger crop"
            )
        return cls(coarse_grid(archive, factor), factor)

    @classmethod
    def of_file(cls, path: str | Path, settings: Fields) -> "Target":
        """The target grid of a file of fields."""
        return cls(read_grid_of(path), settings.coarsen)

    @functools.cached_property
    def points(self) -> Grid:
        """The grid that fields are interpolated to, before blocks are averaged."""
        return fine_grid(self.grid, self.factor)

    def place(
        self, fields: Sequence[SourceField], checks: Checks
    ) -> tuple[dict[str, np.ndarray], list[Finding]]:
        """Each variable, float32 (y, x) on the target grid, and the findings before regridding.

        Fields are first cut to the part around the target's points. Reflectivity below the floor is
        raised to it, and values are checked against their bounds. Then fields are regridded: the
        two components of a vector are rotated together, and all others are regridded as the table
        says. Finally blocks are averaged, unless the field is already on the target grid.

        Raises StormdrawError for a wind component without the other or on another grid, and for a
        field that covers no point of the target.
        """
        placed: dict[str, np.ndarray] = {}
        components: dict[str, SourceField] = {}
        findings: list[Finding] = []
        others = other_components()
        for field in fields:
            weights, factor = self._weights(field.grid)
            self._require_some_cover(weights, field)
            values, found = _checked(weights.cut(field.values), field, checks)
            findings += found
            if field.name in others:
                components[field.name] = replace(field, values=values)
                continue
            regrid = {
                "bilinear": weights.bilinear,
                "nearest": weights.nearest,
                "conservative": weights.conservative,
            }[variable(field.name).regridding]
            placed[field.name] = coarsen(regrid(values), factor, field.name)
        for name, field in components.items():
            if others[name] not in components:
                raise StormdrawError(
                    f"{field.origin}: {name} and {others[name]} are needed together"
                )
        for x_component, y_component in vectors().items():
            if x_component in components:
                placed |= self._turned(components[x_component], components[y_component])
        return placed, findings

    def _require_some_cover(self, weights: Regridder, field: SourceField) -> None:
        if weights.outside.size == math.prod(weights.target.shape):
            raise StormdrawError(
                f"{field.origin}: {field.name} is on a grid of {extent(field.grid)}, beyond all of "
                f"the target grid of {extent(self.grid)}; expected the same region: are its map, "
                "and the units and the order of its axes, right?"
            )

    def _turned(self, u: SourceField, v: SourceField) -> dict[str, np.ndarray]:
        """The checked and cut components of a vector, rotated to the target's axes."""
        if (u.grid, u.grid_relative_winds) != (v.grid, v.grid_relative_winds):
            raise StormdrawError(
                f"{u.origin}: {u.name} and {v.name} are not on the same grid; fetch it again"
            )
        weights, factor = self._weights(u.grid)
        turned = weights.wind(u.values, v.values, u.grid_relative_winds)
        return {
            name: coarsen(field, factor, name)
            for name, field in zip((u.name, v.name), turned, strict=True)
        }

    def _weights(self, source: SourceGrid) -> tuple[Regridder, int]:
        """The weights from a source grid, and the block size to average afterwards."""
        if self.factor > 1 and source.matches(self.grid):
            return regridder(source, self.grid), 1
        return regridder(source, self.points), self.factor


def _checked(
    values: np.ndarray, field: SourceField, checks: Checks
) -> tuple[np.ndarray, list[Finding]]:
    if not checks.bounded:
        return values, []
    values, raised = align_floor(values, field.name, checks.valid, checks.member, checks.no_echo)
    values, suspicious = check(values, field.name, checks.valid, checks.suspicious, checks.member)
    return values, raised + suspicious
