"""Reads states back from the day files."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.day_files import day_file
from stormdraw.grids import WHOLE_GRID, Grid, Window
from stormdraw.times import parse_init


def locate_times(paths: Sequence[str | Path]) -> dict[datetime, tuple[Path, int]]:
    """Valid time -> (day file, index along its time axis), over all files.

    Raises StormdrawError if the files are not on one grid, since states of different grids cannot
    be pooled.
    """
    where: dict[datetime, tuple[Path, int]] = {}
    for path in paths:
        day = day_file(path)
        if not day.grid.matches(day_file(paths[0]).grid):
            raise StormdrawError(
                f"{path}: its grid is not that of {paths[0]}; delete the wrong one to make it "
                "again, or choose periods in which the archive's grid does not change"
            )
        for index, time in enumerate(day.times):
            where[time] = (Path(path), index)
    return where


def absent_times(paths: Sequence[str | Path]) -> set[datetime]:
    """The valid times that the archive lacks, as the configuration allows."""
    absent: set[datetime] = set()
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            absent.update(map(parse_init, dataset.attrs.get("absent_times", "").split()))
    return absent


def incomplete_times(
    paths: Sequence[str | Path], names: Sequence[str] | None = None
) -> set[datetime]:
    """The valid times at which a variable has a missing point, such as a masked impossible value.

    Those of the variables in `names`, or of all.
    """
    return {
        time
        for path in paths
        for name, times in day_file(path).incomplete.items()
        if names is None or name in names
        for time in times
    }


class StateReader:
    """Reads states of many day files in any order, at the speed of the disk.

    Several threads may read at once. `times` are the valid times in order; at those in `incomplete`
    one of the variables has a missing point. Raises StormdrawError if the files are not on one
    grid.
    """

    def __init__(self, paths: Sequence[str | Path], names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._paths = [str(path) for path in paths]
        self._where = locate_times(paths)
        self.times = sorted(self._where)
        self.incomplete = incomplete_times(paths, self.names)

    def path_of(self, time: datetime) -> Path:
        """The file that holds the state at one of `times`."""
        return self._where[time][0]

    def read(
        self, time: datetime, out: np.ndarray | None = None, window: Window = WHOLE_GRID
    ) -> np.ndarray:
        """The state valid at a time, or a part of it, float32 (variable, y, x).

        `out`, C-contiguous, is filled if given, such as reused or pinned memory; it may be for the
        first variables only. Raises StormdrawError if the time is in none of the files, or a
        variable not in its file.
        """
        if time not in self._where:
            raise StormdrawError(
                f"no field at {time:%Y-%m-%d %H} UTC in {_some(self._paths)}; "
                "check the archive's manifest for that hour"
            )
        path, index = self._where[time]
        names = self.names if out is None else self.names[: len(out)]
        return day_file(path).read(names, index, out, window)


def read_states(
    paths: Sequence[str | Path], names: Sequence[str], times: Iterable[datetime]
) -> Iterator[tuple[datetime, np.ndarray]]:
    """Each time's state, float32 (variable, y, x), one at a time in the given order.

    Raises StormdrawError if a time is in none of the files, a variable is not in its file, or the
    files are not on one grid.
    """
    reader = StateReader(paths, names)
    for time in times:
        yield time, reader.read(time)


def read_grid_of(path: str | Path) -> Grid:
    """The grid of a file that stormdraw wrote."""
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        return Grid.of(dataset)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
