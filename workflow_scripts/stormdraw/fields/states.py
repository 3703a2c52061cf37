"""Reading states back from the day files."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.times import parse_init


def locate_times(paths: Sequence[str | Path]) -> dict[datetime, tuple[Path, int]]:
    """Valid time -> (day file, index along its time axis), over all files."""
    where: dict[datetime, tuple[Path, int]] = {}
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            for index, time in enumerate(pd.to_datetime(dataset["time"].values)):
                where[time.to_pydatetime()] = (Path(path), index)
    return where


def absent_times(paths: Sequence[str | Path]) -> set[datetime]:
    """The valid times that the archive lacks, and the configuration allows it to."""
    absent: set[datetime] = set()
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            absent.update(map(parse_init, dataset.attrs.get("absent_times", "").split()))
    return absent


def read_states(
    paths: Sequence[str | Path], names: Sequence[str], times: Iterable[datetime]
) -> Iterator[tuple[datetime, np.ndarray]]:
    """Each time's state, float32 (variable, y, x), one at a time in the order asked for.

    Raises StormdrawError if a time is in none of the files, or a variable not in the file.
    """
    where = locate_times(paths)
    opened: dict[Path, xr.Dataset] = {}
    try:
        for time in times:
            if time not in where:
                raise StormdrawError(
                    f"no field at {time:%Y-%m-%d %H} UTC in {_some(paths)}; "
                    "check the archive's manifest for that hour"
                )
            path, index = where[time]
            if path not in opened:
                # Days come in order: one open file at a time keeps memory at one state.
                for dataset in opened.values():
                    dataset.close()
                opened = {path: xr.open_dataset(path, engine="netcdf4")}
            yield time, read_state(opened[path], names, index, path)
    finally:
        for dataset in opened.values():
            dataset.close()


def read_state(dataset: xr.Dataset, names: Sequence[str], index: int, path: Path) -> np.ndarray:
    """The state at one index along time, float32 (variable, y, x)."""
    missing = [name for name in names if name not in dataset]
    if missing:
        raise StormdrawError(
            f"{path}: has no {', '.join(missing)}; it was made for other variables, delete it"
        )
    return np.stack([dataset[name].isel(time=index).values for name in names]).astype(np.float32)


def read_grid_of(path: str | Path) -> Grid:
    """The grid of a file that stormdraw wrote."""
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        return Grid.of(dataset)


def _some(paths: Sequence[str | Path]) -> str:
    names = [str(path) for path in paths]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
