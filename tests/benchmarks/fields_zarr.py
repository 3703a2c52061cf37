"""Training crops from our day files beside the same from Zarr 3 stores of the same values.

    .venv/bin/python tests/benchmarks/fields_zarr.py

Prints the Markdown table of docs/exports.md: processor time, which other work on the machine
changes less than the time that passes. Files, 1 GB, are made in a temporary folder.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

import stormdraw  # noqa: E402, F401  (before ecCodes; see its __init__)

from fields_data import START, state  # noqa: E402  isort: skip
from fields_store import packed  # noqa: E402  isort: skip
from timing import hardware, table  # noqa: E402  isort: skip

import zarr  # noqa: E402
from zarr.codecs import BloscCodec  # noqa: E402

from stormdraw.archive.base_models.hrrr import GRID as HRRR  # noqa: E402
from stormdraw.fields.netcdf import written_in_parts  # noqa: E402
from stormdraw.fields.states import StateReader  # noqa: E402
from stormdraw.grids import WHOLE_GRID, Grid, Window, with_ends  # noqa: E402
from stormdraw.models.stored_states import StoredStates  # noqa: E402
from stormdraw.variables import DEFAULT_STATE  # noqa: E402

HOURS = 6
TIMES = [START + timedelta(hours=hour) for hour in range(HOURS)]
BAND = 64
BATCH = 8
ROUNDS = 3
# That of the Idaho run.
SMALL = Grid(HRRR.crs, HRRR.x[:131], HRRR.y[:97])


class ZarrReader(StateReader):
    """Reads states of a store as `StateReader` does those of the day files."""

    def __init__(self, paths: list[Path], store: Path) -> None:
        super().__init__(paths, DEFAULT_STATE)
        group = zarr.open_group(store, mode="r")
        self._arrays: list[Any] = [group[name] for name in DEFAULT_STATE]

    def read(
        self, valid: datetime, out: np.ndarray | None = None, window: Window = WHOLE_GRID
    ) -> np.ndarray:
        rows, columns = window
        assert out is not None
        for field, array in zip(out, self._arrays, strict=True):
            field[:] = array[self.times.index(valid), rows, columns]
        return out


def write_day(path: Path, grid: Grid, states: list[np.ndarray], store: Any) -> None:
    times = xr.DataArray(np.array(TIMES, "datetime64[ns]"), dims="time")
    names = {name: name for name in DEFAULT_STATE}
    with written_in_parts(path, grid, {"time": times}, names, {}, store) as file:
        for index, one in enumerate(states):
            for name, field in zip(DEFAULT_STATE, one, strict=True):
                file[name][index] = field


def write_store(day: Path, store: Path, grid: Grid, rows: int, pressed: bool) -> None:
    """The values of a day file in chunks of an hour and so many rows, a file (shard) an hour."""
    reader, out = StateReader([day], DEFAULT_STATE), np.empty((7, *grid.shape), np.float32)
    height, width = grid.shape
    bands = -(-height // rows) * rows
    group = zarr.open_group(store, mode="w", zarr_format=3)
    blosc = BloscCodec(cname="zstd", clevel=1, shuffle="shuffle")
    for name in DEFAULT_STATE:
        group.create_array(
            name,
            shape=(HOURS, height, width),
            chunks=(1, rows, width),
            shards=(1, bands, width) if bands > rows else None,
            dtype="float32",
            compressors=[blosc] if pressed else None,
        )
    for index, valid in enumerate(TIMES):
        for name, field in zip(DEFAULT_STATE, reader.read(valid, out), strict=True):
            group[name][index] = field  # type: ignore[index]


def crops(grid: Grid, size: tuple[int, int]) -> list[tuple[datetime, Window]]:
    """Pairs of hours of a batch, each at a place of its own."""
    random = np.random.default_rng(1)
    wanted = []
    for _ in range(BATCH):
        top, left = (
            int(random.integers(points - part + 1))
            for points, part in zip(grid.shape, size, strict=True)
        )
        window = slice(top, top + size[0]), slice(left, left + size[1])
        first = int(random.integers(HOURS - 1))
        wanted += [(TIMES[first], window), (TIMES[first + 1], window)]
    return wanted


def measured(folder: Path, grid: Grid, sizes: list[tuple[int, int]]) -> list[list[str]]:
    first = packed(state(grid, 1))
    states = [np.roll(first, 10 * hour, axis=-1) for hour in range(HOURS)]
    fast, compact = folder / "fast.nc", folder / "compact.nc"
    write_day(fast, grid, states, "fast")
    write_day(compact, grid, states, "compact")
    rows = []
    for store, day in (("fast", fast), ("compact", compact)):
        pressed = store == "compact"
        stores = {
            f"{store}, NetCDF": None,
            f"{store}, Zarr in fields": folder / f"{store}_fields.zarr",
            f"{store}, Zarr in bands of {BAND} rows": folder / f"{store}_bands.zarr",
        }
        for name, place in stores.items():
            if place is not None:
                write_store(day, place, grid, BAND if "bands" in name else grid.shape[0], pressed)
        for size in sizes:
            rows += compared(day, grid, size, stores)
    return rows


def compared(
    day: Path, grid: Grid, size: tuple[int, int], stores: dict[str, Path | None]
) -> list[list[str]]:
    work: dict[str, Callable[[], object]] = {}
    outs = {}
    parts = crops(grid, size)
    for name, place in stores.items():
        states = StoredStates([day], DEFAULT_STATE, TIMES, grid.shape, readers=2)
        if place is not None:
            states._reader = ZarrReader([day], place)
        outs[name] = [np.empty((7, *size), np.float32) for _ in parts]
        wanted = [
            (valid, with_ends(window, grid.shape), out)
            for (valid, window), out in zip(parts, outs[name], strict=True)
        ]
        work[name] = lambda states=states, wanted=wanted: states.fetch(wanted)  # type: ignore[misc]
    seconds = processor_times(work)
    ours, *others = outs.values()
    for other in others:
        np.testing.assert_array_equal(ours, other)
    limit = next(iter(seconds.values()))
    label = " x ".join(map(str, size))
    shape = " x ".join(map(str, grid.shape))
    rows = [
        [f"{label} of {shape}", name, f"{1000 * taken:.1f}", f"{taken / limit:.1f}"]
        for name, taken in seconds.items()
    ]
    print(*rows, sep="\n", file=sys.stderr, flush=True)
    return rows


def processor_times(work: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of all threads, of the best of some rounds after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS + 1):
        for name, action in work.items():
            start = time.process_time()
            action()
            seconds[name].append(time.process_time() - start)
    return {name: min(of_one[1:]) for name, of_one in seconds.items()}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="stormdraw_") as folder:
        rows = []
        grids = [(SMALL, [SMALL.shape, (64, 64)]), (HRRR, [(128, 128), (256, 256)])]
        for grid, sizes in grids:
            place = Path(folder) / str(grid.shape[0])
            place.mkdir()
            rows += measured(place, grid, sizes)
    print(hardware())
    print(table(["crops", "store", "ms a batch", "of NetCDF"], rows))


if __name__ == "__main__":
    main()
