"""Day files, open for reading whole fields as fast as the disk gives them."""

import functools
import os
import weakref
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import cftime
import h5py
import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.layout import Deflated, Plain, layout_of

# Files that stay open: a year of days would be more than many systems allow a process.
_OPEN_FILES = 256


class DayFile:
    """One day of states. May be read by several threads at once, and after a fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._layouts: dict[str, Plain | Deflated | None] = {}
        with h5py.File(path, "r") as file:
            time = file["time"]
            self.times: tuple[datetime, ...] = tuple(_times(time))
            for name, dataset in file.items():
                if isinstance(dataset, h5py.Dataset) and dataset.ndim == 3:
                    self._layouts[name] = layout_of(dataset)
                    self.shape: tuple[int, int] = dataset.shape[1:]
        self._descriptor = os.open(path, os.O_RDONLY)
        # Closed when nobody holds this object any more, a thread in the middle of a read included.
        weakref.finalize(self, os.close, self._descriptor)

    def read(self, names: Sequence[str], index: int, out: np.ndarray | None = None) -> np.ndarray:
        """The state at one index along time, float32 (variable, y, x), into `out` if given.

        Raises StormdrawError if the file lacks a variable, ValueError if `out` is not float32 of
        that shape, in one piece.
        """
        missing = [name for name in names if name not in self._layouts]
        if missing:
            raise StormdrawError(
                f"{self.path}: has no {', '.join(missing)}; it was made for other variables, "
                "delete it"
            )
        shape = (len(names), *self.shape)
        if out is None:
            out = np.empty(shape, np.float32)
        if out.shape != shape or out.dtype != np.float32 or not out.flags.c_contiguous:
            raise ValueError(f"out must be float32 {shape} in C order")
        for field, name in zip(out, names, strict=True):
            layout = self._layouts[name]
            if layout is None:
                field[:] = self._decoded(name, index)
            else:
                self._read(layout, index, field)
        return out

    def _read(self, layout: Plain | Deflated, index: int, field: np.ndarray) -> None:
        try:
            layout.read(self._descriptor, index, field)
        except EOFError as error:
            raise StormdrawError(f"{self.path}: {error}; delete it and run again") from None

    def _decoded(self, name: str, index: int) -> np.ndarray:
        """A field of a file that something else wrote, as its attributes say."""
        with xr.open_dataset(self.path, engine="netcdf4") as dataset:
            return dataset[name].isel(time=index).values


def day_file(path: str | Path) -> DayFile:
    """The file, opened once while it stays the same."""
    status = os.stat(path)
    return _opened(Path(path), status.st_ino, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=_OPEN_FILES)
def _opened(path: Path, inode: int, modified: int, size: int) -> DayFile:
    return DayFile(path)


def _times(dataset: h5py.Dataset) -> list[datetime]:
    units = dataset.attrs["units"]
    calendar = dataset.attrs.get("calendar", "standard")
    text = [value.decode() if isinstance(value, bytes) else value for value in (units, calendar)]
    return list(cftime.num2pydate(dataset[:], *text))
