"""Where stations lie on the grid of forecasts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from scipy.sparse import csr_array

from stormdraw.errors import StormdrawError
from stormdraw.fields.positions import Positions, positions_of_places
from stormdraw.fields.regridding import bilinear_weights, nearest_points
from stormdraw.fields.winds import convergence
from stormdraw.grids import Grid
from stormdraw.variables import LAND, TERRAIN, variable

OUTSIDE, WATER = "outside the grid", "the model has water there"


@dataclass(frozen=True)
class Places:
    """Stations on a grid; arrays are (station,), in the order of `stations`.

    `stations` has the columns `station`, `latitude`, `longitude` and `elevation`. `angle` in
    radians is that of `convergence`. `terrain` is the model's height in metres at the station, NaN
    if the run has no terrain. `dropped` is the reason for each station that is not among them.
    """

    stations: pd.DataFrame
    weights: csr_array
    nearest: np.ndarray
    angle: np.ndarray
    terrain: np.ndarray
    dropped: Mapping[str, str]

    def bilinear(self, field: np.ndarray) -> np.ndarray:
        """A field (y, x) at the stations: the weighted mean of the four points around each."""
        mean = self.weights @ field.ravel()
        return np.asarray(mean).astype(field.dtype, copy=False)

    def of_nearest(self, field: np.ndarray) -> np.ndarray:
        """A field (y, x) at the point nearest to each station."""
        return np.asarray(field.ravel()[self.nearest])

    def take(self, name: str, field: np.ndarray) -> np.ndarray:
        """A variable at the stations: of the nearest point if it has a floor, else bilinear.

        A floor means "nothing there", which must not be averaged.
        """
        return (self.bilinear if variable(name).floor is None else self.of_nearest)(field)

    @property
    def above(self) -> np.ndarray:
        """How far each station lies above the model's terrain, in km; NaN if not known."""
        return (self.stations["elevation"].to_numpy(np.float64) - self.terrain) / 1000.0


def places_of(stations: pd.DataFrame, grid: Grid, static_path: Path | None = None) -> Places:
    """The stations on a grid. Those outside it, or on the model's water, are dropped.

    `static_path` is the file of static fields. Without the terrain in it heights are not known, and
    without the land mask no station counts as on water.

    Raises StormdrawError if the static fields are on another grid.
    """
    static = _static_fields(static_path, grid)
    found = _on_grid(stations, grid)
    inside = found.inside.ravel()
    reasons = np.where(inside, "", OUTSIDE).astype(object)
    if LAND in static:
        point = nearest_points(found, grid.shape)
        reasons[inside & (static[LAND].ravel()[point] < 0.5)] = WATER
    kept = stations[reasons == ""].reset_index(drop=True)
    found = _on_grid(kept, grid)
    weights = bilinear_weights(found, grid.shape)
    terrain = np.full(len(kept), np.nan)
    if TERRAIN in static:
        terrain = weights @ static[TERRAIN].ravel().astype(np.float64)
    return Places(
        kept,
        weights,
        nearest_points(found, grid.shape),
        convergence(grid, kept["longitude"].to_numpy(), kept["latitude"].to_numpy()),
        terrain,
        {
            str(name): str(why)
            for name, why in zip(stations["station"], reasons, strict=True)
            if why
        },
    )


def _on_grid(stations: pd.DataFrame, grid: Grid) -> Positions:
    return positions_of_places(
        grid, stations["longitude"].to_numpy(), stations["latitude"].to_numpy()
    )


def _static_fields(path: Path | None, grid: Grid) -> dict[str, np.ndarray]:
    """The terrain and the land mask, each (y, x), as far as they are in the file."""
    if path is None:
        return {}
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        if not grid.matches(Grid.of(dataset)):
            raise StormdrawError(f"{path}: lies on another grid than the forecasts; delete it")
        return {name: dataset[name].values for name in (TERRAIN, LAND) if name in dataset}
