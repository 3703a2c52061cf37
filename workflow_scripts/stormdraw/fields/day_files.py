"""Day files, open for reading fields and parts of them at the speed of the disk."""

import functools
import os
import weakref
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import cftime
import h5py
import numpy as np
import xarray as xr

from stormdraw.archive.driving_schedule import DrivingForecast
from stormdraw.errors import StormdrawError
from stormdraw.fields.layout import Deflated, Plain, layout_of
from stormdraw.grids import WHOLE_GRID, Grid, Window, with_ends
from stormdraw.times import parse_init

# The number of files kept open: a year of days would exceed the limit of many systems. The layouts
# of more files are remembered, so that a file opened again is not scanned again.
_OPEN_FILES = 256
_KNOWN_FILES = 4096

# The variable of a file that says for which grid its fields are, if they are on another.
TARGET = "target"

_Kind = TypeVar("_Kind", bound="FieldFile")


class FieldFile:
    """Fields (time or forecast, y, x) on one grid. Several threads may read at once, also after a
    fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._layouts: dict[str, Plain | Deflated | None] = {}
        with h5py.File(path, "r") as file:
            self.grid = _grid(file)
            self._scan(file)
            for name, dataset in file.items():
                if isinstance(dataset, h5py.Dataset) and dataset.ndim == 3:
                    self._layouts[name] = layout_of(dataset)
                    self.shape: tuple[int, int] = dataset.shape[1:]

    def _scan(self, file: h5py.File) -> None:
        """Read what a kind of file has besides fields."""

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that it has fields of."""
        return tuple(self._layouts)

    def read(
        self,
        names: Sequence[str],
        index: int,
        out: np.ndarray | None = None,
        window: Window = WHOLE_GRID,
    ) -> np.ndarray:
        """The fields at one index of the first dimension, float32 (variable, y, x).

        They are put into `out` if given. For a part of the grid, little more than its rows are
        read. Raises StormdrawError if the file lacks a variable or is damaged, and ValueError if
        `out` is not contiguous float32 of that shape.
        """
        missing = [name for name in names if name not in self._layouts]
        if missing:
            raise StormdrawError(
                f"{self.path}: has no {', '.join(missing)}; it was made for other variables, "
                "delete it"
            )
        rows, columns = with_ends(window, self.shape)
        shape = (len(names), rows.stop - rows.start, columns.stop - columns.start)
        if out is None:
            out = np.empty(shape, np.float32)
        if out.shape != shape or out.dtype != np.float32 or not out.flags.c_contiguous:
            raise ValueError(f"out must be float32 {shape} in C order")
        for field, name in zip(out, names, strict=True):
            layout = self._layouts[name]
            if layout is None:
                field[:] = self._decoded(name, index, (rows, columns))
            else:
                self._read(layout, index, (rows, columns), field)
        return out

    def _read(
        self, layout: Plain | Deflated, index: int, window: Window, field: np.ndarray
    ) -> None:
        opened = _opened(self)
        try:
            layout.read(opened.descriptor, index, window, field)
        except (EOFError, zlib.error) as error:
            raise StormdrawError(
                f"{self.path}: damaged ({error}); delete it and run again"
            ) from None

    def _decoded(self, name: str, index: int, window: Window) -> np.ndarray:
        """A part of a field in a file that another program wrote, decoded by its attributes."""
        with xr.open_dataset(self.path, engine="netcdf4") as dataset:
            return dataset[name][index][window].values


class DayFile(FieldFile):
    """One day of states. `incomplete` are the valid times at which a variable has a missing point.

    As everywhere in CF, an attribute of a variable counts before that of the file.
    """

    times: tuple[datetime, ...]
    incomplete: dict[str, frozenset[datetime]]

    def _scan(self, file: h5py.File) -> None:
        self.times = tuple(_times(file["time"]))
        of_file = file.attrs.get("incomplete_times", "")
        named = {
            name: _text(dataset.attrs.get("incomplete_times", of_file)).split()
            for name, dataset in file.items()
            if isinstance(dataset, h5py.Dataset) and dataset.ndim == 3
        }
        self.incomplete = {name: frozenset(map(parse_init, times)) for name, times in named.items()}


class DrivingFile(FieldFile):
    """One day of cycles of a driving model.

    `forecasts` are in the order of the file; those in `incomplete` have a missing point. The
    archive lacks those in `absent`. Fields on their own grid are for the grid `target`, which is
    averaged over blocks of `factor` points per side.
    """

    target: Grid
    factor: int
    forecasts: tuple[DrivingForecast, ...]
    incomplete: frozenset[str]
    absent: frozenset[str]

    def _scan(self, file: h5py.File) -> None:
        cycles, members, leads = _times(file["cycle"]), file["member"][:], file["lead"][:]
        self.forecasts = tuple(
            DrivingForecast(cycle, int(member), int(lead))
            for cycle, member, lead in zip(cycles, members, leads, strict=True)
        )
        self.incomplete, self.absent = (
            frozenset(_text(file.attrs.get(key, "")).split())
            for key in ("incomplete_times", "absent_forecasts")
        )
        self.target, self.factor = self.grid, 1
        if TARGET in file:
            self.target = _grid(file, f"{TARGET}_x", f"{TARGET}_y", TARGET)
            self.factor = int(file[TARGET][()])


class _Opened:
    """A file descriptor that is closed when no reader holds it any more."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self.descriptor)


def day_file(path: str | Path) -> DayFile:
    """The file, scanned only once as long as it does not change."""
    return _known(DayFile, Path(path), *_state_of(path))


def driving_file(path: str | Path) -> DrivingFile:
    """The file, scanned only once as long as it does not change."""
    return _known(DrivingFile, Path(path), *_state_of(path))


def _state_of(path: str | Path) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns, status.st_size


@functools.lru_cache(maxsize=_KNOWN_FILES)
def _known(kind: type[_Kind], path: Path, inode: int, modified: int, size: int) -> _Kind:
    return kind(path)


@functools.lru_cache(maxsize=_OPEN_FILES)
def _opened(file: FieldFile) -> _Opened:
    return _Opened(file.path)


def _times(dataset: h5py.Dataset) -> list[datetime]:
    units = dataset.attrs["units"]
    calendar = dataset.attrs.get("calendar", "standard")
    return list(cftime.num2pydate(dataset[:], _text(units), _text(calendar)))


def _grid(file: h5py.File, x: str = "x", y: str = "y", projection: str = "projection") -> Grid:
    places = (file[axis][:].astype(np.float64).tobytes() for axis in (x, y))
    return _shared_grid(_text(file[projection].attrs["proj4"]), *places)


@functools.lru_cache(maxsize=8)
def _shared_grid(crs: str, x: bytes, y: bytes) -> Grid:
    """One object for all files on a grid, of which there may be thousands."""
    return Grid(crs, tuple(np.frombuffer(x).tolist()), tuple(np.frombuffer(y).tolist()))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
