"""Reading training states in random order: the stores beside a raw read and other layouts."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr
from fields_data import START, state
from timing import best_times, table

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.states import StateReader
from stormdraw.variables import DEFAULT_STATE

# 35 states of the full grid are 1.87 GB.
STATES = 35
SHAPE = (len(DEFAULT_STATE), *HRRR.shape)
TIMES = [START + timedelta(hours=hour) for hour in range(STATES)]
ROUNDS = 2

Read = Callable[[datetime], object]


def report_store(folder: Path) -> str:
    folder = folder / "store"
    folder.mkdir(exist_ok=True)
    kinds = [packed(state(HRRR, seed)) for seed in range(3)]
    states = [kinds[hour % len(kinds)] for hour in range(STATES)]
    order = [TIMES[i] for i in np.random.default_rng(0).permutation(STATES)]
    out = np.empty(SHAPE, np.float32)
    out[:] = 0.0
    with contextlib.ExitStack() as stack:
        work, sizes = {}, {}
        for name, (write, reads) in _layouts(stack, out).items():
            place = folder / name.replace(" ", "_").replace(",", "")
            if not place.exists():
                place.mkdir()
                write(place, states)
            sizes[name] = sum(path.stat().st_size for path in place.iterdir())
            for how, read in reads(place).items():
                work[f"{name}: {how}"] = _through(read, order, how)
        warm = best_times(work, ROUNDS)
    limit = warm["raw bytes: one thread"]
    rows = [
        [name, f"{taken:.2f}", f"{taken / limit:.2f}", f"{sizes[name.split(':')[0]] / 1e9:.2f}"]
        for name, taken in warm.items()
    ]
    size = STATES * 4 * np.prod(SHAPE) / 1e9
    return (
        f"{STATES} states of the full grid, {size:.2f} GB, whole states in random order, from a "
        "warm cache; `fast` and `compact` are what `fields.store` chooses from.\n\n"
        + table(["", "seconds", "of a raw read", "GB on disk"], rows)
        + "\n"
        + _precision(folder, states)
        + "\n"
        + _cold(folder)
    )


def packed(fields: dict[str, np.ndarray]) -> np.ndarray:
    """A state as GRIB leaves it: in steps of 1/16 from the smallest value, CAPE in tens."""
    steps = {"CAPE": 10.0, "CIN": 1.0}
    packed = [
        field.min()
        + np.rint((field - field.min()) / steps.get(name, 1 / 16)) * steps.get(name, 1 / 16)
        for name, field in fields.items()
    ]
    return np.stack(packed).astype(np.float32)


def _through(read: Read, order: list[datetime], how: str) -> Callable[[], None]:
    def one_by_one() -> None:
        for time_ in order:
            read(time_)

    def two_at_once() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(read, order))

    return two_at_once if how == "two threads" else one_by_one


def _layouts(stack: contextlib.ExitStack, out: np.ndarray) -> dict[str, tuple]:
    """Name -> (write(folder, states), reads(folder) -> {how: read(time)})."""
    outs = [out, np.zeros_like(out)]

    def raw(place: Path) -> dict[str, Read]:
        descriptor = os.open(place / "states.bin", os.O_RDONLY)
        stack.callback(os.close, descriptor)
        size = out.nbytes

        def read(time_: datetime) -> None:
            os.preadv(descriptor, [out.data.cast("B")], TIMES.index(time_) * size)

        return {"one thread": read}

    def ours(place: Path) -> dict[str, Read]:
        reader = StateReader(sorted(place.iterdir()), DEFAULT_STATE)
        spare = outs.copy()

        def read_apart(time_: datetime) -> None:
            mine = spare.pop()
            reader.read(time_, mine)
            spare.append(mine)

        return {"one thread": lambda time_: reader.read(time_, out), "two threads": read_apart}

    def by_xarray(place: Path) -> dict[str, Read]:
        opened = [stack.enter_context(xr.open_dataset(p)) for p in sorted(place.iterdir())]

        def read(time_: datetime) -> np.ndarray:
            part = opened[TIMES.index(time_) // 24].isel(time=TIMES.index(time_) % 24)
            return np.stack([part[name].values for name in DEFAULT_STATE])

        return {"xarray": read}

    def of_store(store: str) -> Callable[[Path, list[np.ndarray]], None]:
        return lambda place, states: write_days(place, states, store)

    def with_xarray_too(place: Path) -> dict[str, Read]:
        return ours(place) | by_xarray(place)

    return {
        "raw bytes": (write_raw, raw),
        "fast": (of_store("fast"), with_xarray_too),
        "compact": (of_store("compact"), with_xarray_too),
        "all variables in one": (write_stacked, lambda place: by_state(place, stack)),
        "chunk of a field": (other_days({"chunksizes": (1, *HRRR.shape)}), by_xarray),
        "16-bit integers": (other_days({"contiguous": True}, packed=True), by_xarray),
        "16-bit integers, zlib 1": (
            other_days({"zlib": True, "complevel": 1, "chunksizes": (1, *HRRR.shape)}, packed=True),
            by_xarray,
        ),
        "zlib 4": (
            other_days({"zlib": True, "complevel": 4, "chunksizes": (1, *HRRR.shape)}),
            by_xarray,
        ),
    }


def days() -> Iterator[tuple[int, slice]]:
    for first in range(0, STATES, 24):
        yield first // 24, slice(first, min(first + 24, STATES))


def write_raw(place: Path, states: list[np.ndarray]) -> None:
    with open(place / "states.bin", "wb") as stream:
        for one in states:
            stream.write(one.data)


def write_days(place: Path, states: list[np.ndarray], store: str) -> None:
    for day, part in days():
        times = xr.DataArray(np.array(TIMES[part], "datetime64[ns]"), dims="time")
        names = {name: name for name in DEFAULT_STATE}
        path = place / f"{day}.nc"
        with written_in_parts(path, HRRR, {"time": times}, names, {}, store) as file:
            for index, one in enumerate(states[part]):
                for name, field in zip(DEFAULT_STATE, one, strict=True):
                    file[name][index] = field


def write_stacked(place: Path, states: list[np.ndarray]) -> None:
    for day, part in days():
        with netCDF4.Dataset(place / f"{day}.nc", "w") as dataset:
            sizes = (part.stop - part.start, *SHAPE)
            for name, size in zip("tvyx", sizes, strict=True):
                dataset.createDimension(name, size)
            variable = dataset.createVariable("state", "f4", tuple("tvyx"), contiguous=True)
            for index, one in enumerate(states[part]):
                variable[index] = one


def by_state(place: Path, stack: contextlib.ExitStack) -> dict[str, Read]:
    opened = [stack.enter_context(netCDF4.Dataset(path)) for path in sorted(place.iterdir())]
    for dataset in opened:
        dataset.set_auto_maskandscale(False)

    def read(time_: datetime) -> np.ndarray:
        return opened[TIMES.index(time_) // 24]["state"][TIMES.index(time_) % 24]

    return {"netCDF4": read}


def other_days(options: dict, packed: bool = False) -> Callable[[Path, list[np.ndarray]], None]:
    def write(place: Path, states: list[np.ndarray]) -> None:
        for day, part in days():
            with netCDF4.Dataset(place / f"{day}.nc", "w") as dataset:
                for name, size in zip("tyx", (part.stop - part.start, *HRRR.shape), strict=True):
                    dataset.createDimension({"t": "time"}.get(name, name), size)
                for k, name in enumerate(DEFAULT_STATE):
                    kind = "i2" if packed else "f4"
                    dimensions = ("time", "y", "x")
                    variable = dataset.createVariable(name, kind, dimensions, **options)
                    if packed:
                        wide = name in ("CAPE", "CIN")
                        variable.scale_factor = np.float32(0.5 if wide else 1 / 64)
                        variable.add_offset = np.float32(0.0 if wide else 100.0)
                    for index, one in enumerate(states[part]):
                        variable[index] = one[k]

    return write


def _precision(folder: Path, states: list[np.ndarray]) -> str:
    rows = []
    for store in ("fast", "compact"):
        reader = StateReader(sorted((folder / store).iterdir()), DEFAULT_STATE)
        worst = max(
            float(np.abs(reader.read(TIMES[hour])[:5] - states[hour][:5]).max())
            for hour in range(3)
        )
        energy = max(
            float(np.abs(reader.read(TIMES[hour])[5:] - states[hour][5:]).max())
            for hour in range(3)
        )
        rows.append([store, f"{worst:.4f}", "0.0313", f"{energy:.2f}", "0.50"])
    headings = ["largest difference from what was stored", "REFC, T2M, D2M, U10, V10"]
    return table([*headings, "half a step of GRIB", "CAPE, CIN", "half a step of GRIB"], rows)


def _cold(folder: Path) -> str:
    """A day read hour by hour when none of it is in memory, against the same file read through."""
    path = folder / "fast" / "0.nc"
    reader = StateReader([path], DEFAULT_STATE)
    out = np.zeros(SHAPE, np.float32)
    buffer = bytearray(8 * 2**20)

    def forget() -> None:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)

    def through() -> None:
        with open(path, "rb", buffering=0) as stream:
            while stream.readinto(buffer):
                pass

    def by_hours() -> None:
        for time_ in reader.times:
            reader.read(time_, out)

    seconds: dict[str, list[float]] = {"the file, from end to end": [], "its states, in order": []}
    for _ in range(4):
        for name, action in zip(seconds, (through, by_hours), strict=True):
            forget()
            start = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - start)
    size = path.stat().st_size / 1e9
    best = {name: size / min(taken) for name, taken in seconds.items()}
    rows = [
        [name, f"{rate:.2f}", f"{100 * rate / best['the file, from end to end']:.0f} %"]
        for name, rate in best.items()
    ]
    return table([f"a day of {size:.2f} GB from the disk", "GB/s", "of the disk's rate"], rows)
