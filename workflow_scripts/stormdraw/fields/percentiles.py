"""Percentiles of each variable over the training times, at each grid point.

They are the climatology that events may be relative to. Wherever a point is, an event above its
95th percentile is as rare as anywhere else, so that no score is earned by knowing which places are
warm (Hamill and Juras 2006, doi:10.1256/qj.06.25).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.states import StateReader, absent_times, read_grid_of
from stormdraw.grids import Grid
from stormdraw.provenance import attributes
from stormdraw.variables import PARTS

# Bytes of all training times of some rows, which are held and sorted at once.
STRIP_BYTES = 256 * 2**20


def label(name: str, percentile: float) -> str:
    """The name of a percentile of a variable in the file: T2M_p95."""
    return f"{name}_p{percentile:.9g}"


def write_percentiles(
    paths: Sequence[Path],
    wanted: Mapping[str, Sequence[float]],
    times: Sequence[datetime],
    output: Path,
    settings: Mapping[str, Any],
    strip_bytes: int = STRIP_BYTES,
) -> None:
    """Write the percentiles that are `wanted` of each variable, (y, x), over the training times.

    A percentile is the smallest value that at least so many per cent of the values at the point do
    not exceed: a value that was there, so that nothing lies between "no storm" and a storm. Missing
    values and hours that the archive lacks do not count; where there is none the percentile is
    missing too. `paths` are day files; a strip of rows is read of all times at once.

    Raises StormdrawError if a time is in none of the files, or none has a value of a variable.
    """
    used = sorted(set(times) - absent_times(paths))
    grid = read_grid_of(paths[0])
    labels = {label(name, one): name for name, own in wanted.items() for one in own}
    notes = attributes(
        "Percentiles of the training times at each point", "stormdraw fields_percentiles", settings
    )
    with written_in_parts(output, grid, {}, labels, notes) as file:
        for name, percentiles in wanted.items():
            for percentile in percentiles:
                file[label(name, percentile)].long_name += f": percentile {percentile:.9g}"
            fields = _percentiles(paths, name, percentiles, used, grid, strip_bytes)
            if not np.isfinite(fields).any():
                raise StormdrawError(
                    f"scores.thresholds.{name}: no value at any training time to take percentiles "
                    "of; give values in its units, or another periods.training"
                )
            for percentile, field in zip(percentiles, fields, strict=True):
                file[label(name, percentile)][:] = field


def _percentiles(
    paths: Sequence[Path],
    name: str,
    percentiles: Sequence[float],
    times: Sequence[datetime],
    grid: Grid,
    strip_bytes: int,
) -> np.ndarray:
    """Those of one variable, float32 (percentile, y, x)."""
    parts = PARTS.get(name, (name,))
    reader = StateReader(paths, parts)
    rows, columns = grid.shape
    fields = np.full((len(percentiles), rows, columns), np.nan, np.float32)
    together = max(1, strip_bytes // (4 * columns * max(len(times), 1)))
    for first in range(0, rows, together):
        strip = slice(first, min(first + together, rows))
        values = np.empty((len(times), strip.stop - first, columns), np.float32)
        for place, time in enumerate(times):
            state = reader.read(time, window=(strip, slice(None)))
            values[place] = np.hypot(*state) if len(parts) == 2 else state[0]
        fields[:, strip] = nearest_percentiles(values, percentiles)
    return fields


def nearest_percentiles(values: np.ndarray, percentiles: Sequence[float]) -> np.ndarray:
    """Percentiles (percentile, ...) of values (time, ...) that are not NaN, each one of them.

    The k-th smallest of n values, where k is the smallest whole number that is at least p / 100 of
    n (Hyndman and Fan 1996, definition 1). NaN where n is 0. Sorts the values in place.
    """
    found = np.full((len(percentiles), *values.shape[1:]), np.nan, values.dtype)
    if not len(values):
        return found
    # NaN goes to the end.
    values.sort(axis=0)
    counts = np.isfinite(values).sum(axis=0)
    for place, percentile in enumerate(percentiles):
        # 30 % of 10 are 3, whatever 0.3 is in binary.
        rank = np.ceil(percentile * counts / 100.0 - 1e-9).astype(np.int64)
        at = np.maximum(rank - 1, 0)[None]
        found[place] = np.take_along_axis(values, at, axis=0)[0]
    return found


class Percentiles:
    """The fields of a file that `write_percentiles` wrote, each read when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, np.ndarray] = {}

    def field(self, name: str, percentile: float) -> np.ndarray:
        """A percentile of a variable, float32 (y, x).

        Raises StormdrawError if the file lacks it.
        """
        wanted = label(name, percentile)
        if wanted not in self._read:
            with xr.open_dataset(self._path, engine="netcdf4") as dataset:
                if wanted not in dataset:
                    raise StormdrawError(f"{self._path}: has no {wanted}; delete it")
                self._read = {
                    own: found
                    for own, found in self._read.items()
                    if own.rpartition("_p")[0] == name
                }
                self._read[wanted] = dataset[wanted].values
        return self._read[wanted]
